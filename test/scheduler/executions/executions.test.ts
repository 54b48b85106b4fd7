import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PlatformError, type StepType } from '#functions';
import { TOPOLOGIES, type Topology } from '../../e2e/topology.ts';
import { waitFor } from '../../support/wait.ts';
import { createFakeRuntime, type FakeOptions, type FakeSteps, fake } from './fake-stage.ts';
import { loadable, runSpec, startNode, type TestNode, valuesOf } from './harness.ts';

const never = new AbortController().signal;

interface KeyRecord {
  readonly key: string;
  readonly type: string;
  readonly value: Record<string, string>;
}

const PERSONS = [
  ['Rick Sanchez', 70],
  ['Morty Smith', 14],
  ['Summer Smith', 17],
  ['Beth Smith', 35],
  ['Shrimply Pibbles', 87],
] as const;

const COUNT_BY_FAMILY: readonly [StepType[], FakeSteps] = [
  ['extractkey', 'accumulatebykey', 'extractkey', 'repartition', 'accumulatebykey', 'collect'],
  [
    fake.extractKey((r: KeyRecord) => String(r.value.name?.split(' ')[1])),
    fake.accumulateByKey((_: string, acc: number | null) => (acc ?? 0) + 1),
    fake.extractKey((r: { key: string }) => r.key),
    fake.pass,
    fake.accumulateByKey((_: string, acc: number | null, r: { value: number }) => (acc ?? 0) + r.value),
    fake.pass,
  ],
];

