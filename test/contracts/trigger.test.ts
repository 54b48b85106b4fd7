import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TriggerSpec } from '#functions';
import { loadFunction, registrationRow, TOPOLOGIES, type Topology } from '../e2e/topology.ts';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';

/** What every kind of trigger owes its registrations, see `Trigger`; run over all kinds there are. */
interface Kind {
  /** A function that does `body` for each event. */
  source(body: string): string;
  /** Makes one event. Schedules make their own. */
  fire(world: World): Promise<unknown>;
}

interface Named extends Kind {
  /** Of its function. */
  readonly name: string;
}

interface World {
  readonly redis: Redis | Cluster;
  /** The RESP door; errors that a stopped registration answers with are no failure of who makes events. */
  readonly door: Redis;
}

/** A kind without a row does not compile. */
const KINDS: Readonly<Record<TriggerSpec['kind'] | 'pubsub, durable', Kind>> = {
  stream: {
    source: (body) => `GB('StreamReader').foreach(${body}).register({ prefix: 'c:stream' });`,
    fire: ({ redis }) => redis.xadd('c:stream', '*', 'f', 'v'),
  },
  command: {
    source: (body) => `GB('CommandReader').foreach(${body}).register({ trigger: 'c.command' });`,
    fire: ({ door }) => door.call('RG.TRIGGER', 'c.command').catch(() => null),
  },
  hook: {
    source: (body) =>
      `GB('CommandReader').foreach(${body}).map((args) => callNext(...args.slice(1)))
         .register({ hook: 'append', keyprefix: 'c:hook', mode: 'sync' });`,
    fire: ({ door }) => door.append('c:hook', 'x').catch(() => null),
  },
  keys: {
    source: (body) => `GB('KeysReader').foreach(${body}).register({ prefix: 'c:keys*', mode: 'async_local' });`,
    fire: ({ door }) => door.set('c:keys', 'v'),
  },
  list: {
    source: (body) => `GB('ListReader').foreach(${body}).register('c:list');`,
    fire: ({ redis }) => redis.lpush('c:list', 'item'),
  },
  pubsub: {
    source: (body) => `GB('PubSubReader').foreach(${body}).register({ channels: ['c:channel'] });`,
    fire: ({ redis }) => redis.publish('c:channel', 'hello'),
  },
  'pubsub, durable': {
    source: (body) => `GB('PubSubReader').foreach(${body}).register({ channels: ['c:durable'], durable: true });`,
    fire: ({ redis }) => redis.publish('c:durable', 'hello'),
  },
  schedule: {
    source: (body) => `GB('ScheduleReader').foreach(${body}).register({ every: '100ms', missed: 'skip' });`,
    fire: async () => undefined,
  },
};

const ALL: readonly Named[] = Object.entries(KINDS).map(([name, kind]) => ({
  ...kind,
  name: `kind.${name.replaceAll(/\W+/g, '-')}`,
}));

/** Registrations of another function that are served meanwhile, so many times, show that nothing comes. */
const WITNESS_ROUNDS = 5;
const WITNESS_TICKS = 3;

describe.each(Object.entries(TOPOLOGIES))('every trigger on %s', (_, start) => {
  let topology: Topology;
  let platform: PlatformProcess;
  let redis: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    redis = topology.client();
    platform = await startPlatformProcess({ redisUrl: topology.url });
    const source = `GB('StreamReader').foreach(() => execute('INCR', 'witness:ran')).register({ prefix: 'witness' });
      GB('ScheduleReader').foreach(() => execute('INCR', 'witness:ticked')).register({ every: '100ms' });`;
    await loadFunction(platform.door, 'witness', source);
  });
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });

  const runs = async (kind: Named, version: string): Promise<number> =>
    Number((await redis.hget(kind.name, version)) ?? 0);
  const load = async (kind: Named, version: string): Promise<string> => {
    const body = `async () => { await execute('HINCRBY', '${kind.name}', '${version}', 1); }`;
    return (await loadFunction(platform.door, kind.name, kind.source(body))).ids[0] ?? '';
  };
  const fire = (kind: Named): Promise<unknown> => kind.fire({ redis, door: platform.door });
  /** All kinds at once: what takes time is to see that nothing comes, and that is the same time for all. */
  const forAll = <T>(fact: (kind: Named) => Promise<T>): Promise<T[]> => Promise.all(ALL.map(fact));
  /** Makes events until that version has run another one. */
  const runsOn = async (kind: Named, version: string): Promise<void> => {
    const before = await runs(kind, version);
    const ranAgain = async (): Promise<boolean> => {
      await fire(kind);
      return (await runs(kind, version)) > before;
    };
    await waitFor(ranAgain, { what: `${kind.name}: version ${version} runs`, intervalMs: 30 });
  };
  const witness = async (): Promise<void> => {
    const count = async (key: string): Promise<number> => Number((await redis.get(key)) ?? 0);
    const ticked = (await count('witness:ticked')) + WITNESS_TICKS;
    for (let round = 0; round < WITNESS_ROUNDS; round += 1) {
      const before = await count('witness:ran');
      await redis.xadd('witness', '*', 'f', 'v');
      await waitFor(async () => (await count('witness:ran')) > before, { what: 'the witness runs' });
    }
    await waitFor(async () => (await count('witness:ticked')) >= ticked, { what: 'the witness ticks' });
  };
  /** How often each kind has run that version. */
  const counts = async (version: string): Promise<Record<string, number>> =>
    Object.fromEntries(await forAll(async (kind) => [kind.name, await runs(kind, version)]));
  const expectStandstill = async (version: string): Promise<void> => {
    await witness();
    const before = await counts(version);
    await forAll(fire);
    await witness();
    expect(await counts(version)).toEqual(before);
  };

  let ids: readonly string[] = [];

  test('runs what is in force, and after an upgrade the new version only', async () => {
    ids = await forAll((kind) => load(kind, '1'));
    await forAll((kind) => runsOn(kind, '1'));
    await forAll((kind) => load(kind, '2'));
    await forAll((kind) => runsOn(kind, '2'));
    // Events of before the upgrade may still end on the version they belong to.
    await witness();
    const before = await counts('1');
    await forAll((kind) => runsOn(kind, '2'));
    expect(await counts('1')).toEqual(before);
  });

  test('counts what it ran', async () => {
    for (const id of ids) {
      const counted = async (): Promise<boolean> =>
        Number((await registrationRow(platform.door, id)).get('numTriggered')) >= 2;
      await waitFor(counted, { what: `the counter of ${id}` });
    }
  });

  test('stands still while it is paused, and goes on when it is resumed', async () => {
    expect(await platform.door.call('RG.PAUSEREGISTRATIONS', ...ids)).toBe('OK');
    await expectStandstill('2');
    expect(await platform.door.call('RG.UNPAUSEREGISTRATIONS', ...ids)).toBe('OK');
    await forAll((kind) => runsOn(kind, '2'));
  });

  test('runs nothing when it is unregistered, and again when it is loaded', async () => {
    for (const id of ids) expect(await platform.door.call('RG.UNREGISTER', id)).toBe('OK');
    await expectStandstill('2');
    await forAll((kind) => load(kind, '2'));
    await forAll((kind) => runsOn(kind, '2'));
  });

  test('is there again after a restart of the node', async () => {
    await platform.stop();
    platform = await startPlatformProcess({ redisUrl: topology.url });
    await forAll((kind) => runsOn(kind, '2'));
  });
});
