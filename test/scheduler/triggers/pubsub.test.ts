import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ActiveRegistration, PubSubTriggerSpec } from '../../../functions/index.ts';
import type { Fleet } from '../../../scheduler/fleet/fleet.ts';
import { createPermits } from '../../../scheduler/fleet/permits.ts';
import { createStreamLeases } from '../../../scheduler/fleet/stream-leases.ts';
import { createDeadLetters } from '../../../scheduler/journal/dead-letters.ts';
import type { RunCount } from '../../../scheduler/journal/journal.ts';
import { createPubSubTrigger } from '../../../scheduler/triggers/pubsub.ts';
import type { Trigger } from '../../../scheduler/triggers/trigger.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import {
  deadLettersOf,
  endsOf,
  type Handler,
  runWith,
  startNode,
  type TestNode,
  target,
  untilEnded,
} from '../consumer/harness.ts';
import { type CapturedOverrides, captured } from './captured-harness.ts';

const ID = 'fn/pubsub/news';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(() => redis.client().flushall());

type Part = CapturedOverrides & Partial<Omit<PubSubTriggerSpec, 'kind' | 'delivery'>>;

function onChannels(part: Part, id = ID): ActiveRegistration {
  const { channels = [], patterns = [], sharded = false, durable = false, ...rest } = part;
  return captured(id, (delivery) => ({ kind: 'pubsub', channels, patterns, sharded, durable, delivery }), rest);
}

interface Listener extends AsyncDisposable {
  readonly node: TestNode;
  readonly counted: RunCount[];
  readonly trigger: Trigger;
  apply(...registrations: readonly ActiveRegistration[]): Promise<void>;
  drain(): Promise<void>;
  /** As if the process stood still: it renews nothing and does not know that it is dead. */
  freeze(): void;
  /** Resolves when it asks for its leases; they are given to it when it is told to go on. */
  atLeases(): Promise<{ goOn(): void }>;
}

