import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type RedisAccess } from '../../../functions/index.ts';
import { createFleet } from '../../../scheduler/fleet/create-fleet.ts';
import { createStreamLeases } from '../../../scheduler/fleet/stream-leases.ts';
import { createJournal } from '../../../scheduler/journal/create-journal.ts';
import { createDeadLetters } from '../../../scheduler/journal/dead-letters.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { createAsyncQueue } from '../../../scheduler/queues/create-async-queue.ts';
import { startCluster, type TestCluster } from '../../support/redis-cluster.ts';
import { waitFor } from '../../support/wait.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const SETTINGS = { heartbeatMs: 60, heartbeatTimeoutMs: 600, convergeMs: 1_000 };
const ID = 'f/stream/s:*';

let cluster: TestCluster;
let access: RedisAccess;

beforeAll(async () => {
  cluster = await startCluster();
  access = await connectRedis({ url: cluster.url });
});

afterAll(async () => {
  await access[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

beforeEach(() => cluster.flush());

test('nodes on a cluster find each other, share revisions and leases of streams on every shard', async () => {
  await using a = await createFleet({ access, keys, nodeId: 'a', settings: SETTINGS, log });
  await using b = await createFleet({ access, keys, nodeId: 'b', settings: SETTINGS, log });
  expect([a.self.slot, b.self.slot]).toEqual([0, 1]);
  await waitFor(() => a.consumers().length === 2, { what: 'a sees b' });
  await Promise.all([a.reportRevision(2), b.reportRevision(2)]);
  expect(await a.waitForRevision(2, 2_000)).toEqual([]);
  const leases = [a, b].map((fleet) => createStreamLeases({ access, keys, fleet }));
  for (let stream = 0; stream < 12; stream++) {
    const answers = await Promise.all(leases.map((table) => table.acquire(ID, `s:${stream}`)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  }
});

test('jobs and commands pass over a cluster', async () => {
  const options = { access, keys, settings: SETTINGS, concurrency: 5, log };
  await using asking = createAsyncQueue(options);
  await using working = createAsyncQueue(options);
  const seen: string[] = [];
  working.start({
    runEntries: async (job) => void seen.push(...job.ids),
    runCommand: async (job) => `+${job.trigger}\r\n`,
  });
  const job = { kind: 'entries', registrationId: ID, stream: 's:1', readBy: 'n0', round: 1 } as const;
  await asking.addEntries([
    { ...job, ids: ['1-0'] },
    { ...job, ids: ['2-0'] },
  ]);
  const command = { kind: 'command', callId: 'n0:1', trigger: 'greet', args: '' } as const;
  expect(await asking.runCommand(command, 10_000)).toBe('+greet\r\n');
  await waitFor(() => seen.length === 2, { what: 'both jobs' });
});

test('counters, logs and dead letters of all shards come together', async () => {
  await using journal = createJournal({ access, keys, caps: { logLines: 100 }, log, flushMs: 20 });
  journal.count(ID, { triggered: 2, success: 1 });
  journal.log({ functionName: 'f', version: 1, level: 'notice', message: 'hello' });
  const letters = createDeadLetters({ access, keys });
  for (let stream = 0; stream < 6; stream++) {
    const name = `s:${stream}`;
    const tag = access.tagOf(name);
    await access.client.sadd(keys.registrationIndex, ID);
    await access.client.sadd(keys.tags(ID), tag);
    await access.client.hincrby(keys.stats(tag, ID), 'dead', 1);
    const payload = '*2\r\n$1\r\nk\r\n$1\r\nv\r\n';
    await access.client.xadd(keys.dead(tag, ID), '*', 'stream', name, 'payload', payload, 'functionName', 'f');
  }
  expect((await journal.stats([ID])).get(ID)).toMatchObject({ numTriggered: 2, numSuccess: 1, dead: 6 });
  expect((await journal.logs(null, null, 10)).map((line) => line.message)).toEqual(['hello']);
  expect(await letters.redrive({})).toMatchObject({ matched: 6, redriven: 6 });
  for (let stream = 0; stream < 6; stream++) expect(await access.client.xlen(`s:${stream}`)).toBe(1);
  await journal.clearStats();
  expect((await journal.stats([ID])).get(ID)).toMatchObject({ numTriggered: 1, dead: 0 });
});
