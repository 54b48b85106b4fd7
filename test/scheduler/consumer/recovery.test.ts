import { expect, test } from 'vitest';
import type { Invocation, Outcome } from '../../../runtime/index.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  addEntries,
  deadLettersOf,
  endsOf,
  pendingOf,
  REGISTRATION,
  registration,
  runWith,
  startNode,
  totalOf,
  untilEnded,
} from './harness.ts';

const redis = sharedRedis({ aof: true });

const never = (): Promise<Outcome> => new Promise(() => undefined);

test.each(['async_local', 'sync'] as const)(
  'a node that starts again takes up its own pending entries first (%s)',
  async (mode) => {
    const first = await startNode({ url: redis.url, execute: never });
    const ids = await addEntries(first.access, 1500);
    await first.trigger.apply([registration({ mode })]);
    await waitFor(async () => (await pendingOf(first)) > 0, { what: 'entries are pending' });
    await first.kill();
    const seen: string[] = [];
    await using again = await startNode({
      url: redis.url,
      execute: runWith(({ id }) => {
        seen.push(id);
        return 'done';
      }),
    });
    await again.trigger.apply([registration({ mode })]);
    expect(await untilEnded(again, 1500)).toMatchObject({ done: 1500 });
    expect(new Set(seen)).toEqual(new Set(ids));
    if (mode === 'sync') expect(seen).toEqual(ids);
  },
);

test.each(['async_local', 'sync', 'async'] as const)(
  'a dead node is taken over and its consumer deleted (%s)',
  async (mode) => {
    const alive = new Set<string>();
    const leases = new Map<string, string>();
    const first = await startNode({ url: redis.url, slot: 1, alive, leases, execute: never });
    const ids = await addEntries(first.access, 1200);
    await first.trigger.apply([registration({ mode })]);
    await waitFor(async () => (await pendingOf(first)) > 0, { what: 'entries are pending' });
    if (mode === 'async') {
      await waitFor(() => first.jobs.length > 0, { what: 'jobs' });
      void first.trigger.runEntries(first.jobs[0] as never, new AbortController().signal);
    }
    const seen: string[] = [];
    await using second = await startNode({
      url: redis.url,
      ...{ slot: 2, alive, leases },
      onJobs: (jobs) => {
        for (const job of jobs) void second.trigger.runEntries(job, new AbortController().signal);
      },
      execute: runWith(({ id }) => {
        seen.push(id);
        return 'done';
      }),
    });
    await second.trigger.apply([registration({ mode })]);
    await first.kill();
    const timer = setInterval(() => second.gone('n1'), 100);
    try {
      expect(await untilEnded(second, 1200)).toMatchObject({ done: 1200 });
      expect(new Set(seen)).toEqual(new Set(ids));
      if (mode === 'sync') expect(seen).toEqual(ids);
      await waitFor(() => second.forgotten.includes('n1'), { what: 'the dead node is forgotten' });
    } finally {
      clearInterval(timer);
    }
    const consumers = (await second.access.client.xinfo('CONSUMERS', 's', REGISTRATION)) as string[][];
    expect(consumers.map((row) => row[1]).filter((name) => name?.startsWith('n1'))).toEqual([]);
  },
);

test('a job of a dead node that starts again beside the one made anew of its entries takes nothing from it', async () => {
  const alive = new Set<string>();
  const first = await startNode({ url: redis.url, slot: 1, alive, execute: never });
  await addEntries(first.access, 100);
  await first.trigger.apply([registration({ mode: 'async' })]);
  await waitFor(() => first.jobs.length > 0, { what: 'jobs' });
  await using second = await startNode({ url: redis.url, slot: 2, alive, execute: runWith(() => 'done') });
  await second.trigger.apply([registration({ mode: 'async' })]);
  await first.kill();
  await waitFor(
    () => {
      second.gone('n1');
      return second.jobs.length > 0;
    },
    { what: 'jobs made anew', intervalMs: 100 },
  );
  const { signal } = new AbortController();
  // The queue gives both at once: its lock of the old job ends about when the fleet notices the death.
  for (const job of [...first.jobs, ...second.jobs]) void second.trigger.runEntries(job, signal);
  expect(await untilEnded(second, 100)).toMatchObject({ done: 100 });
});

test('entries that were trimmed while pending are reported, not lost in silence', async () => {
  const first = await startNode({ url: redis.url, execute: never });
  const ids = await addEntries(first.access, 10);
  await first.trigger.apply([registration()]);
  await waitFor(async () => (await pendingOf(first)) === 10, { what: 'all are pending' });
  await first.kill();
  await using again = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await again.access.client.xtrim('s', 'MAXLEN', 4);
  await again.trigger.apply([registration()]);
  expect(await untilEnded(again, 10)).toEqual({ done: 4, filtered: 0, dead: 6, expired: 0, lost: 6 });
  const letters = await deadLettersOf(again);
  expect(letters.map(({ entryId }) => entryId)).toEqual(ids.slice(0, 6));
});

