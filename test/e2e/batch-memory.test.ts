import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';

const KEYS = 300_000;
const VALUE_BYTES = 1_024;
/** Heaps breathe; all values of the last two thirds would be twice as much. */
const SLACK_MB = 96;

interface Look {
  readonly read: number;
  readonly perSecond: number;
  readonly percent: number;
  readonly over: boolean;
}

async function look(door: Redis, id: string): Promise<Look> {
  const [shard] = (await door.call('RG.GETEXECUTION', id, 'SHARD')) as [[string, string, string, unknown[]]];
  const plan = new Map<unknown, unknown>();
  for (let at = 0; at < shard[3].length; at += 2) plan.set(shard[3][at], shard[3][at + 1]);
  return {
    read: Number(plan.get('records_read')),
    perSecond: Number(plan.get('records_per_second')),
    percent: Number(plan.get('percent_read')),
    over: plan.get('status') === 'done',
  };
}

/** Resident memory of a process and all below it, MB. */
function residentMb(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => numbersIn(`/proc/${pid}/task/${task}/children`));
  const own = Number(/^VmRSS:\s+(\d+)/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
  return children.reduce((sum, child) => sum + residentMb(child), own);
}

function numbersIn(path: string): readonly number[] {
  return readOrNothing(path).split(' ').filter(Boolean).map(Number);
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

test.runIf(process.platform === 'linux')(
  'a run over many keys takes no more memory at its end, and shows how far it is',
  async () => {
    await using redis = await startRedis();
    const fill = `for n = 1, ${KEYS} do redis.call('SET', 'key:' .. n, string.rep('x', ${VALUE_BYTES})) end`;
    await redis.client().eval(fill, 0);
    await using platform = await startPlatformProcess({ redisUrl: redis.url });
    const { door } = platform;
    const script = "GB().map((r) => r.value.length).aggregate(0, (a, n) => a + n, (a, b) => a + b).run('key:*')";
    const id = (await door.call('RG.JSEXECUTE', script, 'UNBLOCKING')) as string;
    const looks: Look[] = [];
    let atThirdMb = 0;
    for (let now = await look(door, id); !now.over; now = await look(door, id)) {
      looks.push(now);
      if (atThirdMb === 0 && now.read >= KEYS / 3) atThirdMb = residentMb(platform.pid);
      await pause(20);
    }
    const atEndMb = residentMb(platform.pid);
    expect(await door.call('RG.GETRESULTS', id)).toEqual([[String(KEYS * VALUE_BYTES)], []]);
    expect((await look(door, id)).read).toBe(KEYS);
    expect(looks.every(({ read }, at) => at === 0 || read >= (looks[at - 1] as Look).read)).toBe(true);
    expect(looks.some(({ read, perSecond }) => read > 0 && read < KEYS && perSecond > 0)).toBe(true);
    const halfway = looks.filter(({ read }) => read > KEYS / 4 && read < (3 * KEYS) / 4);
    // What is scanned is ahead of what has been read, by some portions.
    for (const { read, percent } of halfway) expect(Math.abs(percent - (100 * read) / KEYS)).toBeLessThan(20);
    expect((await look(door, id)).percent).toBe(100);
    expect(atThirdMb).toBeGreaterThan(0);
    expect(atEndMb - atThirdMb).toBeLessThan(SLACK_MB);
  },
);
