import { expect, test } from 'vitest';
import type { Permits } from '../../../scheduler/fleet/fleet.ts';
import { createPermitLine } from '../../../scheduler/fleet/permit-line.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  addEntries,
  pendingOf,
  type RegistrationOverrides,
  registration,
  runWith,
  startNode,
  untilEnded,
} from './harness.ts';

const redis = sharedRedis();

function limited(concurrency: number, overrides: RegistrationOverrides = {}) {
  const active = registration({ mode: 'async_local', ...overrides });
  return { ...active, spec: { ...active.spec, flow: { filter: null, rate: null, concurrency, keyed: false } } };
}

/** Permits of a fleet of one node, in memory, and how many of them are in use. */
function permitsInMemory(): Permits & { readonly used: () => number } {
  let inUse = 0;
  const line = createPermitLine({
    report: async ({ limit, used, wanted }) => {
      const taken = Math.max(0, Math.min(wanted, limit - used));
      inUse = used + taken;
      return taken;
    },
    mayAct: () => true,
    pollMs: 60_000,
    onFailed: () => undefined,
    onIdle: () => undefined,
  });
  return { take: (request) => line.take(request), used: () => inUse, [Symbol.asyncDispose]: async () => line.close() };
}

test('a batch that belongs to two versions has no more executions at once than permits', async () => {
  const permits = permitsInMemory();
  let open = 0;
  let most = 0;
  await using node = await startNode({
    url: redis.url,
    permits,
    execute: runWith(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return 'done' as const;
    }),
  });
  const ids = await addEntries(node.access, 40);
  const madeAtMs = Date.now();
  const routes = [
    { version: 1, madeAtMs, heads: {} },
    { version: 2, madeAtMs, heads: { s: ids[14] ?? '' } },
  ];
  await node.trigger.apply([limited(1, { batch: 10, active: { version: 2, routes } })]);
  expect(await untilEnded(node, 40)).toMatchObject({ done: 40 });
  expect(most).toBe(1);
  await waitFor(() => permits.used() === 0, { what: 'all permits are back' });
});

test('what waits for a permit when the registration stops stays pending, runs when it goes on, and holds nothing', async () => {
  const permits = permitsInMemory();
  const gate = Promise.withResolvers<'done'>();
  await using node = await startNode({ url: redis.url, permits, execute: runWith(() => gate.promise) });
  await node.trigger.apply([limited(1)]);
  await addEntries(node.access, 3);
  await waitFor(async () => (await pendingOf(node)) === 2, { what: 'one is at work, one waits' });
  await node.trigger.apply([limited(1, { state: 'paused' })]);
  gate.resolve('done');
  await waitFor(() => permits.used() === 0, { what: 'the permit is back' });
  await node.trigger.apply([limited(1)]);
  expect(await untilEnded(node, 3)).toMatchObject({ done: 3 });
});

test('an entry that waits for a permit until it is too old expires', async () => {
  const permits = permitsInMemory();
  const gate = Promise.withResolvers<'done'>();
  await using node = await startNode({ url: redis.url, permits, execute: runWith(() => gate.promise) });
  await node.trigger.apply([limited(1, { maxAgeMs: 300 })]);
  await addEntries(node.access, 5);
  expect(await untilEnded(node, 4)).toMatchObject({ expired: 4 });
  gate.resolve('done');
  expect(await untilEnded(node, 5)).toMatchObject({ done: 1 });
});

test('an entry that waits for its retry holds no permit', async () => {
  const permits = permitsInMemory();
  let others = 0;
  await using node = await startNode({
    url: redis.url,
    permits,
    execute: runWith(({ fields }) => {
      if (fields.n === '0') return others < 9 ? 'guest' : 'done';
      others += 1;
      return 'done';
    }),
  });
  await node.trigger.apply([limited(1, { maxAttempts: 0 })]);
  await addEntries(node.access, 10);
  expect(await untilEnded(node, 10)).toMatchObject({ done: 10 });
  await waitFor(() => permits.used() === 0, { what: 'the permit is back' });
});
