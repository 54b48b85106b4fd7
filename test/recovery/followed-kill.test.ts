import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { waitFor } from '../support/wait.ts';

const KEYS = 60;
const PATIENT = ['--limit-execution-ms', '10m'];

/** The first record of every shard goes through, the others wait for the key `go`. */
const SCRIPT = `GB('KeysReader').map(async (r) => {
  if ((await execute('INCR', 'seen:{' + hashtag() + '}')) === 1) return r.key;
  while (!(await execute('GET', 'go'))) await sleep(0.05);
  return r.key;
}).run('person:*')`;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
});
afterAll(() => cluster[Symbol.asyncDispose]());
beforeEach(async () => {
  await cluster.flush();
  const client = cluster.client();
  for (let n = 0; n < KEYS; n += 1) await client.set(`person:${n}`, n);
});

class Reader {
  readonly results: string[] = [];
  errors: readonly string[] = [];
  isOver = false;
  #cursor = '0';

  async readPage(door: Redis, id: string): Promise<void> {
    const reply = await door.call('RG.GETRESULTS', id, 'CURSOR', this.#cursor);
    const [next, results, errors] = reply as [string, string[], string[]];
    this.results.push(...results);
    this.#cursor = next;
    this.isOver = next === '0';
    this.errors = errors;
  }
}

async function attemptsOf(door: Redis, id: string): Promise<number> {
  const rows = (await door.call('RG.GETEXECUTION', id)) as [string, string, string, unknown[]][];
  return rows.reduce((sum, [, , , plan]) => sum + Number(plan[plan.indexOf('attempts') + 1]), 0);
}

test('a node killed in a followed run: nothing that was read comes again, and the parts it had end with an error', async () => {
  await using first = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  const id = (await first.door.call('RG.JSEXECUTE', SCRIPT, 'UNBLOCKING', 'FOLLOW')) as string;
  const reader = new Reader();
  const hasEnough = async (): Promise<boolean> => {
    await reader.readPage(first.door, id);
    return reader.results.length === 3;
  };
  await waitFor(hasEnough, { what: 'every shard has given its first result' });
  await using second = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  await first.kill();
  await cluster.client().set('go', '1');
  const isRead = async (): Promise<boolean> => {
    await reader.readPage(second.door, id);
    return reader.isOver;
  };
  await waitFor(isRead, { what: 'the run has ended', deadlineMs: 60_000 });
  expect(reader.errors).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^EXECUTION_PART_LOST: /)));
  expect(new Set(reader.results).size).toBe(3);
  expect(reader.results.length).toBe(3);
});

test('a node killed before anything was read: another runs its parts again, and every result comes once', async () => {
  await using first = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  const id = (await first.door.call('RG.JSEXECUTE', SCRIPT, 'UNBLOCKING', 'FOLLOW')) as string;
  await waitFor(async () => (await attemptsOf(first.door, id)) === 3, { what: 'every shard is worked on' });
  await using second = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  await first.kill();
  await waitFor(async () => (await attemptsOf(second.door, id)) === 6, {
    what: 'every shard has begun again',
    deadlineMs: 60_000,
  });
  await cluster.client().set('go', '1');
  const reader = new Reader();
  const isRead = async (): Promise<boolean> => {
    await reader.readPage(second.door, id);
    return reader.isOver;
  };
  await waitFor(isRead, { what: 'the run has ended', deadlineMs: 60_000 });
  expect(reader.errors).toEqual([]);
  expect(reader.results.toSorted()).toEqual(Array.from({ length: KEYS }, (_, n) => `person:${n}`).toSorted());
});
