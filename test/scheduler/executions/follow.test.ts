import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PlatformError } from '#functions';
import type { ExecutionSettings } from '../../../scheduler/settings.ts';
import { TOPOLOGIES, type Topology } from '../../e2e/topology.ts';
import { waitFor } from '../../support/wait.ts';
import { createFakeRuntime, type FakeOptions, fake } from './fake-stage.ts';
import { loadable, runSpec, startNode, type TestNode, valuesOf } from './harness.ts';

const LOST = expect.stringMatching(/^EXECUTION_PART_LOST: .*SANDBOX_DIED: it died/);

interface KeyRecord {
  readonly key: string;
}

describe.each(Object.entries(TOPOLOGIES))('a run that is followed, on %s', (name, start) => {
  let topology: Topology;
  let client: Redis | Cluster;
  const shards = name === 'one server' ? 1 : 3;

  beforeAll(async () => {
    topology = await start();
    client = topology.client();
  });
  afterAll(() => topology[Symbol.asyncDispose]());
  beforeEach(() => topology.flush());

  const store = async (count: number, value = 'x'): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, n) => client.set(`key:${n}`, value)));
  };
  const node = (
    beforeFeed: FakeOptions['beforeFeed'],
    settings: Partial<ExecutionSettings> = {},
  ): Promise<TestNode> => {
    const { openStage } = createFakeRuntime([fake.map((r: KeyRecord) => r.key)], {
      beforeFeed: beforeFeed ?? (() => {}),
    });
    return startNode(topology.url, openStage, settings);
  };
  const followed = async ({ executions }: TestNode): Promise<Reader> => {
    const target = await loadable();
    const id = await executions.start({ target, run: runSpec(['map'], { arg: 'key:*' }) }, { followed: true });
    return new Reader(executions, id);
  };

  test('what has come is read while the rest is still worked on, everything once', async () => {
    await store(200);
    const gate = Promise.withResolvers<void>();
    let fed = 0;
    await using one = await node(() => {
      fed += 1;
      return fed > 2 ? gate.promise : undefined;
    });
    const reader = await followed(one);
    await reader.until(() => reader.values.length > 0);
    expect(reader.values.length).toBeLessThan(200);
    expect((await one.executions.view(reader.id)).summary.status).toBe('running');
    gate.resolve();
    expect(await reader.toEnd()).toEqual([]);
    expect(reader.values.toSorted()).toEqual(Array.from({ length: 200 }, (_, n) => `key:${n}`).toSorted());
  });

  test('two readers get the same, and one who comes after the end, too', async () => {
    await store(100);
    await using one = await node(undefined);
    const first = await followed(one);
    const second = new Reader(one.executions, first.id);
    await Promise.all([first.toEnd(), second.toEnd()]);
    const late = new Reader(one.executions, first.id);
    await late.toEnd();
    for (const { values } of [first, second, late]) expect(new Set(values).size).toBe(100);
    for (const { values } of [first, second, late]) expect(values.length).toBe(100);
  });

  test('a slow reader loses nothing, and no page is large', async () => {
    await store(4_000, 'x'.repeat(10));
    const openStage = createFakeRuntime([fake.map((r: KeyRecord) => r.key.padEnd(1_000))]).openStage;
    await using one = await startNode(topology.url, openStage, { resultBytes: 1_000_000 });
    const reader = await followed(one);
    await reader.until(() => reader.values.length > 0);
    await one.executions.waitForEnd(reader.id, AbortSignal.timeout(20_000));
    await expect(one.executions.results(reader.id)).rejects.toThrow(/execution-results/);
    expect(await reader.toEnd()).toEqual([]);
    expect(new Set(reader.values).size).toBe(4_000);
    expect(reader.values.length).toBe(4_000);
    expect(reader.largestPage).toBeLessThan(1.5 * 1024 * 1024);
  });

  test('a part of which nothing was read begins again', async () => {
    await store(50);
    let deaths = 2;
    await using one = await node(() => {
      if (deaths-- > 0) throw died();
    });
    const reader = await followed(one);
    await one.executions.waitForEnd(reader.id, AbortSignal.timeout(20_000));
    expect(await reader.toEnd()).toEqual([]);
    expect(new Set(reader.values).size).toBe(50);
    expect(reader.values.length).toBe(50);
  });

  test('a part of which something was read does not: what was read counts, and the run says what it lacks', async () => {
    await store(200);
    const gate = Promise.withResolvers<void>();
    const begun = new Map<string, number>();
    let victim: string | undefined;
    await using one = await node(async ({ hashtag }) => {
      const pieces = (begun.get(hashtag) ?? 0) + 1;
      begun.set(hashtag, pieces);
      if (pieces <= 2) return;
      await gate.promise;
      victim ??= hashtag;
      if (victim === hashtag) throw died();
    });
    const reader = await followed(one);
    // The first two pieces of every shard have one record each.
    await reader.until(() => reader.values.length === 2 * shards);
    gate.resolve();
    expect(await reader.toEnd()).toEqual([LOST]);
    expect(new Set(reader.values).size).toBe(reader.values.length);
    expect(reader.values.length).toBeLessThan(200);
    const { summary, shards: parts } = await one.executions.view(reader.id);
    expect(summary).toMatchObject({ status: 'done', results: reader.values.length, errors: 1 });
    expect(parts.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(shards);
    expect(valuesOf(await one.executions.results(reader.id)).toSorted()).toEqual(reader.values.toSorted());
  });

  test('aborting keeps what was read, and nothing comes after it', async () => {
    await store(200);
    let fed = 0;
    await using one = await node(({ signal }) => {
      fed += 1;
      if (fed <= 2) return undefined;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const reader = await followed(one);
    await reader.until(() => reader.values.length > 0);
    await one.executions.abort(reader.id);
    expect(new Set(await reader.toEnd())).toEqual(new Set(['Execution aborted']));
    expect(valuesOf(await one.executions.results(reader.id)).toSorted()).toEqual(reader.values.toSorted());
    await one.executions.drop(reader.id);
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    const left = (await Promise.all(nodes.map((each) => each.keys('rg:*pieces*')))).flat();
    expect(left).toEqual([]);
  });

  test('a limit that is crossed later leaves what was read', async () => {
    await store(200);
    const gate = Promise.withResolvers<void>();
    let fed = 0;
    await using one = await node(async () => {
      fed += 1;
      if (fed <= 2) return;
      await gate.promise;
      throw new PlatformError('LIMIT_EXECUTION_TIME', 'too long');
    });
    const reader = await followed(one);
    await reader.until(() => reader.values.length > 0);
    gate.resolve();
    expect(await reader.toEnd()).toContainEqual('LIMIT_EXECUTION_TIME: too long');
    expect(valuesOf(await one.executions.results(reader.id)).toSorted()).toEqual(reader.values.toSorted());
  });

  test('a cursor of another run or of nobody is refused; a run that is not followed is read after its end', async () => {
    await store(10);
    const gate = Promise.withResolvers<void>();
    await using one = await node(() => gate.promise);
    const { id } = await followed(one);
    for (const cursor of ['x', '1-0', '9:0', '0:0.0.0.0', '0:']) {
      await expect(one.executions.page(id, cursor)).rejects.toThrow(/CURSOR is/);
    }
    const other = await one.executions.start({ target: await loadable(), run: runSpec([], { arg: 'key:*' }) });
    await expect(one.executions.page(other, '0')).rejects.toThrow(/still running/);
    gate.resolve();
    await one.executions.waitForEnd(id, AbortSignal.timeout(20_000));
  });
});

/** Reads a run as it goes. */
class Reader {
  readonly id: string;
  readonly values: unknown[] = [];
  largestPage = 0;
  readonly #executions: TestNode['executions'];
  #cursor = '0';
  #isOver = false;
  #errors: readonly string[] = [];

  constructor(executions: TestNode['executions'], id: string) {
    this.#executions = executions;
    this.id = id;
  }

  async readPage(): Promise<void> {
    if (this.#isOver) return;
    const page = await this.#executions.page(this.id, this.#cursor);
    this.values.push(...valuesOf(page));
    this.largestPage = Math.max(this.largestPage, page.results.length);
    this.#cursor = page.cursor;
    this.#isOver = page.cursor === '0';
    this.#errors = page.errors;
  }

  async until(isEnough: () => boolean): Promise<void> {
    const read = async (): Promise<boolean> => {
      await this.readPage();
      return isEnough();
    };
    await waitFor(read, { what: 'enough results have come' });
  }

  /** Resolves with the errors. */
  async toEnd(): Promise<readonly string[]> {
    await this.until(() => this.#isOver);
    return this.#errors;
  }
}

function died(): PlatformError {
  return new PlatformError('SANDBOX_DIED', 'it died', { retryable: true });
}
