import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z') return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return [];
      }
    });
}

/** What a node has started: its sandboxes, its server and the server's guard. */
function startedBy(platform: PlatformProcess): readonly Process[] {
  return processes().filter(({ parent }) => parent === platform.pid);
}

async function allGone(started: readonly Process[]): Promise<void> {
  const pids = new Set(started.map(({ pid }) => pid));
  await waitFor(() => !processes().some(({ pid }) => pids.has(pid)), { what: 'nothing of the node is left' });
}

const SLOW = `new GB('StreamReader').foreach(async (r) => {
  await execute('INCR', 'begun');
  let sum = 0;
  for (let i = 0; i < 1e8; i++) sum += i % 7;
  await execute('INCR', 'ended');
}).register({ prefix: 'slow', mode: 'async_local', batch: 1 });`;

test('Ctrl-C, which signals the whole process group, lets what is in work end', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  const { ids } = await loadFunction(platform.door, 'slow', SLOW);
  await Promise.all(Array.from({ length: 4 }, () => client.xadd('slow', '*', 'f', 'v')));
  await waitFor(async () => Number(await client.get('begun')) > 0, { what: 'the work has begun' });
  const started = startedBy(platform);
  expect(started.length).toBeGreaterThan(1);
  process.kill(-platform.pid, 'SIGINT');
  expect(await platform.exited()).toBe(0);
  expect(platform.log()).not.toContain('was lost');
  expect(await client.get('ended')).toBe(await client.get('begun'));
  const [pending] = (await client.xpending('slow', ids[0] ?? '')) as [number];
  expect(pending).toBe(0);
  await allGone(started);
});

const ENDLESS = `new GB('StreamReader').foreach(async () => { await execute('INCR', 'begun'); for (;;); })
  .register({ prefix: 'endless', mode: 'async_local' });`;

test.each([
  ['SIGKILL', (platform: PlatformProcess) => platform.signal('SIGKILL')],
  [
    'a second signal',
    async (platform: PlatformProcess) => {
      platform.signal('SIGTERM');
      await waitFor(() => platform.log().includes('"msg":"stopping"'), { what: 'the graceful stop began' });
      const repeat = setInterval(() => platform.signal('SIGTERM'), 50);
      await platform.exited();
      clearInterval(repeat);
    },
  ],
])('a node that ends by %s leaves neither its server nor a sandbox that is held up by a guest', async (_, end) => {
  await using platform = await startPlatformProcess({
    flags: ['--limit-call-ms', '50s', '--limit-execution-ms', '55s', '--drain-timeout', '50s'],
  });
  await loadFunction(platform.door, 'endless', ENDLESS);
  await platform.door.xadd('endless', '*', 'f', 'v');
  await waitFor(async () => Number(await platform.door.get('begun')) > 0, { what: 'the guest runs' });
  const started = startedBy(platform);
  expect(started.some(({ command }) => command.includes('redis.conf'))).toBe(true);
  expect(started.filter(({ command }) => command.includes('sandbox/child')).length).toBeGreaterThan(1);
  await end(platform);
  await platform.exited();
  await allGone(started);
});
