import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type ActiveRegistration,
  connectRedis,
  type RedisAccess,
  type ScheduleTriggerSpec,
} from '../../../functions/index.ts';
import { createSchedulerKeys, type SchedulerKeys } from '../../../scheduler/keys.ts';
import { createScheduleClock, type ScheduleClock } from '../../../scheduler/queues/schedule-clock.ts';
import { createScheduleTrigger } from '../../../scheduler/triggers/schedule.ts';
import type { Trigger } from '../../../scheduler/triggers/trigger.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { registration } from '../consumer/harness.ts';

const ID = 'fn/schedule/s';
const FLEET = { heartbeatMs: 100, heartbeatTimeoutMs: 600, convergeMs: 1_000 };

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(() => redis.client().flushall());

function schedule(part: Partial<ScheduleTriggerSpec>, state: ActiveRegistration['state'] = 'running') {
  const active = registration({ id: ID, state });
  const { batch, durationMs, onFailedPolicy, retryIntervalMs, maxAttempts, maxInFlight, maxAgeMs } = {
    ...(active.spec.trigger as Extract<ActiveRegistration['spec']['trigger'], { kind: 'stream' }>),
  };
  const trigger: ScheduleTriggerSpec = {
    kind: 'schedule',
    cron: null,
    timeZone: 'UTC',
    everyMs: null,
    atMs: null,
    missed: 'once',
    delivery: { batch, durationMs, onFailedPolicy, retryIntervalMs, maxAttempts, maxInFlight, maxAgeMs },
    ...part,
  };
  return { ...active, spec: { ...active.spec, trigger } };
}

interface Node extends AsyncDisposable {
  readonly trigger: Trigger;
  readonly clock: ScheduleClock;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly rings: string[];
}

async function startNode(upkeepMs = 60_000): Promise<Node> {
  const access = await connectRedis({ url: redis.url });
  const keys = createSchedulerKeys('rg:');
  const log = pino({ level: 'silent' });
  const clock = createScheduleClock({ access, keys, settings: FLEET, log });
  const rings: string[] = [];
  const trigger = createScheduleTrigger({ access, keys, clock, ring: (stream) => rings.push(stream), upkeepMs, log });
  return {
    ...{ trigger, clock, access, keys, rings },
    async [Symbol.asyncDispose]() {
      await trigger[Symbol.asyncDispose]();
      await clock[Symbol.asyncDispose]();
      await access[Symbol.asyncDispose]();
    },
  };
}

interface Tick {
  readonly schedule: string;
  readonly at: number;
  readonly tick: number;
  readonly late: number;
}

async function ticksOf({ access, keys }: Node): Promise<Tick[]> {
  const entries = await access.client.xrange(keys.captured(access.tagOf(ID), ID), '-', '+');
  return entries.map(([, list]) => {
    const fields = Object.fromEntries(
      Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]),
    );
    return {
      schedule: fields.schedule ?? '',
      at: Number(fields.at),
      tick: Number(fields.tick),
      late: Number(fields.late),
    };
  });
}

test('every tick is written once although three nodes hold the same schedule', async () => {
  await using first = await startNode();
  await using second = await startNode();
  await using third = await startNode();
  const nodes = [first, second, third];
  await Promise.all(nodes.map(({ trigger }) => trigger.apply([schedule({ everyMs: 100, missed: 'all' })])));
  await waitFor(async () => (await ticksOf(first)).length >= 10, { what: 'ten ticks' });
  const ticks = await ticksOf(first);
  const times = ticks.map(({ at }) => at);
  expect(new Set(times).size).toBe(times.length);
  expect(times).toEqual(times.map((_, n) => (times[0] ?? 0) + n * 100));
  expect(ticks.map(({ tick }) => tick)).toEqual(ticks.map((_, n) => n + 1));
  expect(ticks.every(({ schedule: id, late }) => id === ID && late < 2_000)).toBe(true);
  expect(nodes.flatMap(({ rings }) => rings).length).toBeGreaterThan(0);
});

