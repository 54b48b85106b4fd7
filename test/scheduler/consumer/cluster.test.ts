import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../../support/redis-cluster.ts';
import { addEntries, deadLettersOf, registration, runWith, startNode, untilEnded } from './harness.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

test.each(['async_local', 'sync', 'async'] as const)(
  'streams on every shard are read and settled (%s)',
  async (mode) => {
    const id = `all/${mode}`;
    await using node = await startNode({
      url: cluster.url,
      onJobs: (jobs) => {
        for (const job of jobs) setImmediate(() => void node.trigger.runEntries(job, new AbortController().signal));
      },
      execute: runWith(({ fields }) => {
        if (fields.n === '7') throw new Error('seven');
        return 'done';
      }),
    });
    const streams = Array.from({ length: 20 }, (_, n) => `${mode}:${n}`);
    for (const stream of streams.slice(0, 10)) await addEntries(node.access, 20, stream);
    await node.trigger.apply([registration({ id, mode, prefix: `${mode}:*`, maxAttempts: 2 })]);
    for (const stream of streams.slice(10)) await addEntries(node.access, 20, stream);
    expect(await untilEnded(node, 400, id)).toMatchObject({ done: 380, dead: 20 });
    expect((await deadLettersOf(node, id)).length).toBe(20);
  },
);

test('a stream whose slot moves to another shard goes on there', async () => {
  await using node = await startNode({ url: cluster.url, execute: runWith(() => 'done') });
  await node.trigger.apply([registration({ id: 'moving', prefix: 'moving' })]);
  await addEntries(node.access, 50, 'moving');
  await untilEnded(node, 50, 'moving');
  const slot = node.access.slotOf('moving');
  const from = node.access.shardOf('moving').port;
  const to = cluster.primaries.find(({ port }) => port !== from);
  if (to === undefined) throw new Error('no other primary');
  await cluster.moveSlot(slot, to);
  await addEntries(node.access, 50, 'moving');
  expect(await untilEnded(node, 100, 'moving')).toMatchObject({ done: 100 });
});