test('a stream that was deleted and made again goes on from where it was', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await addEntries(node.access, 5);
  await node.trigger.apply([registration()]);
  await untilEnded(node, 5);
  await node.access.client.del('s');
  await addEntries(node.access, 5);
  expect(await untilEnded(node, 10)).toMatchObject({ done: 10 });
});

test('a group that was destroyed is made again at the checkpoint', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await addEntries(node.access, 5);
  await node.trigger.apply([registration()]);
  await untilEnded(node, 5);
  await node.access.client.xgroup('DESTROY', 's', REGISTRATION);
  await addEntries(node.access, 5);
  await waitFor(async () => (await endsOf(node)).done >= 10, { what: 'the new entries are done' });
  expect((await endsOf(node)).done).toBe(10);
});

test('a stream that was made again with smaller ids is read from its beginning', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await addEntries(node.access, 5);
  await node.trigger.apply([registration()]);
  await untilEnded(node, 5);
  await node.access.client.multi().del('s').xadd('s', '5-1', 'n', 'x').xadd('s', '6-1', 'n', 'y').exec();
  expect(await untilEnded(node, 7)).toMatchObject({ done: 7 });
});

test('a cut connection in the middle of a reply loses nothing and runs nothing that has ended', async () => {
  await using proxy = await startFaultProxy(redis);
  const runs = new Map<string, number>();
  await using node = await startNode({
    url: proxy.url,
    execute: runWith(({ id }) => {
      runs.set(id, (runs.get(id) ?? 0) + 1);
      return 'done';
    }),
  });
  await node.trigger.apply([registration()]);
  const client = redis.client();
  for (let round = 0; round < 5; round += 1) {
    proxy.cutAfter(20_000 + round * 7_000);
    const pipeline = client.pipeline();
    for (let n = 0; n < 2000; n += 1) pipeline.xadd('s', '*', 'n', String(n));
    await pipeline.exec();
  }
  const ends = await untilEnded({ access: { client } as never, keys: node.keys }, 10_000);
  expect(ends).toMatchObject({ done: 10_000, dead: 0 });
  expect(runs.size).toBe(10_000);
});

test('a server that falls silent is noticed and the reading goes on elsewhere', async () => {
  await using proxy = await startFaultProxy(redis);
  await using node = await startNode({
    url: proxy.url,
    settings: { blockMs: 100, readMarginMs: 300 },
    execute: runWith(() => 'done'),
  });
  await node.trigger.apply([registration()]);
  await addEntries(node.access, 3);
  await untilEnded(node, 3);
  const before = proxy.accepted;
  proxy.silence();
  await waitFor(() => proxy.accepted > before, { what: 'the reader tries a new connection' });
  proxy.heal();
  await redis.client().xadd('s', '*', 'n', 'late');
  expect(await untilEnded(node, 4)).toMatchObject({ done: 4 });
});

test('a Redis that restarts finds the reader where it was', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
  await node.trigger.apply([registration()]);
  await addEntries(node.access, 500);
  await redis.restart();
  await addEntries(redis.client() && node.access, 500);
  expect(await untilEnded(node, 1000)).toMatchObject({ done: 1000 });
});

test('nothing is taken up while the slot may be lost', async () => {
  await using node = await startNode({ url: redis.url, execute: runWith(() => 'done'), settings: { blockMs: 50 } });
  await node.trigger.apply([registration()]);
  const waiting = async (): Promise<number> =>
    Number((await node.access.client.info('clients')).match(/blocked_clients:(\d+)/)?.[1]);
  await waitFor(waiting, { what: 'a read is waiting' });
  node.holdsSlot = false;
  // Once may be between two reads, of which the second is on its way.
  let quietLooks = 0;
  await waitFor(
    async () => {
      quietLooks = (await waiting()) === 0 ? quietLooks + 1 : 0;
      return quietLooks === 5;
    },
    { what: 'no read is waiting' },
  );
  await addEntries(node.access, 20);
  expect(await pendingOf(node)).toBe(0);
  node.holdsSlot = true;
  expect(await untilEnded(node, 20)).toMatchObject({ done: 20 });
});

test('draining waits for what is in work and gives the rest back', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  await using node = await startNode({
    url: redis.url,
    execute: async (invocation: Invocation) => {
      await gate;
      return runWith(() => 'done')(invocation);
    },
  });
  await addEntries(node.access, 10);
  await node.trigger.apply([registration()]);
  await waitFor(async () => (await pendingOf(node)) === 10, { what: 'in work' });
  const drained = node.trigger.drain(5_000);
  open();
  await drained;
  expect(totalOf(await endsOf(node))).toBe(10);
  await addEntries(node.access, 5);
  await node.trigger.apply([registration()]);
  expect(await untilEnded(node, 15)).toMatchObject({ done: 15 });
});