async function startListener(handler: Handler, slot = 0, alive = new Set<string>()): Promise<Listener> {
  const consumer = `n${slot}`;
  const node = await startNode({ url: redis.url, slot, alive, execute: runWith(handler) });
  const counted: RunCount[] = [];
  let frozen = false;
  let gate: { readonly reached: PromiseWithResolvers<void>; readonly opened: PromiseWithResolvers<void> } | null = null;
  const fleet: Partial<Fleet> = {
    self: { nodeId: consumer, slot, consumer, token: 't' },
    holdsSlot: () => true,
    isAlive: (name) => alive.has(name),
    consumers: () => [...alive],
    refresh: async () => undefined,
    onConsumerGone: () => () => true,
  };
  const { access, keys } = node;
  const real = createStreamLeases({ access, keys, fleet: fleet as Fleet });
  const trigger = createPubSubTrigger({
    ...{ access, keys },
    fleet: fleet as Fleet,
    leases: {
      holder: real.holder,
      acquire: async (id, stream) => {
        gate?.reached.resolve();
        await gate?.opened.promise;
        return frozen || real.acquire(id, stream);
      },
      release: (id, stream) => real.release(id, stream),
    },
    execute: runWith(handler),
    loadable: async (name, version) => target(name, version),
    journal: { count: (_id, run) => counted.push(run) },
    caps: { deadLetters: 100 },
    permits: createPermits({ access, keys, fleet: fleet as Fleet, log: pino({ level: 'silent' }) }),
    ring: (stream) => node.trigger.ring(stream),
    leaseMs: 50,
    log: pino({ level: 'silent' }),
  });
  return {
    node,
    counted,
    trigger,
    async apply(...registrations) {
      await node.trigger.apply(registrations);
      await trigger.apply(registrations);
    },
    drain: () => trigger.drain(1_000),
    freeze() {
      frozen = true;
    },
    async atLeases() {
      gate = { reached: Promise.withResolvers(), opened: Promise.withResolvers() };
      await gate.reached.promise;
      return { goOn: gate.opened.resolve };
    },
    async [Symbol.asyncDispose]() {
      await trigger[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}

const texts = (seen: string[]): Handler => {
  return ({ fields: { channel, pattern, message } }) => {
    seen.push([channel, pattern, message].join('|'));
    return 'done';
  };
};

test.each(['sync', 'async_local'] as const)('messages of channels and patterns run in mode %s', async (mode) => {
  const seen: string[] = [];
  await using listener = await startListener(texts(seen));
  await listener.apply(onChannels({ channels: ['news'], patterns: ['chat:*'], mode }));
  const client = redis.client();
  for (const [channel, message] of [
    ['news', 'a'],
    ['chat:1', 'b'],
    ['other', 'c'],
    ['chat:2', 'd'],
  ] as const) {
    await client.publish(channel, message);
  }
  expect(await untilEnded(listener.node, 3, ID)).toMatchObject({ done: 3 });
  expect(seen).toEqual(['news||a', 'chat:1|chat:*|b', 'chat:2|chat:*|d']);
});

test('a message that a channel and several patterns match runs once', async () => {
  const seen: string[] = [];
  await using listener = await startListener(texts(seen));
  await listener.apply(onChannels({ channels: ['chat:1'], patterns: ['chat:*', '*:2', '*'] }));
  for (const channel of ['chat:1', 'chat:2', 'x:2', 'y']) await redis.client().publish(channel, 'm');
  await untilEnded(listener.node, 4, ID);
  expect(seen).toEqual(['chat:1||m', 'chat:2|chat:*|m', 'x:2|*:2|m', 'y|*|m']);
});

test('sharded channels are heard, plain ones of the same name are not', async () => {
  const seen: string[] = [];
  await using listener = await startListener(texts(seen));
  await listener.apply(onChannels({ channels: ['orders'], sharded: true }));
  await redis.client().publish('orders', 'plain');
  await redis.client().spublish('orders', 'sharded');
  await untilEnded(listener.node, 1, ID);
  expect(seen).toEqual(['orders||sharded']);
});

test('what comes into force while leases are being looked at is heard from then on', async () => {
  await using listener = await startListener(() => 'done');
  const news = onChannels({ channels: ['news'] });
  await listener.apply(news);
  const { goOn } = await listener.atLeases();
  const applied = listener.trigger.apply([news, onChannels({ channels: ['late'], sharded: true }, 'fn/pubsub/late')]);
  // All it does before it asks for leases itself needs no answer from anybody.
  await new Promise((resolve) => setImmediate(resolve));
  goOn();
  await applied;
  expect(await redis.client().spublish('late', 'm')).toBe(1);
});

test('a subscription that the server refuses keeps a registration from being in force, and is tried again', async () => {
  const client = redis.client();
  await client.acl('SETUSER', 'default', 'resetchannels', '&rg:*');
  try {
    await using listener = await startListener(() => 'done');
    await expect(listener.apply(onChannels({ channels: ['news'] }))).rejects.toThrow(/NOPERM/);
    await client.acl('SETUSER', 'default', 'allchannels');
    await waitFor(async () => (await client.publish('news', 'm')) > 0, { what: 'somebody listens' });
  } finally {
    await client.acl('SETUSER', 'default', 'allchannels');
  }
});

test('of three nodes one listens; another one goes on when it leaves', async () => {
  const seen: string[] = [];
  const alive = new Set<string>();
  await using first = await startListener(texts(seen), 0, alive);
  await using second = await startListener(texts(seen), 1, alive);
  await using third = await startListener(texts(seen), 2, alive);
  for (const one of [first, second, third]) await one.apply(onChannels({ channels: ['news'] }));
  const client = redis.client();
  for (let n = 0; n < 20; n += 1) await client.publish('news', `${n}`);
  await untilEnded(first.node, 20, ID);
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `news||${n}`));
  await first.drain();
  await waitFor(async () => (await client.publish('news', 'later')) > 0, { what: 'somebody listens again' });
  await waitFor(() => seen.includes('news||later'), { what: 'it has run' });
  expect(seen.filter((text) => text === 'news||later')).toHaveLength(1);
});

test('failed messages run once and are kept; redriven they run with all guarantees', async () => {
  let failing = true;
  const seen: string[] = [];
  await using listener = await startListener(({ fields }) => {
    seen.push(fields.message ?? '');
    if (failing) throw new Error('bad message');
    return 'done';
  });
  await listener.apply(onChannels({ channels: ['news'] }));
  await redis.client().publish('news', Buffer.from([0, 255, 10]));
  expect(await untilEnded(listener.node, 1, ID)).toMatchObject({ done: 0, dead: 1 });
  const [letter] = await deadLettersOf(listener.node, ID);
  expect(letter).toMatchObject({ attempts: '1', reason: 'policy', errorMessage: 'bad message' });
  expect(listener.counted).toMatchObject([{ triggered: 1, failures: 1, lastError: 'Error: bad message' }]);
  failing = false;

  const { access, keys } = listener.node;
  await createDeadLetters({ access, keys }).redrive({ registrationId: ID });
  await untilEnded(listener.node, 2, ID);
  expect(seen).toEqual(['\0\u00ff\n', '\0\u00ff\n']);
});

test('durable messages are retried, and written by one node even if another one thinks it listens', async () => {
  const runs: string[] = [];
  const alive = new Set<string>();
  const handler: Handler = ({ fields }) => {
    runs.push(fields.message ?? '');
    if (fields.message === '1' && runs.filter((one) => one === '1').length < 3) throw new Error('again');
    return 'done';
  };
  await using first = await startListener(handler, 0, alive);
  await using second = await startListener(handler, 1, alive);
  const durable = onChannels({ channels: ['news'], durable: true });
  await first.apply(durable);
  await second.apply(durable);
  const client = redis.client();
  for (let n = 0; n < 3; n += 1) await client.publish('news', `${n}`);
  expect(await untilEnded(first.node, 3, ID)).toMatchObject({ done: 3, dead: 0 });
  expect(runs.filter((one) => one === '1')).toHaveLength(3);
  first.freeze();
  alive.delete('n0');
  // Between the lease and the subscription of the second nobody hears who may write; then both do.
  const bothHear = async (): Promise<boolean> => (await client.publish('news', 'probe')) >= 2;
  await waitFor(bothHear, { what: 'both believe that they listen' });
  for (let n = 0; n < 20; n += 1) expect(await client.publish('news', `late ${n}`)).toBe(2);
  const late = (): readonly string[] => runs.filter((one) => one.startsWith('late'));
  await waitFor(() => new Set(late()).size === 20, { what: 'every message has run' });
  await untilEnded(second.node, runs.length - 2, ID);
  expect(late()).toHaveLength(20);
});

test('more messages than may be in work are dropped and counted', async () => {
  const hold = Promise.withResolvers<void>();
  await using listener = await startListener(async () => {
    await hold.promise;
    return 'done' as const;
  });
  await listener.apply(onChannels({ channels: ['news'], maxInFlight: 5 }));
  const pipeline = redis.client().pipeline();
  for (let n = 0; n < 20; n += 1) pipeline.publish('news', `${n}`);
  await pipeline.exec();
  const dropped = (): number => listener.counted.reduce((sum, { aborted = 0 }) => sum + aborted, 0);
  await waitFor(() => dropped() === 15, { what: 'fifteen are dropped' });
  hold.resolve();
  expect(await untilEnded(listener.node, 5, ID)).toMatchObject({ done: 5 });
});

test('a pattern for everything hears neither the platform nor notifications', async () => {
  const seen: string[] = [];
  const client = redis.client();
  await client.config('SET', 'notify-keyspace-events', 'KEA');
  await using listener = await startListener(texts(seen));
  await listener.apply(onChannels({ patterns: ['*'], durable: true }));
  await client.publish('rg:{registry}:changes', '7');
  await client.set('key', 'value');
  await client.publish('news', 'm');
  await untilEnded(listener.node, 1, ID);
  await listener.apply(onChannels({ patterns: ['__keyspace@0__:*'], durable: true }));
  await client.set('key', 'value');
  await client.set('rg:something', 'value');
  await waitFor(() => seen.length > 1, { what: 'the notification' });
  expect(seen).toEqual(['news|*|m', '__keyspace@0__:key|__keyspace@0__:*|set']);
  await client.config('SET', 'notify-keyspace-events', '');
});

test('pausing ends the subscription', async () => {
  await using listener = await startListener(() => 'done');
  await listener.apply(onChannels({ channels: ['news'] }));
  expect(await redis.client().publish('news', 'a')).toBe(1);
  await untilEnded(listener.node, 1, ID);
  await listener.apply();
  expect(await redis.client().publish('news', 'b')).toBe(0);
  await listener.apply(onChannels({ channels: ['news'] }));
  expect(await redis.client().publish('news', 'c')).toBe(1);
  await untilEnded(listener.node, 2, ID);
  expect((await endsOf(listener.node, ID)).done).toBe(2);
});
