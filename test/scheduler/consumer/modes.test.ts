import { describe, expect, test } from 'vitest';
import { entriesJobId } from '../../../scheduler/queues/job-id.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  addEntries,
  endsOf,
  pendingOf,
  REGISTRATION,
  registration,
  runWith,
  startNode,
  untilEnded,
} from './harness.ts';

const redis = sharedRedis();

describe('what is in a stream and what comes later', () => {
  test.each(['async_local', 'sync'] as const)('runs once and is settled (%s)', async (mode) => {
    const seen: string[] = [];
    await using node = await startNode({
      url: redis.url,
      execute: runWith(({ id }) => {
        seen.push(id);
        return 'done';
      }),
    });
    const before = await addEntries(node.access, 2500);
    await node.trigger.apply([registration({ mode })]);
    await untilEnded(node, 2500);
    const after = await addEntries(node.access, 1500);
    const ends = await untilEnded(node, 4000);
    expect(ends).toEqual({ done: 4000, filtered: 0, dead: 0, expired: 0, lost: 0 });
    expect(new Set(seen)).toEqual(new Set([...before, ...after]));
    expect(seen.length).toBe(4000);
    // Batches of async_local run side by side.
    if (mode === 'sync') expect(seen).toEqual([...before, ...after]);
    expect(await pendingOf(node)).toBe(0);
  });

  test('entries that a filter refused are counted as such', async () => {
    await using node = await startNode({
      url: redis.url,
      execute: runWith(({ fields }) => (Number(fields.n) % 2 === 0 ? 'filtered' : 'done')),
    });
    await addEntries(node.access, 100);
    await node.trigger.apply([registration()]);
    expect(await untilEnded(node, 100)).toMatchObject({ done: 50, filtered: 50 });
  });

  test('async entries wait in the queue and run where the job runs', async () => {
    const seen = new Map<string, number>();
    await using node = await startNode({
      url: redis.url,
      execute: runWith(({ id }) => {
        seen.set(id, (seen.get(id) ?? 0) + 1);
        return 'done';
      }),
    });
    await addEntries(node.access, 250);
    await node.trigger.apply([registration({ mode: 'async' })]);
    await waitFor(() => node.jobs.reduce((sum, job) => sum + job.ids.length, 0) === 250, { what: 'jobs for all' });
    expect(await pendingOf(node)).toBe(250);
    expect(seen.size).toBe(0);
    const signal = new AbortController().signal;
    for (const job of [...node.jobs, ...node.jobs]) await node.trigger.runEntries(job, signal);
    expect((await endsOf(node)).done).toBe(250);
    expect([...seen.values()].every((runs) => runs === 1)).toBe(true);
  });
});

describe('a job', () => {
  test.each([undefined, 'paused'] as const)(
    'goes back to the queue from a node where its registration is not in force (%s)',
    async (state) => {
      await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
      await node.trigger.apply(state === undefined ? [] : [registration({ mode: 'async', state })]);
      const job = { kind: 'entries', registrationId: REGISTRATION, stream: 's', ids: ['1-0'], readBy: 'n7' } as const;
      const running = node.trigger.runEntries({ ...job, round: 1 }, new AbortController().signal);
      await expect(running).rejects.toMatchObject({ code: 'REGISTRATION_NOT_FOUND', retryable: true });
    },
  );

  test('of entries that are read again after a rewind is none that the queue knows', async () => {
    await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
    const ids = await addEntries(node.access, 30);
    await node.trigger.apply([registration({ mode: 'async' })]);
    await waitFor(() => node.jobs.length === 1, { what: 'the job' });
    const [first] = node.jobs;
    await node.trigger.runEntries(first as never, new AbortController().signal);
    await untilEnded(node, 30);
    const rewindTo = { id: '0-0', token: 'again' };
    await node.trigger.apply([registration({ mode: 'async', active: { rewindTo } })]);
    await waitFor(() => node.jobs.length === 2, { what: 'a job for the same entries' });
    const [, second] = node.jobs;
    expect(second?.ids).toEqual(ids);
    expect(entriesJobId(second as never)).not.toBe(entriesJobId(first as never));
  });
});

describe('streams of a prefix', () => {
  test('are found when they were there before, when they come later, and when a door tells of them', async () => {
    const seen = new Set<string>();
    await using node = await startNode({
      url: redis.url,
      settings: { scanIntervalMs: 50 },
      execute: runWith(({ stream }) => {
        seen.add(stream);
        return 'done';
      }),
    });
    await addEntries(node.access, 10, 'in:[a]');
    await addEntries(node.access, 10, 'other');
    await node.access.client.set('in:text', 'x');
    await node.trigger.apply([registration({ prefix: 'in:*' })]);
    await untilEnded(node, 10);
    await addEntries(node.access, 10, 'in:b');
    await untilEnded(node, 20);
    await addEntries(node.access, 10, 'in:c');
    node.trigger.ring('in:c');
    await untilEnded(node, 30);
    expect([...seen].sort()).toEqual(['in:[a]', 'in:b', 'in:c']);
    expect(await node.access.client.exists('in:')).toBe(0);
  });

  test('are all read, also when there are thousands of them', async () => {
    await using node = await startNode({ url: redis.url, execute: runWith(() => 'done') });
    const pipeline = node.access.client.pipeline();
    for (let n = 0; n < 2000; n += 1) pipeline.xadd(`many:${n}`, '*', 'n', '1');
    await pipeline.exec();
    await node.trigger.apply([registration({ prefix: 'many:*' })]);
    await untilEnded(node, 2000);
    const again = node.access.client.pipeline();
    for (let n = 0; n < 2000; n += 1) again.xadd(`many:${n}`, '*', 'n', '2');
    await again.exec();
    expect(await untilEnded(node, 4000)).toMatchObject({ done: 4000 });
    const clients = String(await node.access.client.client('LIST'));
    expect(clients.split('\n').filter((line) => line.includes('name=regears')).length).toBeLessThan(20);
  });

  test('a stream of another type under an exact name is tolerated until it is one', async () => {
    await using node = await startNode({
      url: redis.url,
      execute: runWith(() => 'done'),
      settings: { scanIntervalMs: 50 },
    });
    await node.access.client.set('s', 'text');
    await node.trigger.apply([registration()]);
    await node.access.client.del('s');
    await addEntries(node.access, 3);
    expect(await untilEnded(node, 3, REGISTRATION)).toMatchObject({ done: 3 });
  });
});
