import type { Cluster, Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ABSENT_NAMES, GUEST_NAMES } from '../../../scheduler/client/guest-names.ts';
import { GearsRemoteBuilder, RemoteError } from '../../../scheduler/client/index.ts';
import { TOPOLOGIES, type Topology } from '../../e2e/topology.ts';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';
import { waitFor } from '../../support/wait.ts';

/** Data set P of the reference's worked examples. */
const PERSONS = [
  ['Rick Sanchez', 70],
  ['Morty Smith', 14],
  ['Summer Smith', 17],
  ['Beth Smith', 35],
  ['Shrimply Pibbles', 87],
] as const;

type Person = KeyRecord<{ readonly name: string; readonly age: string }>;

const byNumber = (a: number, b: number): number => a - b;
const pairs = <Value>(groups: readonly { readonly key: string; readonly value: Value }[]): Record<string, Value> =>
  Object.fromEntries(groups.map(({ key, value }) => [key, value]));

describe.each(Object.entries(TOPOLOGIES))('a remote builder on %s', (_, start) => {
  let topology: Topology;
  let platform: PlatformProcess;
  let client: Redis | Cluster;
  let redis: Redis;

  beforeAll(async () => {
    topology = await start();
    platform = await startPlatformProcess({ redisUrl: topology.url });
    client = topology.client();
    redis = platform.door;
  });
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    for (const node of nodes) {
      for (const key of await node.keysBuffer('*')) if (!key.toString().startsWith('rg:')) await node.del(key);
    }
    for (const [at, [name, age]] of PERSONS.entries()) await client.hset(`person:${at + 1}`, { name, age });
  });

  const persons = () => new GearsRemoteBuilder(redis, 'KeysReader');
  const ages = () => persons().map((r: Person) => Number(r.value.age));
  const names = () => persons().map((r: Person) => r.value.name);
  const resultsOf = async <Result>(run: Promise<{ results: readonly Result[]; errors: readonly RemoteError[] }>) => {
    const { results, errors } = await run;
    expect(errors).toEqual([]);
    return results;
  };

  test('records of keys arrive as they are', async () => {
    const results = await resultsOf(persons().run('person:*'));
    expect(results.find(({ key }) => key === 'person:1')).toEqual({
      key: 'person:1',
      type: 'hash',
      value: { name: 'Rick Sanchez', age: '70' },
      event: null,
    });
    expect(results.length).toBe(5);
  });

  test('bytes stay bytes', async () => {
    await client.set('image', Buffer.from([0, 255, 13, 10, 128]));
    const images = persons().map((r): Uint8Array => r.value);
    expect(await resultsOf(images.run('image'))).toEqual([new Uint8Array([0, 255, 13, 10, 128])]);
  });

  test('map, filter, flatmap, foreach, limit, collect', async () => {
    expect((await resultsOf(ages().run('person:*'))).toSorted(byNumber)).toEqual([14, 17, 35, 70, 87]);
    const grown = ages().filter((age) => age > 18);
    expect((await resultsOf(grown.run('person:*'))).toSorted(byNumber)).toEqual([35, 70, 87]);
    const words = names().flatmap((name) => name.split(' '));
    expect((await resultsOf(words.run('person:*'))).length).toBe(10);
    const stored = persons().foreach((r) => execute('SET', `seen:${r.key}`, 1));
    expect((await resultsOf(stored.run('person:*'))).length).toBe(5);
    expect(await client.get('seen:person:3')).toBe('1');
    expect(await resultsOf(names().collect().limit(2, 1).run('person:*'))).toHaveLength(2);
  });

  test('accumulate, aggregate, count, avg, sort, distinct', async () => {
    expect(await resultsOf(ages().aggregate(0, Math.max, Math.max).run('person:*'))).toEqual([87]);
    expect(await resultsOf(persons().count().run('person:*'))).toEqual([5]);
    expect(await resultsOf(ages().avg().run('person:*'))).toEqual([44.6]);
    expect(
      await resultsOf(
        persons()
          .avg((r) => r.value.age)
          .run('person:*'),
      ),
    ).toEqual([44.6]);
    expect(await resultsOf(ages().sort().run('person:*'))).toEqual([14, 17, 35, 70, 87]);
    expect(
      await resultsOf(
        ages()
          .sort({ comparator: (a, b) => b - a })
          .run('person:*'),
      ),
    ).toEqual([87, 70, 35, 17, 14]);
    const families = names().map((name) => name.split(' ')[1] ?? '');
    expect((await resultsOf(families.distinct().run('person:*'))).toSorted()).toEqual(['Pibbles', 'Sanchez', 'Smith']);
    const sum = ages()
      .collect()
      .accumulate((total: number | null, age) => (total ?? 0) + age);
    expect(await resultsOf(sum.run('person:*'))).toEqual([223]);
  });

  test('countby, groupby, localgroupby, aggregateby, batchgroupby, repartition', async () => {
    const expected = { Smith: 3, Sanchez: 1, Pibbles: 1 };
    const families = () => names().map((name) => name.split(' ')[1] ?? '');
    expect(pairs(await resultsOf(families().countby().run('person:*')))).toEqual(expected);
    expect(
      pairs(
        await resultsOf(
          names()
            .countby((name) => name.split(' ')[1])
            .run('person:*'),
        ),
      ),
    ).toEqual(expected);
    const grouped = families().groupby(
      (f) => f,
      (_key, n: number | null) => (n ?? 0) + 1,
    );
    expect(pairs(await resultsOf(grouped.run('person:*')))).toEqual(expected);
    const local = families()
      .collect()
      .localgroupby(
        (f) => f,
        (_key, n: number | null) => (n ?? 0) + 1,
      );
    expect(pairs(await resultsOf(local.run('person:*')))).toEqual(expected);
    const batches = families().batchgroupby(
      (f) => f,
      (_key, all) => all.length,
    );
    expect(pairs(await resultsOf(batches.run('person:*')))).toEqual(expected);
    const sums = families().aggregateby(
      (f) => f,
      0,
      (_key, n) => n + 1,
      (_key, n, m) => n + m,
    );
    expect(pairs(await resultsOf(sums.run('person:*')))).toEqual(expected);
    const moved = names()
      .repartition((name) => name)
      .foreach((name) => execute('SET', name, 'here'));
    expect((await resultsOf(moved.run('person:*'))).length).toBe(5);
    expect(await client.get('Beth Smith')).toBe('here');
  });

  test('every reader of runs, with its arguments', async () => {
    const ids = [await client.xadd('log', '*', 'n', '1'), await client.xadd('log', '*', 'n', '2')];
    const values = (r: StreamRecord): string | undefined => r.value.n;
    const stream = new GearsRemoteBuilder(redis, 'StreamReader').map(values);
    expect(await resultsOf(stream.run('log'))).toEqual(['1', '2']);
    const behind = new GearsRemoteBuilder(redis, 'StreamReader').map(values);
    expect(await resultsOf(behind.run('log', { fromId: ids[0] ?? '' }))).toEqual(['2']);
    const keys = new GearsRemoteBuilder(redis, 'KeysOnlyReader');
    expect((await resultsOf(keys.run({ pattern: 'person:*', count: 2 }))).toSorted()).toEqual(
      PERSONS.map((_person, at) => `person:${at + 1}`),
    );
    expect(await resultsOf(persons().run('person:1', { noScan: true, readValue: false }))).toEqual([
      { key: 'person:1', event: null },
    ]);
    const numbers = new GearsRemoteBuilder(redis, 'GeneratorReader').map((n: number) => n * 2);
    const most = 3;
    const source = function* () {
      for (let n = 0; n < most; n += 1) yield n;
    };
    const made = await resultsOf(numbers.with({ most }).run(source, { mode: 'async_local' }));
    expect(made.toSorted(byNumber)).toEqual([0, 2, 4]);
    const preset = new GearsRemoteBuilder(redis, 'PythonReader', () => [1, 2]).count();
    expect(await resultsOf(preset.run({ mode: 'async_local' }))).toEqual([2]);
    const shards = await resultsOf(new GearsRemoteBuilder(redis, 'ShardsIDReader').run());
    expect(shards).toHaveLength('nodes' in client ? 3 : 1);
  });

  test('names that functions may use are those that a sandbox has', async () => {
    const names = new GearsRemoteBuilder(redis, 'ShardsIDReader').map(() => Object.getOwnPropertyNames(globalThis));
    const [found = []] = await resultsOf(names.run());
    expect(found.filter((name) => !ABSENT_NAMES.has(name)).toSorted()).toEqual([...GUEST_NAMES].toSorted());
  });

  test('names from outside are refused with all steps that use them, and nothing is sent', async () => {
    const least = 18;
    const rates = { a: 1 };
    const before = (await redis.call('RG.DUMPEXECUTIONS')) as unknown[];
    const plan = ages()
      .filter((age) => age > least)
      .aggregate(0, Math.max, (a, b) => Math.max(a, b, rates.a, least));
    const { error } = await plan.run('person:*', { unblocking: true }).then(
      () => ({ error: undefined }),
      (reason: unknown) => ({ error: reason }),
    );
    expect(error).toMatchObject({
      code: 'CLOSURE_REFUSED',
      step: { number: 2 },
      details: { names: ['least', 'rates'] },
    });
    expect((error as Error).message).toMatch(
      /^step 2 \(filter\) uses least \(at 1:\d+\); step 3 \(aggregate\) uses rates \(at .*\), least \(at .*with \.with\(\{ least, rates \}\)/,
    );
    expect(((await redis.call('RG.DUMPEXECUTIONS')) as unknown[]).length).toBe(before.length);
    expect(await resultsOf(plan.with({ least, rates }).run('person:*'))).toEqual([87]);
  });

  test('values given to with are found by all steps, also those before', async () => {
    const least = 18;
    const suffix = { of: ["'; throw 1; //\u2028", new Uint8Array([0, 255, 13, 10])], ['__proto__']: 1 } as const;
    const marked = ages()
      .filter((age) => age > least)
      .with({ least, suffix })
      .map((age) => [age, suffix])
      .sort();
    expect((await resultsOf(marked.run('person:*')))[0]).toEqual([35, suffix]);
  });

  test('functions given to with are sent as their source; within a value they are refused', async () => {
    const least = 18;
    const isGrown = (age: number): boolean => age > least;
    const marked = async (age: number): Promise<string> => `${await execute('ECHO', 'grown')} ${age}`;
    const plan = ages()
      .filter((age) => isGrown(age))
      .map((age) => marked(age))
      .sort();
    await expect(plan.with({ isGrown, marked }).run('person:*')).rejects.toMatchObject({
      code: 'CLOSURE_REFUSED',
      details: { names: ['least'] },
    });
    expect((await resultsOf(plan.with({ least }).run('person:*')))[0]).toEqual('grown 35');
    expect(() => ages().with({ tools: { isGrown } })).toThrow(
      expect.objectContaining({
        code: 'VALUE_UNSENDABLE',
        message: expect.stringContaining('with: tools.isGrown is a function, which has no name of its own'),
      }),
    );
    const broken = (age: number): never => {
      throw new RangeError(`no ${age}`);
    };
    const { errors } = await ages()
      .map((age) => broken(age))
      .with({ broken })
      .run('person:1');
    expect(errors[0]).toMatchObject({
      step: { operation: 'with.broken' },
      message: expect.stringMatching(/^RangeError: no \d+ \(with\.broken at 2:\d+: throw/),
    });
  });

  test('what functions throw comes as errors with code, step and position', async () => {
    const failing = persons()
      .map((r) => r.value.age)
      .map((age) => {
        if (age === '87') throw new TypeError('too\nold');
        return Number(age);
      });
    const { results, errors } = await failing.run('person:*');
    // An error ends the reading of its shard, so how many others are there depends on their order.
    expect(results).not.toContain(87);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(RemoteError);
    expect(errors[0]).toMatchObject({
      code: 'GUEST_ERROR',
      step: { number: 2, operation: 'map' },
      position: { line: 2 },
      message: expect.stringMatching(/^TypeError: too\nold \(step 2 \(map\) at 2:\d+: .*throw new TypeError/),
    });
  });

  test('a result that cannot be sent is an error of run; a refused command keeps its code', async () => {
    const { errors } = await persons()
      .map((r) => ({ r, f: () => 1 }))
      .run('person:1');
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^TypeError: the result\.f is a function, which cannot be sent \(run at /),
    ]);
    const forbidden = await persons()
      .foreach(() => execute('SHUTDOWN'))
      .run('person:1');
    expect(forbidden.errors).toMatchObject([{ code: 'COMMAND_FORBIDDEN' }]);
  });

  test('a wrong argument is an error that names the step', async () => {
    const misspelt = persons()
      .count()
      .run('person:*', { conut: 1 } as never);
    await expect(misspelt).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'GUEST_ARGUMENT',
      step: { operation: 'run' },
      message: expect.stringContaining('Did you mean count?'),
    });
    const wrong = persons().limit(-1).run('person:*');
    await expect(wrong).rejects.toMatchObject({ code: 'GUEST_ARGUMENT', step: { number: 1, operation: 'limit' } });
    const reader = new GearsRemoteBuilder(redis, 'KeyReader' as 'KeysReader').run();
    await expect(reader).rejects.toMatchObject({ message: expect.stringContaining('Did you mean KeysReader?') });
  });

  test('an execution that was started has a status, pages, results, and can be dropped', async () => {
    await using execution = await ages().run('person:*', { unblocking: true });
    const { results, errors } = await execution.results({ timeoutMs: 30_000 });
    expect([results.toSorted(byNumber), errors]).toEqual([[14, 17, 35, 70, 87], []]);
    expect(await execution.status()).toMatchObject({ status: 'done', recordsRead: 5 });
    const streamed: number[] = [];
    for await (const age of execution) streamed.push(age);
    expect(streamed.toSorted(byNumber)).toEqual([14, 17, 35, 70, 87]);
    await execution.drop();
    await expect(execution.status()).rejects.toMatchObject({ code: 'EXECUTION_NOT_FOUND' });
  });

  test('more results than one reply may have are streamed', async () => {
    const many = new GearsRemoteBuilder(redis, 'GeneratorReader').map((n: number) => 'x'.repeat(1_000) + n);
    const source = (): unknown => Array.from({ length: 5_000 }, (_none, n) => n);
    await using execution = await many.run(source, { unblocking: true, mode: 'async_local' });
    const seen = new Set<string>();
    let pages = 0;
    for await (const { results } of execution.pages()) {
      pages += 1;
      for (const text of results) seen.add(text);
    }
    expect(seen.size).toBe(5_000);
    expect(pages).toBeGreaterThan(1);
  });

  test('an execution without end is aborted by hand, by time-out and by signal', async () => {
    const endless = () =>
      persons().foreach(() => {
        for (;;);
      });
    const execution = await endless().run('person:*', { unblocking: true });
    await waitFor(async () => (await execution.status()).status === 'running', { what: 'it runs' });
    await execution.abort();
    const { errors } = await execution.results();
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['EXECUTION_ABORTED']));
    await execution[Symbol.asyncDispose]();
    await execution[Symbol.asyncDispose]();
    const known = async (): Promise<number> => ((await redis.call('RG.DUMPEXECUTIONS')) as unknown[]).length;
    const before = await known();
    await expect(endless().run('person:*', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'RUN_TIMED_OUT' });
    const signal = AbortSignal.timeout(50);
    await expect(endless().run('person:*', { signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await known()).toBe(before);
  });

  test('a registration is put in force; the same source again is the same version', async () => {
    const greeting = 'Hello';
    const greeter = () =>
      new GearsRemoteBuilder(redis, 'CommandReader').map(([, name]) => `${greeting} ${name}`).with({ greeting });
    const registered = await greeter().named('greeter').register({ trigger: 'greet' });
    expect(registered).toEqual({ name: 'greeter', version: 1, registrations: ['greeter/command/greet'] });
    expect(await redis.call('RG.TRIGGER', 'greet', 'ann')).toEqual(['Hello ann']);
    expect((await greeter().named('greeter').register({ trigger: 'greet' })).version).toBe(1);
    const unnamed = await new GearsRemoteBuilder(redis, 'StreamReader')
      .foreach((r) => execute('INCR', `count:${r.key}`))
      .register('clicks', { mode: 'async_local' });
    expect(unnamed.name).toMatch(/^remote-[0-9a-f]{12}$/);
    await client.xadd('clicks', '*', 'a', 'b');
    await waitFor(async () => (await client.get('count:clicks')) === '1', { what: 'the function has run' });
    for (const { name } of [registered, unnamed]) await redis.call('RG.FUNCTION', 'DELETE', name);
  });

  test('node-redis is as good, with either protocol', async () => {
    for (const RESP of [2, 3] as const) {
      const nodeRedis = createClient({ url: `redis://127.0.0.1:${platform.respPort}`, RESP });
      await nodeRedis.connect();
      try {
        const max = new GearsRemoteBuilder(nodeRedis).map((r) => -Number(r.value.age)).sort();
        expect(await resultsOf(max.run('person:*'))).toEqual([-87, -70, -35, -17, -14]);
        const wrong = new GearsRemoteBuilder(nodeRedis).limit(-1).run('*');
        await expect(wrong).rejects.toMatchObject({ code: 'GUEST_ARGUMENT' });
      } finally {
        nodeRedis.destroy();
      }
    }
  });

  test('a Redis without platform is told from one', async () => {
    const straight = 'nodes' in client ? client.nodes('master')[0] : client;
    const run = new GearsRemoteBuilder(straight as Redis).count().run('person:*');
    await expect(run).rejects.toMatchObject({
      code: 'PLATFORM_MISSING',
      message: expect.stringContaining('connect to the RESP door'),
    });
  });
});
