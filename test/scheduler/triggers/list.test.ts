import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ActiveRegistration, ListTriggerSpec } from '../../../functions/index.ts';
import { createDeadLetters } from '../../../scheduler/journal/dead-letters.ts';
import { createListTrigger, type ListTrigger } from '../../../scheduler/triggers/list.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  deadLettersOf,
  endsOf,
  type Handler,
  runWith,
  startNode,
  type TestNode,
  untilEnded,
} from '../consumer/harness.ts';
import { type CapturedOverrides, captured } from './captured-harness.ts';

const ID = 'fn/list/jobs';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(() => redis.client().flushall());

function list(
  lists: readonly string[],
  overrides: CapturedOverrides & Partial<ListTriggerSpec> & { readonly id?: string } = {},
) {
  const { from = 'right', id = ID, ...rest } = overrides;
  return captured(id, (delivery) => ({ kind: 'list', lists, from, delivery }), rest);
}

interface ListNode extends AsyncDisposable {
  readonly node: TestNode;
  readonly lists: ListTrigger;
  apply(...registrations: readonly ActiveRegistration[]): Promise<void>;
  kill(): Promise<void>;
}

interface Shared {
  readonly alive: Set<string>;
  readonly leases: Map<string, string>;
}

async function startLists(handler: Handler, slot = 0, shared?: Shared): Promise<ListNode> {
  const gone = new Set<(consumer: string) => void>();
  let lists: ListTrigger | null = null;
  const node = await startNode({
    url: redis.url,
    slot,
    ...shared,
    execute: runWith(handler),
    onSettled: (id) => lists?.onSettled(id),
  });

  lists = createListTrigger({
    access: node.access,
    keys: node.keys,
    fleet: {
      consumers: () => [...(shared?.alive ?? ['n0'])],
      onConsumerGone(listener) {
        gone.add(listener);
        return () => gone.delete(listener);
      },
    },
    ringStream: (stream) => node.trigger.ring(stream),
    waitingOf: (id) => node.trigger.waiting(id),
    log: pino({ level: 'silent' }),
  });
  const trigger = lists;
  return {
    node,
    lists: trigger,
    async apply(...registrations) {
      await node.trigger.apply(registrations);
      await trigger.apply(registrations);
    },
    async kill() {
      await trigger[Symbol.asyncDispose]();
      await node.kill();
    },
    async [Symbol.asyncDispose]() {
      await trigger[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

test.each(['sync', 'async_local'] as const)(
  'items pushed before and after run once each, in order (%s)',
  async (mode) => {
    const seen: string[] = [];
    await using lists = await startLists(({ fields }) => {
      seen.push(`${fields.key}:${fields.value}`);
      return 'done';
    });
    const client = redis.client();
    for (let n = 0; n < 50; n += 1) await client.lpush('jobs', `before${n}`);
    await lists.apply(list(['jobs'], { mode }));
    await untilEnded(lists.node, 50, ID);
    for (let n = 0; n < 50; n += 1) await client.lpush('jobs', `after${n}`);
    expect((await untilEnded(lists.node, 100, ID)).done).toBe(100);
    const expected = ['before', 'after'].flatMap((name) => Array.from({ length: 50 }, (_, n) => `jobs:${name}${n}`));
    expect(mode === 'sync' ? seen : seen.sort()).toEqual(mode === 'sync' ? expected : expected.sort());
    expect(await client.llen('jobs')).toBe(0);
  },
);

test('an item pushed to a waiting list runs within milliseconds', async () => {
  let ran: (atMs: number) => void = () => undefined;
  await using lists = await startLists(() => {
    ran(performance.now());
    return 'done';
  });
  await lists.apply(list(['jobs']));
  const delays: number[] = [];
  for (let n = 0; n < 20; n += 1) {
    const running = new Promise<number>((resolve) => {
      ran = resolve;
    });
    const pushedMs = performance.now();
    await redis.client().lpush('jobs', 'x');
    delays.push((await running) - pushedMs);
  }
  delays.sort((a, b) => a - b);
  expect(delays[10]).toBeLessThan(50);
});

test('items of the first list overtake those of later ones', async () => {
  const seen: string[] = [];
  const hold = Promise.withResolvers<void>();
  await using lists = await startLists(async ({ fields }) => {
    seen.push(fields.key ?? '');
    if (seen.length === 1) await hold.promise;
    return 'done' as const;
  });
  const client = redis.client();
  await client.lpush('low', ...Array.from({ length: 10 }, (_, n) => `${n}`));
  await lists.apply(list(['high', 'low'], { maxInFlight: 1 }));
  await waitFor(() => seen.length === 1, { what: 'the first item is in work' });
  await client.lpush('high', ...Array.from({ length: 10 }, (_, n) => `${n}`));
  hold.resolve();
  await untilEnded(lists.node, 20, ID);
  expect(seen).toEqual(['low', ...Array(10).fill('high'), ...Array(9).fill('low')]);
});

test('taken from the left, a list is a queue for RPUSH', async () => {
  const seen: string[] = [];
  await using lists = await startLists(({ fields }) => {
    seen.push(fields.value ?? '');
    return 'done';
  });
  await redis.client().rpush('jobs', 'a', 'b', 'c');
  await lists.apply(list(['jobs'], { from: 'left', mode: 'sync' }));
  await untilEnded(lists.node, 3, ID);
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('binary items survive, also as dead letters that are put back', async () => {
  const item = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
  let failing = true;
  const seen: string[] = [];
  await using lists = await startLists(({ fields }) => {
    if (failing) throw new Error('not yet');
    seen.push(fields.value ?? '');
    return 'done';
  });
  await redis.client().lpush('jobs', item);
  await lists.apply(list(['jobs']));
  expect((await untilEnded(lists.node, 1, ID)).dead).toBe(1);
  const [letter] = await deadLettersOf(lists.node, ID);
  expect(letter).toMatchObject({ attempts: '3', reason: 'attempts', errorMessage: 'not yet' });
  failing = false;
  const { access, keys } = lists.node;
  const redriven = await createDeadLetters({ access, keys }).redrive({ registrationId: ID });
  expect(redriven).toMatchObject({ matched: 1, redriven: 1 });
  expect((await untilEnded(lists.node, 2, ID)).done).toBe(1);
  expect(seen).toEqual([item.toString('latin1')]);
  expect(await deadLettersOf(lists.node, ID)).toEqual([]);
});

test('a redriven item lies at the end of its list', async () => {
  await using lists = await startLists(() => {
    throw new Error('never');
  });
  await redis.client().lpush('jobs', 'bad');
  await lists.apply(list(['jobs'], { maxAttempts: 1 }));
  await untilEnded(lists.node, 1, ID);
  await lists.apply();
  await redis.client().lpush('jobs', 'other');
  const { access, keys } = lists.node;
  await createDeadLetters({ access, keys }).redrive({});
  expect(await redis.client().lrange('jobs', 0, -1)).toEqual(['bad', 'other']);
});

test('a failing item is retried alone; the others go on', async () => {
  const runs = new Map<string, number>();
  await using lists = await startLists(({ fields: { value = '' } }) => {
    runs.set(value, (runs.get(value) ?? 0) + 1);
    if (value === '3' && runs.get(value) === 1) throw new Error('once');
    return 'done';
  });
  await lists.apply(list(['jobs'], { batch: 5 }));
  for (let n = 0; n < 10; n += 1) await redis.client().lpush('jobs', `${n}`);
  expect(await untilEnded(lists.node, 10, ID)).toMatchObject({ done: 10, dead: 0 });
  expect(Object.fromEntries(runs)).toMatchObject({ 3: 2, 4: 1, 9: 1 });
});

test('a paused registration leaves the list alone', async () => {
  await using lists = await startLists(() => 'done');
  const other = list(['others'], { id: 'fn/list/others' });
  await lists.apply(list(['jobs']), other);
  await lists.apply(list(['jobs'], { state: 'paused' }), other);
  await redis.client().lpush('jobs', 'a', 'b');
  // Meanwhile a list beside it is served from its push to the end, time and again.
  for (let served = 1; served <= 5; served += 1) {
    await redis.client().lpush('others', 'x');
    await untilEnded(lists.node, served, 'fn/list/others');
  }
  expect(await redis.client().llen('jobs')).toBe(2);
  await lists.apply(list(['jobs']), other);
  expect((await untilEnded(lists.node, 2, ID)).done).toBe(2);
});

test('a key that is no list is left alone until it is one', async () => {
  await using lists = await startLists(() => 'done');
  await redis.client().set('jobs', 'text');
  await lists.apply(list(['jobs']));
  await redis.client().del('jobs');
  await redis.client().lpush('jobs', 'a');
  expect((await untilEnded(lists.node, 1, ID)).done).toBe(1);
});

test('what a dead node had taken from the list is run by another one; nothing is lost', async () => {
  const shared: Shared = { alive: new Set(['n0', 'n1']), leases: new Map() };
  const seen = new Set<string>();
  const first = await startLists(() => new Promise(() => undefined), 0, shared);
  await first.apply(list(['jobs']));
  for (let n = 0; n < 100; n += 1) await redis.client().lpush('jobs', `${n}`);
  await waitFor(async () => (await redis.client().llen('jobs')) === 0, { what: 'all is taken' });
  await using second = await startLists(
    ({ fields }) => {
      seen.add(fields.value ?? '');
      return 'done';
    },
    1,
    shared,
  );
  await second.apply(list(['jobs']));
  await redis.client().lpush(second.node.keys.inbox('06S', ID, 'jobs'), 'left in the inbox');
  await first.kill();
  await waitFor(
    async () => {
      second.node.gone('n0');
      return (await endsOf(second.node, ID)).done >= 101;
    },
    { what: 'the second node has run all', intervalMs: 50 },
  );
  expect(await endsOf(second.node, ID)).toMatchObject({ done: 101 });
  expect(seen.size).toBe(101);
});

test('a long list never makes a long stream', async () => {
  let longest = 0;
  await using lists = await startLists(() => 'done');
  const client = redis.client();
  const stream = lists.node.keys.items('06S', ID);
  const items = Array.from({ length: 1_000 }, (_, n) => `item ${n}`);
  for (let n = 0; n < 30; n += 1) await client.lpush('jobs', ...items);
  await lists.apply(list(['jobs'], { batch: 100, maxInFlight: 1_000 }));
  await waitFor(
    async () => {
      const group = ((await client.xinfo('GROUPS', stream).catch(() => [])) as unknown[][])[0];
      longest = Math.max(longest, Number(group?.[5] ?? 0) + Number(group?.at(-1) ?? 0));
      return (await endsOf(lists.node, ID)).done === 30_000;
    },
    { what: 'all items have run' },
  );
  expect(longest).toBeLessThanOrEqual(1_000);
  await waitFor(async () => (await client.xlen(stream)) === 0, { what: 'the stream is trimmed' });
});
