import process from 'node:process';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { waitFor, waitForCount } from '../support/wait.ts';
import { childrenOf, type Ends, endsOf, sumOf } from './flow.ts';
import {
  FAILING,
  type FeedClients,
  KINDS,
  kindsOf,
  loadKinds,
  type Mode,
  orderOf,
  seenOf,
  type TriggerKind,
} from './trigger-kinds.ts';

const FLAGS = ['--heartbeat', '100ms', '--heartbeat-timeout', '1s', '--block', '500ms', '--sandboxes', '1'];
const ROUND = 25;
const ROUNDS = 18;
const TOTAL = ROUND * ROUNDS;
const TIMEOUT_MS = 300_000;

async function feedRound(clients: FeedClients, round: number): Promise<void> {
  await Promise.all(KINDS.map((kind) => kind.feed?.(clients, round * ROUND, (round + 1) * ROUND)));
}

/** Whatever a kind needs until events reach it: every one has run a first event, with number -1. */
async function allListen({ redis, door }: FeedClients, mode: Mode): Promise<void> {
  await waitFor(
    async () => {
      const quiet: TriggerKind[] = [];
      for (const kind of kindsOf(mode)) if ((await seenOf(redis, kind)).size === 0) quiet.push(kind);
      await Promise.all(quiet.map((kind) => kind.feed?.({ redis, door }, -1, 0)));
      return quiet.length === 0;
    },
    { what: 'every trigger has run something', deadlineMs: 60_000, intervalMs: 100 },
  );
}

function firstRuns(order: readonly number[]): readonly number[] {
  return [...new Set(order)];
}

function ascending(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b);
}

describe.each(['async_local', 'sync', 'async'] as const)('sandboxes killed in full flow (mode %s)', (mode) => {
  let server: TestRedis;
  let platform: PlatformProcess;
  let redis: Redis;

  beforeAll(async () => {
    server = await startRedis();
    redis = server.client();
    await redis.config('SET', 'notify-keyspace-events', 'KEA');
    platform = await startPlatformProcess({ redisUrl: server.url, flags: FLAGS });
    await loadKinds(platform.door, mode);
    const clients = { redis, door: platform.door };
    await allListen(clients, mode);
    let killed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const feeding = feedRound(clients, round);
      if (round % 6 === 3) {
        for (const pid of await childrenOf(platform.pid)) killed += process.kill(pid, 'SIGKILL') ? 1 : 0;
      }
      await feeding;
    }
    expect(killed).toBeGreaterThanOrEqual(4);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test.each(KINDS.filter(({ feed, name }) => feed !== undefined && name !== 'plain'))(
    'every event of $name runs, and one that fails is tried again',
    { timeout: TIMEOUT_MS },
    async (kind) => {
      await waitForCount(async () => inRange(await seenOf(redis, kind)), TOTAL, {
        what: `all of ${kind.name} have run`,
      });
      const ends = await settledEnds(platform.door, kind);
      expect(ends).toMatchObject({ dead: 0, lost: 0, expired: 0 });
      expect(sumOf(ends)).toBeGreaterThanOrEqual(TOTAL);
      expect(Number(await redis.get(`tries:${kind.name}`))).toBeGreaterThanOrEqual(3);
      if (mode === 'sync') expectInOrder(await orderOf(redis, kind));
    },
  );

  test('every tick runs', { timeout: TIMEOUT_MS }, async () => {
    const ticks = KINDS.find(({ name }) => name === 'ticks') as TriggerKind;
    const last = Math.max(...(await seenOf(redis, ticks))) + 5;
    const upToLast = async (): Promise<number> => [...(await seenOf(redis, ticks))].filter((n) => n <= last).length;
    await waitForCount(upToLast, last, { what: `${last} ticks have run` });
    if (mode === 'sync') expectInOrder(await orderOf(redis, ticks));
  });

  test.skipIf(mode === 'async')(
    'a message from memory runs, or is a dead letter that says why',
    { timeout: TIMEOUT_MS },
    async () => {
      const plain = KINDS.find(({ name }) => name === 'plain') as TriggerKind;
      await waitForCount(async () => sumOf(await endsOf(platform.door, plain.id)), TOTAL, { what: 'all have ended' });
      const ends = await endsOf(platform.door, plain.id);
      expect(ends.dead).toBeGreaterThan(1);
      const letters = (await platform.door.call('RG.DEADLETTERS', 'LIST', 'REGISTRATION', plain.id)) as string[][];
      expect(JSON.stringify(letters)).toContain('sandbox process');
      expect(JSON.stringify(letters)).toContain('not yet');
      expect(await redis.hexists('seen:plain', String(FAILING))).toBe(0);
      const { '-1': _first, ...counts } = await redis.hgetall('seen:plain');
      expect(new Set(Object.values(counts))).toEqual(new Set(['1']));
    },
  );
});

test('in mode sync the order of every trigger holds when the node that runs it is killed', {
  timeout: TIMEOUT_MS,
}, async () => {
  await using server = await startRedis();
  const redis = server.client();
  await redis.config('SET', 'notify-keyspace-events', 'KEA');
  await using first = await startPlatformProcess({ redisUrl: server.url, flags: FLAGS });
  await loadKinds(first.door, 'sync');
  await allListen({ redis, door: first.door }, 'sync');
  await using second = await startPlatformProcess({ redisUrl: server.url, flags: FLAGS });
  const clients = { redis, door: second.door };
  for (let round = 0; round < ROUNDS; round += 1) {
    await feedRound(clients, round);
    if (round === ROUNDS / 3) await first.kill();
  }
  // Whoever was not listened to meanwhile is listened to again.
  await waitFor(
    async () => (await redis.publish('kept', String(TOTAL))) > 0 && (await redis.publish('told', String(TOTAL))) > 0,
    {
      what: 'somebody listens to the channels',
      deadlineMs: 60_000,
    },
  );
  await waitFor(
    async () => {
      await redis.set(`heard:${TOTAL}`, '1');
      return (await seenOf(redis, KINDS[0] as TriggerKind)).has(TOTAL);
    },
    { what: 'somebody listens to keys', deadlineMs: 60_000, intervalMs: 200 },
  );
  for (const kind of KINDS) {
    const seen = async (): Promise<number> => inRange(await seenOf(redis, kind));
    if (kind.name === 'list' || kind.name === 'door') {
      await waitForCount(seen, TOTAL, { what: `all of ${kind.name} have run` });
    }
    await settledEnds(second.door, kind);
    expectInOrder(await orderOf(redis, kind));
  }
  expect(second.log()).not.toContain('"level":60');
});

/** Take-overs and kills may repeat what was under way, in order: first runs ascend. */
function expectInOrder(order: readonly number[]): void {
  const firsts = firstRuns(order);
  expect(firsts.length).toBeGreaterThan(1);
  expect(firsts).toEqual(ascending(firsts));
}

function inRange(seen: ReadonlySet<number>): number {
  return [...seen].filter((n) => n >= 0 && n < TOTAL).length;
}

/** The ends of a kind's events, when they do not grow any more; of ticks, what they are now. */
async function settledEnds(door: Redis, kind: TriggerKind): Promise<Ends> {
  if (kind.feed === undefined) return endsOf(door, kind.id);
  let before = -1;
  return waitFor(
    async () => {
      const ends = await endsOf(door, kind.id);
      const same = sumOf(ends) === before;
      before = sumOf(ends);
      return same ? ends : null;
    },
    { what: `${kind.name} is settled`, intervalMs: 300 },
  );
}
