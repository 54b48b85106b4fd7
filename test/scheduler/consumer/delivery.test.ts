import { expect, test } from 'vitest';
import { timeOfId } from '../../../functions/index.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  addEntries,
  endsOf,
  pendingOf,
  REGISTRATION,
  recorder,
  registration,
  runWith,
  startNode,
  untilEnded,
} from './harness.ts';

const redis = sharedRedis();

test('batch 1 sends many entries as one invocation with executions of one', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  await addEntries(node.access, 500);
  await node.trigger.apply([registration({ batch: 1 })]);
  await untilEnded(node, 500);
  // Reads ask for a hundred until it is known how large entries are.
  expect(batches.map(({ entryCount }) => entryCount)).toEqual([100, 100, 300]);
  expect(batches[2]).toMatchObject({ executionSize: 1, ordered: false, key: 's', shape: 'stream' });
});

test('without a duration an incomplete batch runs at once', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  await node.trigger.apply([registration({ batch: 100 })]);
  await addEntries(node.access, 7);
  await untilEnded(node, 7);
  expect(batches.every(({ executionSize }) => executionSize === 100)).toBe(true);
});

test('with a duration entries wait until a batch is complete or the time is over', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  await node.trigger.apply([registration({ batch: 10, durationMs: 250 })]);
  const started = performance.now();
  for (let n = 0; n < 12; n += 1) await addEntries(node.access, 1);
  await untilEnded(node, 10);
  expect(performance.now() - started).toBeLessThan(250);
  expect(batches.map(({ entryCount }) => entryCount)).toEqual([10]);
  await untilEnded(node, 12);
  expect(performance.now() - started).toBeGreaterThan(240);
  expect(batches.map(({ entryCount }) => entryCount)).toEqual([10, 2]);
});

test('no more than maxInFlight entries are in work at once', async () => {
  let inWork = 0;
  let most = 0;
  await using node = await startNode({
    url: redis.url,
    execute: async (invocation) => {
      inWork += invocation.entryCount;
      most = Math.max(most, inWork);
      await new Promise((resolve) => setImmediate(resolve));
      inWork -= invocation.entryCount;
      return runWith(() => 'done')(invocation);
    },
  });
  for (const stream of ['s:a', 's:b', 's:c']) await addEntries(node.access, 200, stream);
  await node.trigger.apply([registration({ prefix: 's:*', maxInFlight: 16 })]);
  await untilEnded(node, 600);
  expect(most).toBeLessThanOrEqual(16);
});

test('fromId $ leaves alone what was there, for streams of a prefix too', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  const ids = await addEntries(node.access, 5, 's:a');
  await waitFor(() => Date.now() > timeOfId(ids.at(-1) ?? ''), { what: 'the next millisecond', intervalMs: 1 });
  await node.trigger.apply([registration({ prefix: 's:*', fromId: '$' })]);
  await addEntries(node.access, 2, 's:a');
  await addEntries(node.access, 3, 's:new');
  await untilEnded(node, 5);
  expect(batches.reduce((sum, batch) => sum + batch.entryCount, 0)).toBe(5);
});

test('fromId with an entry id begins with that entry', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  const ids = await addEntries(node.access, 5);
  await node.trigger.apply([registration({ fromId: ids[3] as string })]);
  await untilEnded(node, 2);
  expect(batches.reduce((sum, batch) => sum + batch.entryCount, 0)).toBe(2);
});

test('entries run on the version their id belongs to', async () => {
  const versions = new Map<number, number>();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ version }) => {
      versions.set(version, (versions.get(version) ?? 0) + 1);
      return 'done';
    }),
  });
  const ids = await addEntries(node.access, 20);
  const heads = await node.trigger.heads(registration().spec);
  expect(heads).toEqual({ s: ids.at(-1) });
  await addEntries(node.access, 30);
  const routes = [
    { version: 1, madeAtMs: 1, heads: {} },
    { version: 2, madeAtMs: 2, heads },
  ];
  await node.trigger.apply([registration({ active: { version: 2, routes } })]);
  await untilEnded(node, 50);
  expect(Object.fromEntries(versions)).toEqual({ 1: 20, 2: 30 });
});

