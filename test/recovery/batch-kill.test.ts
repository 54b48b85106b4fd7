import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { waitFor } from '../support/wait.ts';

const KEYS = 60;
/** On a busy machine the stages below take longer than functions may. */
const PATIENT = ['--limit-execution-ms', '10m'];
/** Waits for Redis so often that a stage takes a second or more. */
const slow = (times: number): string =>
  `async (r) => { for (let n = 0; n < ${times}; n += 1) await execute('PING'); return r; }`;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
});
afterAll(() => cluster[Symbol.asyncDispose]());
beforeEach(async () => {
  await cluster.flush();
  const client = cluster.client();
  for (let n = 0; n < KEYS; n += 1) await client.hset(`person:${n}`, { family: `f${n % 4}` });
});

interface ShardRow {
  readonly status: string;
  readonly stage: number;
  readonly attempts: number;
}

async function shardsOf(door: Redis, id: string): Promise<readonly ShardRow[]> {
  const rows = (await door.call('RG.GETEXECUTION', id)) as [string, string, string, unknown[]][];
  return rows.map(([, , , plan]) => {
    const value = (name: string): unknown => plan[plan.indexOf(name) + 1];
    return { status: String(value('status')), stage: Number(value('stage')), attempts: Number(value('attempts')) };
  });
}

async function countsOf(door: Redis, id: string): Promise<Record<string, number>> {
  const [results, errors] = (await door.call('RG.GETRESULTSBLOCKING', id)) as [string[], string[]];
  expect(errors).toEqual([]);
  const records = results.map((text) => JSON.parse(text) as { key: string; value: number });
  expect(new Set(records.map(({ key }) => key)).size).toBe(records.length);
  return Object.fromEntries(records.map(({ key, value }) => [key, value]));
}

const EXPECTED = { f0: KEYS / 4, f1: KEYS / 4, f2: KEYS / 4, f3: KEYS / 4 };

test('a node killed in the first stage: another runs it again, and every record counts once', async () => {
  await using first = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  const script = `GB().map(${slow(9_000)}).countby((r) => r.value.family).run('person:*')`;
  const id = (await first.door.call('RG.JSEXECUTE', script, 'UNBLOCKING')) as string;
  await using second = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  await waitFor(async () => (await shardsOf(second.door, id)).every(({ status }) => status === 'running'), {
    what: 'all shards are in their first stage',
  });
  await first.kill();
  expect(await countsOf(second.door, id)).toEqual(EXPECTED);
  const shards = await shardsOf(second.door, id);
  expect(shards.some(({ attempts }) => attempts > 2)).toBe(true);
  await nothingLeft(1);
});

test('a node killed in the second stage does not cost the first one', async () => {
  await using first = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  const script = `GB().foreach(() => execute('INCR', 'first')).repartition((r) => r.value.family).map(${slow(3_000)})
    .countby((r) => r.value.family).run('person:*')`;
  const id = (await first.door.call('RG.JSEXECUTE', script, 'UNBLOCKING')) as string;
  await waitFor(
    async () => (await shardsOf(first.door, id)).some(({ stage, status }) => stage === 2 && status === 'running'),
    {
      what: 'the second stage runs',
    },
  );
  await first.kill();
  await using second = await startPlatformProcess({ redisUrl: cluster.url, flags: PATIENT });
  expect(await countsOf(second.door, id)).toEqual(EXPECTED);
  expect(await cluster.client().get('first')).toBe(String(KEYS));
  await nothingLeft(2);
});

/** Records on their way are gone when the execution has ended; only results stay. */
async function nothingLeft(lastStage: number): Promise<void> {
  const keys = (await Promise.all(cluster.primaries.map(({ client }) => client.keys('rg:*pieces*')))).flat();
  expect(keys.filter((key) => !new RegExp(`:${lastStage}:\\d+\\.\\d+:0$`).test(key))).toEqual([]);
}
