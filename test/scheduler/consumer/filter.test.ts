import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FilterPattern } from '../../../functions/index.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { addEntries, pendingOf, registration, runWith, startNode, untilEnded } from './harness.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(async () => {
  await redis.client().flushall();
});

const HUNDREDS: FilterPattern = [[{ name: 'n', anyOf: [{ gte: 100, lt: 200 }] }]];

function filtered(overrides: Parameters<typeof registration>[0], filter: FilterPattern) {
  const active = registration(overrides);
  return { ...active, spec: { ...active.spec, flow: { filter, rate: null, concurrency: null, keyed: false } } };
}

test.each(['async_local', 'sync', 'async'] as const)(
  'entries a pattern refuses end without a run (%s)',
  async (mode) => {
    const seen: string[] = [];
    const queued: string[] = [];
    await using node = await startNode({
      url: redis.url,
      execute: runWith(({ fields }) => {
        seen.push(fields.n as string);
        return 'done';
      }),
      onJobs(jobs) {
        for (const job of jobs) {
          queued.push(...job.ids);
          void node.trigger.runEntries(job, new AbortController().signal);
        }
      },
    });
    await addEntries(node.access, 5_000);
    await node.trigger.apply([filtered({ mode }, HUNDREDS)]);
    const ends = await untilEnded(node, 5_000);
    expect(ends).toEqual({ done: 100, filtered: 4_900, dead: 0, expired: 0, lost: 0 });
    expect(new Set(seen)).toEqual(new Set(Array.from({ length: 100 }, (_, n) => String(100 + n))));
    expect(seen.length).toBe(100);
    if (mode === 'async') expect(queued.length).toBe(100);
    expect(await pendingOf(node)).toBe(0);
  },
);

test('a batch is complete when so many entries have passed', async () => {
  const sizes: number[] = [];
  await using node = await startNode({
    url: redis.url,
    execute: (invocation) => {
      sizes.push(invocation.entryCount);
      return runWith(() => 'done')(invocation);
    },
  });
  await node.trigger.apply([filtered({ batch: 50, durationMs: 60_000 }, HUNDREDS)]);
  await addEntries(node.access, 1_000);
  await untilEnded(node, 1_000);
  expect(sizes.every((size) => size % 50 === 0)).toBe(true);
});

test('what a dead node had read and not looked at ends as filtered, too', async () => {
  const alive = new Set<string>();
  const stuck = await startNode({ url: redis.url, alive, execute: () => new Promise(() => undefined) });
  await addEntries(stuck.access, 300);
  await stuck.trigger.apply([registration()]);
  await waitFor(async () => (await pendingOf(stuck)) === 300, { what: 'all is read' });
  await stuck.kill();
  await using node = await startNode({ url: redis.url, alive, slot: 1, execute: runWith(() => 'done') });
  await node.trigger.apply([filtered({}, HUNDREDS)]);
  const timer = setInterval(() => node.gone('n0'), 100);
  expect(await untilEnded(node, 300)).toMatchObject({ done: 100, filtered: 200 });
  clearInterval(timer);
});
