import { expect, test } from 'vitest';
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
  untilEnded,
} from './harness.ts';

const redis = sharedRedis();

/** Counts runs by the field `n`. */
function counter(): { runs: Map<string, number>; hit: (n: string | undefined) => number } {
  const runs = new Map<string, number>();
  return {
    runs,
    hit(n = '') {
      runs.set(n, (runs.get(n) ?? 0) + 1);
      return runs.get(n) ?? 0;
    },
  };
}

test.each(['async_local', 'sync'] as const)('only the failed entry runs again, then ends (%s)', async (mode) => {
  const { runs, hit } = counter();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ fields }) => {
      if (hit(fields.n) < 3 && fields.n === '3') throw new Error('not yet');
      return 'done';
    }),
  });
  await addEntries(node.access, 10);
  await node.trigger.apply([registration({ mode })]);
  expect(await untilEnded(node, 10)).toMatchObject({ done: 10, dead: 0 });
  expect([...runs.values()].reduce((a, b) => a + b)).toBe(12);
  expect(await node.access.client.exists(node.keys.failures(node.access.tagOf('s'), REGISTRATION))).toBe(0);
});

test('past the cap an entry becomes a dead letter with its error, attempts and payload', async () => {
  const { runs, hit } = counter();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ fields }) => {
      if (fields.n === '1') throw new TypeError(`bad ${hit(fields.n)}`);
      return 'done';
    }),
  });
  const ids = await addEntries(node.access, 3);
  await node.trigger.apply([registration({ maxAttempts: 3 })]);
  expect(await untilEnded(node, 3)).toMatchObject({ done: 2, dead: 1 });
  const letters = await deadLettersOf(node);
  expect(letters).toMatchObject([
    { entryId: ids[1], reason: 'attempts', attempts: '3', errorMessage: 'bad 3', stream: 's' },
  ]);
  expect(letters[0]?.payload).toBe('*2\r\n$1\r\nn\r\n$1\r\n1\r\n');
  expect(runs.get('1')).toBe(3);
  expect(await pendingOf(node)).toBe(0);
});

test('policy continue makes a dead letter at the first failure', async () => {
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ fields }) => (fields.n === '0' ? 'guest' : 'done')),
  });
  await addEntries(node.access, 5);
  await node.trigger.apply([registration({ onFailedPolicy: 'continue' })]);
  expect(await untilEnded(node, 5)).toMatchObject({ done: 4, dead: 1 });
  expect(await deadLettersOf(node)).toMatchObject([{ reason: 'policy', attempts: '1' }]);
});

test.each([
  ['abort', 'boom', 'aborted'],
  ['retry', 'PAUSE upstream is down', 'paused'],
] as const)(
  'policy %s with error "%s" leaves the entry pending and stops the registration',
  async (policy, text, state) => {
    let broken = true;
    await using node = await startNode({
      url: redis.url,
      execute: runWith(({ fields }) => {
        if (fields.n === '2' && broken) throw new Error(text);
        return 'done';
      }),
    });
    await addEntries(node.access, 5);
    await node.trigger.apply([registration({ onFailedPolicy: policy })]);
    await waitFor(() => node.states.length > 0, { what: 'the registry is told' });
    expect(node.states).toEqual([{ ids: [REGISTRATION], state, reason: text }]);
    await waitFor(async () => (await endsOf(node)).done === 4, { what: 'the others are done' });
    await addEntries(node.access, 5);
    await node.trigger.apply([registration({ onFailedPolicy: policy, state })]);
    expect(await pendingOf(node)).toBeGreaterThanOrEqual(1);
    broken = false;
    await node.trigger.apply([registration({ onFailedPolicy: policy })]);
    expect(await untilEnded(node, 10)).toMatchObject({ done: 10 });
  },
);

test('in mode sync a failing entry holds up its own stream and no other', async () => {
  const order: string[] = [];
  const { hit } = counter();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ stream, fields }) => {
      order.push(`${stream}${fields.n}`);
      if (stream === 's:a' && fields.n === '1' && hit('a1') < 3) throw new Error('not yet');
      return 'done';
    }),
  });
  await addEntries(node.access, 4, 's:a');
  await addEntries(node.access, 4, 's:b');
  await node.trigger.apply([registration({ mode: 'sync', prefix: 's:*', retryIntervalMs: 30 })]);
  expect(await untilEnded(node, 8)).toMatchObject({ done: 8 });
  expect(order.filter((name) => name.startsWith('s:a'))).toEqual(['s:a0', 's:a1', 's:a1', 's:a1', 's:a2', 's:a3']);
  expect(order.indexOf('s:b3')).toBeLessThan(order.lastIndexOf('s:a1'));
});

