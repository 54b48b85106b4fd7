import { expect, test } from 'vitest';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import { addEntries, pendingOf, registration, runWith, startNode, untilEnded } from './harness.ts';

const redis = sharedRedis();

/** The load on taking up a registration fails, so that a batch has to load its version; that waits for `gate`. */
function secondLoad(gate: Promise<void>): () => Promise<void> {
  let loads = 0;
  return () => {
    loads += 1;
    return loads === 1 ? Promise.reject(new Error('not yet')) : gate;
  };
}

/** In a fleet the last read of a lost node is over before others take its streams: its wait is shorter than the heartbeat time-out. */
function onlyOneReads({ access }: Pick<Awaited<ReturnType<typeof startNode>>, 'access'>): Promise<unknown> {
  const isSo = async (): Promise<boolean> => (await access.client.info('clients')).includes('blocked_clients:1\r\n');
  return waitFor(isSo, { what: 'only one node waits for entries' });
}

test('a node that wakes up without its lease runs nothing more of a sync stream', async () => {
  const alive = new Set<string>();
  const leases = new Map<string, string>();
  const gate = Promise.withResolvers<void>();
  const seenByFirst: string[] = [];
  await using first = await startNode({
    ...{ url: redis.url, slot: 1, alive, leases },
    execute: runWith(async ({ id }) => {
      seenByFirst.push(id);
      await gate.promise;
      return 'done' as const;
    }),
  });
  const ids = await addEntries(first.access, 50);
  await first.trigger.apply([registration({ mode: 'sync', batch: 50 })]);
  await waitFor(() => seenByFirst.length === 1, { what: 'the first entry is in work' });
  first.holdsSlot = false;
  alive.delete('n1');
  const seenBySecond: string[] = [];
  await using second = await startNode({
    ...{ url: redis.url, slot: 2, alive, leases },
    execute: runWith(({ id }) => {
      seenBySecond.push(id);
      return 'done';
    }),
  });
  await second.trigger.apply([registration({ mode: 'sync', batch: 50 })]);
  await waitFor(() => seenBySecond.length === 50, { what: 'the other node has run everything' });
  alive.add('n1');
  first.holdsSlot = true;
  gate.resolve();
  await onlyOneReads(second);
  const more = await addEntries(first.access, 20);
  expect(await untilEnded(second, 70)).toMatchObject({ done: 70 });
  expect(seenBySecond).toEqual([...ids, ...more]);
  expect(seenByFirst).toEqual(ids.slice(0, 1));
});

test('a node that loses its lease while it loads a version runs nothing of that batch', async () => {
  const alive = new Set<string>();
  const leases = new Map<string, string>();
  const loaded = Promise.withResolvers<void>();
  const seenByFirst: string[] = [];
  await using first = await startNode({
    ...{ url: redis.url, slot: 1, alive, leases, beforeLoad: secondLoad(loaded.promise) },
    execute: runWith(({ id }) => {
      seenByFirst.push(id);
      return 'done';
    }),
  });
  await addEntries(first.access, 10);
  await first.trigger.apply([registration({ mode: 'sync', batch: 10 })]);
  await waitFor(async () => (await pendingOf(first)) === 10, { what: 'the entries are read' });
  first.holdsSlot = false;
  alive.delete('n1');
  await using second = await startNode({
    ...{ url: redis.url, slot: 2, alive, leases },
    execute: runWith(() => 'done'),
  });
  await second.trigger.apply([registration({ mode: 'sync', batch: 10 })]);
  expect(await untilEnded(second, 10)).toMatchObject({ done: 10 });
  loaded.resolve();
  await onlyOneReads(second);
  await addEntries(first.access, 10);
  expect(await untilEnded(second, 20)).toMatchObject({ done: 20 });
  expect(seenByFirst).toEqual([]);
});

test('a node that may act again runs what it had read while a version was loaded', async () => {
  const loaded = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using node = await startNode({
    ...{ url: redis.url, beforeLoad: secondLoad(loaded.promise) },
    execute: runWith(({ id }) => {
      seen.push(id);
      return 'done';
    }),
  });
  const ids = await addEntries(node.access, 10);
  await node.trigger.apply([registration({ mode: 'sync', batch: 10 })]);
  await waitFor(async () => (await pendingOf(node)) === 10, { what: 'the entries are read' });
  node.holdsSlot = false;
  loaded.resolve();
  // What the load goes on with comes before this.
  await node.access.client.ping();
  node.holdsSlot = true;
  expect(await untilEnded(node, 10)).toMatchObject({ done: 10 });
  expect(seen).toEqual(ids);
});

test('a node that keeps its lease goes on in order after it could not act for a while', async () => {
  const seen: string[] = [];
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ id }) => {
      seen.push(id);
      return 'done';
    }),
  });
  const ids: string[] = [];
  await node.trigger.apply([registration({ mode: 'sync', batch: 10 })]);
  for (let round = 0; round < 5; round += 1) {
    ids.push(...(await addEntries(node.access, 200)));
    await waitFor(() => seen.length > round * 100, { what: 'the flow is on' });
    node.holdsSlot = false;
    ids.push(...(await addEntries(node.access, 50)));
    node.holdsSlot = true;
  }
  expect(await untilEnded(node, 1250)).toMatchObject({ done: 1250 });
  expect([...new Set(seen)]).toEqual(ids);
});

test('who has the lease of a sync stream takes what is pending, also of a living node', async () => {
  const alive = new Set<string>();
  const leases = new Map<string, string>();
  await using first = await startNode({
    ...{ url: redis.url, slot: 1, alive, leases },
    execute: () => new Promise(() => undefined),
  });
  const ids = await addEntries(first.access, 30);
  await first.trigger.apply([registration({ mode: 'sync' })]);
  await waitFor(async () => (await pendingOf(first)) > 0, { what: 'entries are pending' });
  // The former owner's slot is leased by another process by now: the name lives, its lease does not.
  leases.clear();
  const seen: string[] = [];
  await using second = await startNode({
    ...{ url: redis.url, slot: 2, alive, leases },
    execute: runWith(({ id }) => {
      seen.push(id);
      return 'done';
    }),
  });
  await second.trigger.apply([registration({ mode: 'sync' })]);
  expect(await untilEnded(second, 30)).toMatchObject({ done: 30 });
  expect(seen).toEqual(ids);
});