describe.each(Object.entries(TOPOLOGIES))('executions on %s', (name, start) => {
  let topology: Topology;
  let client: Redis | Cluster;
  const shards = name === 'one server' ? 1 : 3;

  beforeAll(async () => {
    topology = await start();
    client = topology.client();
  });
  afterAll(() => topology[Symbol.asyncDispose]());
  beforeEach(() => topology.flush());

  const node = (
    steps: FakeSteps,
    options: FakeOptions = {},
    settings = {},
  ): Promise<TestNode & { opened: unknown[] }> => {
    const runtime = createFakeRuntime(steps, options);
    return startNode(topology.url, runtime.openStage, settings).then((one) => ({ ...one, opened: runtime.opened }));
  };
  const storePersons = async (): Promise<void> => {
    await client.set('foo', 'bar');
    for (const [at, [who, age]] of PERSONS.entries()) await client.hset(`person:${at + 1}`, { name: who, age });
  };
  const platformKeys = async (): Promise<string[]> => {
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    const all = await Promise.all(nodes.map((one) => one.keys('rg:*')));
    return all.flat().filter((key) => !key.startsWith('rg:{queue}') && key !== 'rg:{executions}:counter');
  };

  test('an empty database gives empty results', async () => {
    await using one = await node([]);
    const request = { target: await loadable(), run: runSpec(['collect']) };
    expect(await one.executions.run(request, never)).toEqual({ results: '*0\r\n', errors: [] });
  });

  test('keys of every type come with their values, platform keys do not come', async () => {
    await storePersons();
    await client.rpush('list', 'a', 'b');
    await client.sadd('set', 'a');
    await client.xadd('stream', '*', 'f', 'v');
    await using one = await node([]);
    const request = { target: await loadable(), run: runSpec([]) };
    const records = valuesOf(await one.executions.run(request, never)) as KeyRecord[];
    expect(records.length).toBe(9);
    const byKey = Object.fromEntries(records.map((record) => [record.key, record]));
    expect(byKey.foo).toEqual({ key: 'foo', type: 'string', value: 'bar' });
    expect(byKey['person:1']?.value).toEqual({ name: 'Rick Sanchez', age: '70' });
    expect(byKey.list?.value).toEqual(['a', 'b']);
    expect(byKey.set).toEqual({ key: 'set', type: 'set', value: null });
    expect(byKey.stream).toEqual({ key: 'stream', type: 'unknown', value: null });
  });

  test('a plan with repartition counts every family once, wherever its records were', async () => {
    await storePersons();
    const [types, steps] = COUNT_BY_FAMILY;
    await using one = await node(steps);
    const request = { target: await loadable(), run: runSpec(types, { arg: 'person:*' }) };
    const results = valuesOf(await one.executions.run(request, never)) as { key: string; value: number }[];
    expect(results.sort((a, b) => a.key.localeCompare(b.key))).toEqual([
      { key: 'Pibbles', value: 1 },
      { key: 'Sanchez', value: 1 },
      { key: 'Smith', value: 3 },
    ]);
    expect(await platformKeys()).toEqual(expect.not.arrayContaining([expect.stringContaining('pieces')]));
  });

  test('what follows a collect runs once', async () => {
    await storePersons();
    const max = fake.accumulate((acc: number | null, x: number) => Math.max(acc ?? 0, x));
    const steps = [fake.map((r: KeyRecord) => Number(r.value.age)), max, fake.pass, max];
    await using one = await node(steps);
    const run = runSpec(['map', 'accumulate', 'collect', 'accumulate'], { arg: 'person:*' });
    expect(valuesOf(await one.executions.run({ target: await loadable(), run }, never))).toEqual([87]);
    const local = runSpec(['map', 'accumulate', 'collect'], { arg: 'person:*' });
    const perShard = valuesOf(await one.executions.run({ target: await loadable(), run: local }, never));
    expect(perShard.length).toBeLessThanOrEqual(shards);
    expect(Math.max(...(perShard as number[]))).toBe(87);
  });

  test('a stream is read from behind an id, on the shard that has it', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 2_500; n += 1) ids.push(String(await client.xadd('events', `${n + 1}-0`, 'n', n)));
    await using one = await node([fake.map((r: { id: string }) => r.id)]);
    const run = runSpec(['map'], { reader: 'StreamReader', arg: 'events', fromId: '10-0', untilId: '2400-0' });
    const results = valuesOf(await one.executions.run({ target: await loadable(), run }, never));
    expect(results).toEqual(ids.slice(10, 2_400));
  });

  test('a stream reader on another type gives one error and no records', async () => {
    await client.set('events', 'x');
    await using one = await node([]);
    const run = runSpec([], { reader: 'StreamReader', arg: 'events' });
    const { results, errors } = await one.executions.run({ target: await loadable(), run }, never);
    expect(results).toBe('*0\r\n');
    expect(errors).toEqual([expect.stringContaining('WRONGTYPE')]);
  });

  test('every shard has an id, and pulls its generator', async () => {
    const generator = function* () {
      for (let n = 0; n < 42; n += 1) yield n;
    };
    await using one = await node([], { generator });
    const target = await loadable();
    const ids = valuesOf(await one.executions.run({ target, run: runSpec([], { reader: 'ShardsIDReader' }) }, never));
    expect(ids.length).toBe(shards);
    expect(ids.every((id) => (shards === 1 ? id === '1' : String(id).length === 40))).toBe(true);
    const run = runSpec([], { reader: 'GeneratorReader', arg: '' });
    expect(valuesOf(await one.executions.run({ target, run }, never)).length).toBe(42 * shards);
  });

  test('an unblocking run has an id of the known form, a view, results in pages, and can be dropped', async () => {
    for (let n = 0; n < 3_000; n += 1) await client.set(`key:${n}`, 'x'.repeat(500));
    await using one = await node([], {}, { resultBytes: 100_000 });
    const id = await one.executions.start({ target: await loadable(), run: runSpec([], { arg: 'key:*' }) });
    expect(id).toMatch(/^[0-9a-f]{40}-\d+$/);
    await one.executions.waitForEnd(id, AbortSignal.timeout(10_000));
    const view = await one.executions.view(id);
    expect(view.summary).toMatchObject({ id, status: 'done', recordsRead: 3_000 });
    expect(view.shards.length).toBe(shards);
    expect(view.shards.reduce((sum, shard) => sum + shard.results, 0)).toBe(3_000);
    await expect(one.executions.results(id)).rejects.toThrow(/execution-results/);
    const found: unknown[] = [];
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const page = await one.executions.page(id, cursor);
      found.push(...valuesOf(page));
      cursor = page.cursor;
    }
    expect(new Set(found.map((record) => (record as KeyRecord).key)).size).toBe(3_000);
    await one.executions.drop(id);
    await expect(one.executions.view(id)).rejects.toThrow(/no execution/);
    expect((await platformKeys()).filter((key) => key.includes('pieces'))).toEqual([]);
  });

  test('a stage whose sandbox dies runs again, its records count once', async () => {
    await storePersons();
    let deaths = 2;
    const beforeFeed = (): void => {
      if (deaths-- > 0) throw new PlatformError('SANDBOX_DIED', 'it died', { retryable: true });
    };
    const [types, steps] = COUNT_BY_FAMILY;
    await using one = await node(steps, { beforeFeed });
    const run = runSpec(types, { arg: 'person:*' });
    const results = valuesOf(await one.executions.run({ target: await loadable(), run }, never));
    expect((results as { value: number }[]).map(({ value }) => value).sort()).toEqual([1, 1, 3]);
  });

  test('aborting ends a running execution with one error, and its traces are gone', async () => {
    await storePersons();
    const beforeFeed = ({ signal }: { signal: AbortSignal }): Promise<void> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    await using one = await node([], { beforeFeed });
    await using other = await node([], { beforeFeed });
    const id = await one.executions.start({ target: await loadable(), run: runSpec([]) });
    await waitFor(async () => (await one.executions.view(id)).summary.status === 'running', { what: 'it runs' });
    await expect(one.executions.results(id)).rejects.toThrow(/still running/);
    const atWork = async (): Promise<number> => (await one.executions.view(id)).shards[0]?.totalDurationMs ?? 0;
    await waitFor(async () => (await atWork()) > 0, { what: 'the time at work is told' });
    const before = await atWork();
    await other.executions.abort(id);
    expect(await atWork()).toBeGreaterThanOrEqual(before);
    expect((await one.executions.view(id)).summary.status).toBe('done');
    const { results, errors } = await one.executions.results(id);
    expect(results).toBe('*0\r\n');
    expect(new Set(errors)).toEqual(new Set(['Execution aborted']));
    await one.executions.abort(id);
    await expect(one.executions.abort('nobody')).rejects.toThrow(/no execution/);
  });

  test('a caller who leaves finds the results later', async () => {
    await storePersons();
    const gate = Promise.withResolvers<void>();
    await using one = await node([], { beforeFeed: () => gate.promise });
    const caller = new AbortController();
    const running = one.executions.run({ target: await loadable(), run: runSpec([]) }, caller.signal).catch(() => null);
    const id = await waitFor(async () => (await one.executions.list())[0]?.id, { what: 'it is listed' });
    caller.abort();
    gate.resolve();
    await one.executions.waitForEnd(id, AbortSignal.timeout(10_000));
    await running;
    expect(valuesOf(await one.executions.results(id)).length).toBe(6);
  });

  test('beyond the limit the oldest executions are forgotten', async () => {
    await using one = await node([], {}, { max: 2 });
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const id = await one.executions.start({ target: await loadable(), run: runSpec([]) });
      await one.executions.waitForEnd(id, AbortSignal.timeout(10_000));
      ids.push(id);
    }
    const listed = (await one.executions.list()).map(({ id }) => id);
    expect(listed).toEqual(ids.slice(2));
  });
});