test('a rewind delivers again from its id, once per token', async () => {
  const { batches, execute } = recorder();
  await using node = await startNode({ url: redis.url, execute });
  const ids = await addEntries(node.access, 10);
  await node.trigger.apply([registration()]);
  await untilEnded(node, 10);
  const rewindTo = { id: ids[5] as string, token: 'one' };
  await node.trigger.apply([registration({ active: { rewindTo } })]);
  await untilEnded(node, 14);
  await node.trigger.apply([]);
  await node.trigger.apply([registration({ active: { rewindTo } })]);
  await addEntries(node.access, 1);
  await untilEnded(node, 15);
  expect(batches.reduce((sum, batch) => sum + batch.entryCount, 0)).toBe(15);
});

test('a paused registration takes nothing up once apply has returned, and goes on after it', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await node.trigger.apply([registration(), registration({ id: 'other', prefix: 'o' })]);
  await addEntries(node.access, 3);
  await untilEnded(node, 3);
  const started = performance.now();
  await node.trigger.apply([registration({ state: 'paused' }), registration({ id: 'other', prefix: 'o' })]);
  expect(performance.now() - started).toBeLessThan(500);
  await addEntries(node.access, 4);
  await addEntries(node.access, 4, 'o');
  await untilEnded(node, 4, 'other');
  expect(await pendingOf(node)).toBe(0);
  expect((await endsOf(node)).done).toBe(3);
  await node.trigger.apply([registration()]);
  expect(await untilEnded(node, 7)).toMatchObject({ done: 7 });
});

test('trimming waits for a foreign group', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  const { client } = node.access;
  await addEntries(node.access, 10);
  await client.xgroup('CREATE', 's', 'foreign', '0');
  await node.trigger.apply([registration({ trimStream: true })]);
  await untilEnded(node, 10);
  await client.xreadgroup('GROUP', 'foreign', 'c', 'COUNT', 6, 'STREAMS', 's', '>');
  const rows = (await client.xpending('s', 'foreign', '-', '+', 10)) as [string][];
  await client.xack('s', 'foreign', ...rows.slice(0, 4).map(([id]) => id));
  await addEntries(node.access, 1);
  await waitFor(async () => (await client.xlen('s')) === 7, { what: 'what both have acknowledged is gone' });
});

test('inspect tells state, lag and pending entries', async () => {
  await using node = await startNode({ url: redis.url, execute: () => new Promise(() => undefined) });
  await addEntries(node.access, 4);
  await node.trigger.apply([registration()]);
  await waitFor(async () => (await pendingOf(node)) === 4, { what: 'in work' });
  expect(await node.trigger.inspect()).toEqual([
    {
      ...{ registrationId: REGISTRATION, stream: 's', mode: 'async_local', state: 'ready', running: true },
      ...{ lag: 0, lagIsExact: true, pending: 4, inWork: 4, waiting: 0, due: 0 },
    },
  ]);
});

test('streams with names and registrations that are not ASCII work', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await addEntries(node.access, 5, 'größe:ж');
  await node.trigger.apply([registration({ id: 'fn/stream/größe:*', prefix: 'größe:*' })]);
  expect(await untilEnded(node, 5, 'fn/stream/größe:*')).toMatchObject({ done: 5 });
  expect(await pendingOf(node, 'größe:ж', 'fn/stream/größe:*')).toBe(0);
});

test('more registrations than blocking connections all get their entries', async () => {
  await using node = await startNode({
    url: redis.url,
    settings: { hotReaders: 2, scanIntervalMs: 50 },
    execute: runWith(() => 'done'),
  });
  const many = Array.from({ length: 12 }, (_, n) => registration({ id: `r${n}`, prefix: `p${n}` }));
  await node.trigger.apply(many);
  for (let n = 0; n < 12; n += 1) await addEntries(node.access, 50, `p${n}`);
  for (let n = 0; n < 12; n += 1) expect(await untilEnded(node, 50, `r${n}`)).toMatchObject({ done: 50 });
});

test('an entry for a registration without a connection of its own is noticed at once', async () => {
  await using node = await startNode({
    url: redis.url,
    settings: { hotReaders: 1, scanIntervalMs: 60_000 },
    execute: runWith(() => 'done'),
  });
  await node.trigger.apply(Array.from({ length: 5 }, (_, n) => registration({ id: `r${n}`, prefix: `p${n}` })));
  for (let n = 0; n < 5; n += 1) {
    await addEntries(node.access, 1, `p${n}`);
    const started = performance.now();
    await untilEnded(node, 1, `r${n}`);
    expect(performance.now() - started).toBeLessThan(1_000);
  }
});
