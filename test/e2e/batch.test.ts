import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { TOPOLOGIES, type Topology } from './topology.ts';

/** Data set P of the reference's worked examples. */
const PERSONS = [
  ['Rick Sanchez', 70],
  ['Morty Smith', 14],
  ['Summer Smith', 17],
  ['Beth Smith', 35],
  ['Shrimply Pibbles', 87],
] as const;

const AGE = '.map((r) => +r.value.age)';
const FAMILY = "(r) => r.value.name.split(' ')[1]";

describe.each(Object.entries(TOPOLOGIES))('batch runs on %s', (name, start) => {
  let topology: Topology;
  let platform: PlatformProcess;
  let client: Redis | Cluster;
  const shards = name === 'one server' ? 1 : 3;

  beforeAll(async () => {
    topology = await start();
    platform = await startPlatformProcess({ redisUrl: topology.url });
    client = topology.client();
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
  });

  const execute = async (script: string, ...options: string[]): Promise<readonly [string[], string[]]> =>
    (await platform.door.call('RG.JSEXECUTE', script, ...options)) as [string[], string[]];
  const run = async (script: string): Promise<string[]> => {
    const [results, errors] = await execute(script);
    expect(errors).toEqual([]);
    return results;
  };
  const storePersons = async (): Promise<void> => {
    await client.set('foo', 'bar');
    for (const [at, [who, age]] of PERSONS.entries()) await client.hset(`person:${at + 1}`, { name: who, age });
  };
  const counts = (results: readonly string[]): Record<string, number> =>
    Object.fromEntries(
      results.map((text) => JSON.parse(text) as { key: string; value: number }).map(({ key, value }) => [key, value]),
    );

  test('1: the simplest run on an empty database', async () => {
    expect(await execute('GB().run()')).toEqual([[], []]);
  });

  test('2, 3, 4: all keys, those of a pattern, those that a filter lets through', async () => {
    await storePersons();
    const all = (await run('GB().run()')).map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(all.length).toBe(6);
    expect(all.find(({ key }) => key === 'foo')).toEqual({ key: 'foo', type: 'string', value: 'bar', event: null });
    expect((await run("GB().run('person:*')")).length).toBe(5);
    expect((await run("GB().filter((r) => r.key.startsWith('person:')).run()")).length).toBe(5);
  });

  test('5: ages', async () => {
    await storePersons();
    const ages = await run(`GB()${AGE}.run('person:*')`);
    expect(ages.map(Number).sort((a, b) => a - b)).toEqual([14, 17, 35, 70, 87]);
  });

  test('6, 7: a local maximum is one per shard', async () => {
    await storePersons();
    const results = await run(`GB()${AGE}.accumulate((a, x) => Math.max(a ?? 0, x)).run('person:*')`);
    expect(Math.max(...results.map(Number))).toBe(87);
    expect(results.length).toBeLessThanOrEqual(shards);
    // Data set P is on more than one shard.
    expect(results.length > 1).toBe(shards > 1);
  });

  test('8: the maximum of all', async () => {
    await storePersons();
    expect(await run(`GB()${AGE}.aggregate(0, Math.max, Math.max).run('person:*')`)).toEqual(['87']);
  });

  test('9: the average', async () => {
    await storePersons();
    expect(await run(`GB()${AGE}.avg().run('person:*')`)).toEqual(['44.6']);
    const byHand = `GB()${AGE}.aggregate([0, 0], (a, x) => [a[0] + x, a[1] + 1], (a, b) => [a[0] + b[0], a[1] + b[1]])
      .map((t) => t[0] / t[1]).run('person:*')`;
    expect(await run(byHand)).toEqual(['44.6']);
  });

  test('10, 11: families are counted once each, wherever their persons are', async () => {
    await storePersons();
    const expected = { Smith: 3, Sanchez: 1, Pibbles: 1 };
    const sugar = await run(`GB().countby(${FAMILY}).run('person:*')`);
    expect(sugar.length).toBe(3);
    expect(counts(sugar)).toEqual(expected);
    const byHand = await run(`GB().localgroupby(${FAMILY}, (k, a, r) => (a ?? 0) + 1)
      .groupby((r) => r.key, (k, a, r) => (a ?? 0) + r.value).run('person:*')`);
    expect(byHand.length).toBe(3);
    expect(counts(byHand)).toEqual(expected);
  });

  test('12: counts are stored from where their keys are', async () => {
    await storePersons();
    const results = await run(`GB().localgroupby(${FAMILY}, (k, a, r) => (a ?? 0) + 1).repartition((r) => r.key)
      .localgroupby((r) => r.key, (k, a, r) => (a ?? 0) + r.value)
      .foreach((r) => execute('SET', r.key, r.value)).run('person:*')`);
    expect(counts(results)).toEqual({ Smith: 3, Sanchez: 1, Pibbles: 1 });
    expect(await client.get('Smith')).toBe('3');
  });

  test('13: words are counted', async () => {
    await client.set('text:1', 'a b a');
    await client.set('text:2', 'b');
    expect(counts(await run("GB().map((r) => r.value).flatmap((s) => s.split(' ')).countby().run()"))).toEqual({
      a: 2,
      b: 2,
    });
  });

  test('14: keys are deleted by prefix, nothing is counted where nothing matched', async () => {
    for (let n = 0; n < 3; n += 1) await client.set(`delete_me:${n}`, 'x');
    await client.set('other', 'x');
    const script = "GB().map((r) => r.key).foreach((k) => execute('DEL', k)).count().run('delete_me:*')";
    expect(await run(script)).toEqual(['3']);
    expect(await client.exists('delete_me:1')).toBe(0);
    expect(await client.exists('other')).toBe(1);
    expect(await run(script)).toEqual([]);
  });

  test('15: the average of a field of JSON texts', async () => {
    for (const age of [10, 20, 30]) await client.set(`doc:${age}`, JSON.stringify({ age }));
    const script = "GB().map(async (r) => JSON.parse(await execute('GET', r.key))).map((d) => d.age).avg().run('doc*')";
    expect(await run(script)).toEqual(['20']);
  });

  test('20: pi, by darts from a generator on every shard', async () => {
    const script = `const N = 30000;
      GB('PythonReader').flatmap((n) => Array.from({ length: n }, () => [Math.random(), Math.random()]))
        .filter(([x, y]) => x * x + y * y < 1).accumulate((a) => (a ?? 0) + 1).collect()
        .accumulate((a, x) => (a ?? 0) + x).map((hits) => (4 * hits) / (N * ${shards}))
        .run(function* () { for (let n = 0; n < N; n += 1000) yield 1000; });`;
    const [pi] = await run(script);
    expect(Math.abs(Number(pi) - Math.PI)).toBeLessThan(0.1);
  });

  test('22: a generator gives its records on every shard', async () => {
    const script = "GB('PythonReader').run(function* () { for (let i = 0; i < 42; i++) yield i; })";
    expect((await run(script)).length).toBe(42 * shards);
  });

  test('23: every shard has an id', async () => {
    const ids = await run("GB('ShardsIDReader').map((id) => 'My Shard ID is ' + id).run()");
    expect(ids.length).toBe(shards);
    for (const id of ids) expect(id).toMatch(/^My Shard ID is (1|[0-9a-f]{40})$/);
  });

  test('what would outlive an event is refused in words', async () => {
    const script = "GB('ShardsIDReader').map(async () => new Promise((done) => setTimeout(done, 5000))).run()";
    const [results, errors] = await execute(script);
    expect(results).toEqual([]);
    expect(errors.length).toBe(shards);
    for (const error of errors) expect(error).toMatch(/setTimeout is absent here: .*await sleep\(seconds\)/);
  });

  test('names of keys, and entries of a stream', async () => {
    await storePersons();
    expect((await run("GB('KeysOnlyReader').run('person:*')")).sort()).toEqual(
      [1, 2, 3, 4, 5].map((n) => `person:${n}`),
    );
    for (let n = 1; n <= 5; n += 1) await client.xadd('events', `${n}-0`, 'n', n);
    const script = "GB('StreamReader').map((r) => r.id + '=' + r.value.n).run('events', { fromId: '2-0' })";
    expect(await run(script)).toEqual(['3-0=3', '4-0=4', '5-0=5']);
  });

  test('binary keys and values survive', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await client.set(Buffer.concat([Buffer.from('bin:'), bytes]), bytes);
    const script = "GB().map((r) => r.value).run('bin:*', { convertToStr: false })";
    const [[value]] = (await platform.door.callBuffer('RG.JSEXECUTE', script)) as [Buffer[]];
    expect(value?.equals(bytes)).toBe(true);
  });

  test('errors of functions are in the second list, with the line of the source', async () => {
    await storePersons();
    const [results, errors] = await execute("GB()\n  .map((r) => r.value.nothing.length)\n  .run('person:*')");
    expect(results).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0]).toMatch(/TypeError.*\n?.*:2/s);
  });

  test('an unblocking run is listed, shown, waited for, read in pages and dropped', async () => {
    await storePersons();
    const { door } = platform;
    const id = (await door.call('RG.JSEXECUTE', `GB()${AGE}.run('person:*')`, 'UNBLOCKING')) as string;
    expect(id).toMatch(/^[0-9a-f]{40}-\d+$/);
    const [results] = (await door.call('RG.GETRESULTSBLOCKING', id)) as [string[]];
    expect(results.length).toBe(5);
    const listed = (await door.call('RG.DUMPEXECUTIONS')) as unknown[][];
    expect(listed.find((row) => row[1] === id)?.slice(0, 6)).toEqual([
      'executionId',
      id,
      'status',
      'done',
      'registered',
      0,
    ]);
    const views = (await door.call('RG.GETEXECUTION', id)) as [string, string, string, unknown[]][];
    expect(views.length).toBe(shards);
    expect(views[0]?.[3].slice(0, 2)).toEqual(['status', 'done']);
    const [cursor, page] = (await door.call('RG.GETRESULTS', id, 'CURSOR', '0')) as [string, string[]];
    expect(shards > 1 || cursor === '0').toBe(true);
    expect(page.length).toBeGreaterThan(0);
    expect(await door.call('RG.DROPEXECUTION', id)).toBe('OK');
    await expect(door.call('RG.GETRESULTS', id)).rejects.toThrow('execution plan does not exist');
  });

  test('aborting works while the code is in an endless loop', async () => {
    await storePersons();
    const { door } = platform;
    const script = "GB().map(() => { for (;;); }).run('person:*')";
    const id = (await door.call('RG.JSEXECUTE', script, 'UNBLOCKING')) as string;
    const statusOf = async (): Promise<unknown> =>
      ((await door.call('RG.GETEXECUTION', id, 'SHARD')) as [[string, string, string, unknown[]]])[0][3][1];
    await waitFor(async () => (await statusOf()) !== 'created', { what: 'it runs' });
    expect(await door.call('RG.ABORTEXECUTION', id)).toBe('OK');
    const [results, errors] = (await door.call('RG.GETRESULTS', id)) as [string[], string[]];
    expect(results).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
    expect(await run("GB().count().run('person:*')")).toEqual(['5']);
  });

  test.each([['the caller waits'], ['in the background', 'UNBLOCKING']])(
    'a run sends only what its source configures: %s',
    async (_, ...options) => {
      await storePersons();
      const { door } = platform;
      const script = `configure({ commands: ['HGET', 'SET'], keys: ['person:*'] });
      GB('KeysOnlyReader').map((key) => execute('HGET', key, 'age')).aggregate(0, (a, x) => a + +x, (a, b) => a + b)
        .foreach(() => execute('SET', 'stolen', '1')).run('person:*');`;
      const reply = await door.call('RG.JSEXECUTE', script, ...options);
      const answer = options.length === 0 ? reply : await door.call('RG.GETRESULTSBLOCKING', reply as string);
      const [results, errors] = answer as [string[], string[]];
      expect(results).toEqual([]);
      expect(errors).toEqual([
        expect.stringMatching(/COMMAND_FORBIDDEN SET.*touches the key "stolen".*only person:\*/),
      ]);
      expect(await client.exists('stolen')).toBe(0);
    },
  );

  test('a run may be given less time than other functions', async () => {
    await storePersons();
    const [results, errors] = await execute(
      "configure({ limits: { call: '50ms' } }); GB().map(() => { for (;;); }).run('person:1')",
    );
    expect([results, errors]).toEqual([[], [expect.stringMatching(/50 ms/)]]);
  });

  test('options set at run time are seen by functions', async () => {
    await storePersons();
    expect(await platform.door.call('RG.CONFIGSET', 'region', 'eu')).toEqual([
      'OK - value was saved in extra config dictionary',
    ]);
    expect(await platform.door.call('RG.CONFIGGET', 'region', 'MaxExecutions')).toEqual(['eu', 1000]);
    expect(await run("GB('ShardsIDReader').map(() => configGet('region')).collect().limit(1).run()")).toEqual(['eu']);
  });

  test('a run sees nothing of what another run of its script has left, whatever options are set', async () => {
    const script = "let runs = 0; GB('ShardsIDReader').map(() => (runs += 1)).collect().limit(1).run()";
    expect([await run(script), await run(script)]).toEqual([['1'], ['1']]);
    await platform.door.call('RG.CONFIGSET', 'colour', 'red');
    expect([await run(script), await run(script)]).toEqual([['1'], ['1']]);
  });

  test('a script that registers and runs is answered with OK', async () => {
    await storePersons();
    const script = `GB('CommandReader').map(() => 'PONG').register({ trigger: 'ping.${shards}', mode: 'async_local' });
      GB().foreach((r) => execute('SET', 'seen:' + r.key, 1)).run('person:*');`;
    expect(await platform.door.call('RG.JSEXECUTE', script)).toBe('OK');
    expect(await platform.door.call('RG.TRIGGER', `ping.${shards}`)).toEqual(['PONG']);
    await waitFor(async () => (await client.exists('seen:person:5')) === 1, { what: 'the run has run' });
  });
});