test('nodes may set one schedule at the same time, also while it rings', async () => {
  await using first = await startNode();
  await using second = await startNode();
  await using third = await startNode();
  const often = { cron: null, timeZone: 'UTC', everyMs: 2, atMs: null };
  // Whether one of them meets a ring under way is up to chance: of so many rounds, in most runs of this test some do.
  for (let round = 0; round < 200; round += 1) {
    const id = `fn/schedule/${round}`;
    await Promise.all([first, second, third].map(({ clock }) => clock.set(id, often)));
    await first.clock.remove(id);
  }
});

test('a single time runs once, also when it has passed, and not again on another start', async () => {
  const atMs = Date.now() - 60_000;
  {
    await using node = await startNode();
    await node.trigger.apply([schedule({ atMs })]);
    expect(await ticksOf(node)).toMatchObject([{ at: atMs, tick: 1 }]);
  }
  await using node = await startNode();
  await node.trigger.apply([schedule({ atMs })]);
  const soon = Date.now() + 150;
  expect(await ticksOf(node)).toHaveLength(1);
  await node.trigger.apply([schedule({ atMs: soon })]);
  await waitFor(async () => (await ticksOf(node)).length === 2, { what: 'the other time' });
  expect((await ticksOf(node))[1]).toMatchObject({ at: soon, tick: 2 });
});

test('a passed time with missed: skip never runs', async () => {
  await using node = await startNode();
  await node.trigger.apply([schedule({ atMs: Date.now() - 60_000, missed: 'skip' })]);
  expect(await ticksOf(node)).toEqual([]);
});

test('ticks that came due while nobody ran follow the missed policy', async () => {
  for (const [missed, count] of [
    ['all', 3],
    ['once', 1],
  ] as const) {
    await redis.client().flushall();
    await using node = await startNode();
    const hourly = schedule({ cron: '0 * * * *', missed });
    await node.trigger.apply([hourly]);
    const state = node.keys.schedule(node.access.tagOf(ID), ID);
    const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
    await node.access.client.hset(state, 'last', hour - 3 * 3_600_000);
    await node.trigger.apply([hourly]);
    const ticks = await ticksOf(node);
    expect(ticks).toHaveLength(count);
    expect(ticks.at(-1)?.at).toBe(hour);
    expect(ticks[0]?.late).toBeGreaterThan(0);
  }
});

test('a paused schedule stands still; the clock forgets it', async () => {
  await using node = await startNode();
  await node.trigger.apply([schedule({ everyMs: 100 })]);
  await waitFor(async () => (await ticksOf(node)).length >= 2, { what: 'two ticks' });
  await node.trigger.apply([schedule({ everyMs: 100 }, 'paused')].filter(({ state }) => state === 'running'));
  expect(await node.clock.known()).toEqual([]);
  const before = (await ticksOf(node)).length;
  // By the server's clock ten ticks would be due and over.
  const dueMs = (Number((await node.access.client.time())[0]) + 2) * 1_000;
  await waitFor(async () => Number((await node.access.client.time())[0]) * 1_000 >= dueMs, { what: 'a whole second' });
  expect((await ticksOf(node)).length - before).toBeLessThanOrEqual(1);
  await node.trigger.apply([schedule({ everyMs: 100 })]);
  await waitFor(async () => (await ticksOf(node)).length >= before + 3, { what: 'it goes on' });
});

test('a schedule whose job was lost gets it back, and nothing is missed', async () => {
  await using node = await startNode(50);
  await node.trigger.apply([schedule({ everyMs: 100, missed: 'all' })]);
  await waitFor(async () => (await ticksOf(node)).length >= 2, { what: 'two ticks' });
  const lost = await node.access.client.keys('rg:{queue}:schedules:*');
  await node.access.client.del(...lost);
  const before = (await ticksOf(node)).length;
  await waitFor(async () => (await ticksOf(node)).length >= before + 5, { what: 'five more ticks' });
  const times = (await ticksOf(node)).map(({ at }) => at);
  expect(times).toEqual(times.map((_, n) => (times[0] ?? 0) + n * 100));
});