test('a crash of a whole batch finds the culprit in small pieces and costs the others no attempt', async () => {
  const batches: number[] = [];
  const handler = runWith(() => 'done');
  await using node = await startNode({
    url: redis.url,
    execute: async (invocation) => {
      batches.push(invocation.entryCount);
      if (!invocation.payload.includes('\r\n777\r\n')) return handler(invocation);
      return runWith(() => 'crash')(invocation);
    },
  });
  await addEntries(node.access, 1000);
  await node.trigger.apply([registration({ maxAttempts: 2 })]);
  expect(await untilEnded(node, 1000)).toMatchObject({ done: 999, dead: 1 });
  expect(await deadLettersOf(node)).toMatchObject([{ attempts: '2', errorMessage: 'crash' }]);
  expect(batches.length).toBeLessThan(60);
});

test('interrupted entries run again at once and without counting', async () => {
  const { hit } = counter();
  const started = performance.now();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ fields }) => (hit(fields.n) === 1 ? 'interrupted' : 'done')),
  });
  await addEntries(node.access, 200);
  await node.trigger.apply([registration({ maxAttempts: 1 })]);
  expect(await untilEnded(node, 200)).toMatchObject({ done: 200 });
  expect(performance.now() - started).toBeLessThan(2_000);
});

test('entries older than maxAge end as expired without running', async () => {
  const seen: string[] = [];
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ id }) => {
      seen.push(id);
      return 'done';
    }),
  });
  await node.access.client.xadd('s', '1000-1', 'n', 'old');
  const [id] = await addEntries(node.access, 1);
  await node.trigger.apply([registration({ maxAgeMs: 60_000 })]);
  expect(await untilEnded(node, 2)).toMatchObject({ done: 1, expired: 1 });
  expect(seen).toEqual([id]);
});

test('a retried entry that was deleted meanwhile ends as lost to trim', async () => {
  await using node = await startNode({
    url: redis.url,
    execute: runWith(() => {
      throw new Error('broken');
    }),
  });
  const [id = ''] = await addEntries(node.access, 1);
  await node.trigger.apply([registration({ retryIntervalMs: 60 })]);
  await waitFor(async () => (await pendingOf(node)) === 1, { what: 'the entry is pending' });
  await node.access.client.xdel('s', id);
  expect(await untilEnded(node, 1)).toMatchObject({ dead: 1, lost: 1 });
  expect(await deadLettersOf(node)).toMatchObject([{ entryId: id, reason: 'lost_to_trim' }]);
});

test('what waits for a retry is told of, and apart from it what is due and cannot be had yet', async () => {
  const { hit } = counter();
  await using node = await startNode({
    url: redis.url,
    execute: runWith(({ fields }) => {
      if (fields.n === '1' && hit('1') === 1) throw new Error('not yet');
      return 'done';
    }),
  });
  const client = redis.client();
  await addEntries(node.access, 2);
  await node.trigger.apply([registration({ retryIntervalMs: 300 })]);
  await waitFor(() => node.trigger.retries().length > 0, { what: 'a failed entry' });
  expect(node.trigger.retries()).toEqual([{ registrationId: REGISTRATION, waiting: 1, due: 0 }]);
  // Claims are writes: from now on none comes through.
  await client.call('CLIENT', 'PAUSE', '20000', 'WRITE');
  await waitFor(() => node.trigger.retries()[0]?.due === 1, { what: 'a due retry' });
  expect(node.trigger.retries()).toEqual([{ registrationId: REGISTRATION, waiting: 1, due: 1 }]);
  await client.call('CLIENT', 'UNPAUSE');
  expect(await untilEnded(node, 2)).toMatchObject({ done: 2 });
  expect(node.trigger.retries()).toEqual([]);
  expect(await pendingOf(node)).toBe(0);
});
