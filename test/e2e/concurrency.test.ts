import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow, TOPOLOGIES, type Topology } from './topology.ts';

/** Counts what is open while it stays for some round trips, and notes the most there ever were. */
const COUNT = `
  async function busy(key = 'all') {
    await execute('ZADD', 'most', 'GT', await execute('INCR', 'open:' + key), key);
    for (let n = 0; n < 15; n += 1) await execute('GET', 'open:' + key);
    await execute('DECR', 'open:' + key);
    await execute('INCR', 'ran');
  }`;
/** Stays until the test says so. */
const STAY = `
  async function stay(name) {
    await execute('SADD', 'inside', name);
    while ((await execute('EXISTS', 'go')) === 0) await execute('GET', 'go');
    await execute('SREM', 'inside', name);
    await execute('INCR', 'ran');
  }`;

describe.each(Object.entries(TOPOLOGIES))('concurrency over two nodes on %s', (_, start) => {
  let topology: Topology;
  let nodes: PlatformProcess[];
  let door: Redis;
  let redis: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    redis = topology.client();
    const flags = ['--limit-commands', '1000000', '--limit-execution-ms', '60s'];
    nodes = await Promise.all([0, 1].map(() => startPlatformProcess({ redisUrl: topology.url, flags })));
    door = (nodes[0] as PlatformProcess).door;
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node[Symbol.asyncDispose]()));
    await topology?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    for (const key of ['most', 'ran', 'inside', 'go', 'open:all']) await redis.del(key);
  });

  const ran = async (): Promise<number> => Number(await redis.get('ran'));
  const most = async (key = 'all'): Promise<number> => Number(await redis.zscore('most', key));
  const refusal = async (source: string): Promise<string> =>
    loadFunction(door, 'refused', source).then(
      () => 'was accepted',
      (error: unknown) => String(error),
    );
  const deleteFunction = async (name: string): Promise<void> => void (await door.call('RG.FUNCTION', 'DELETE', name));
  /** Permits in use, as Redis knows of them. */
  const held = async (id: string): Promise<number> =>
    (await redis.hvals(`rg:{fleet}:permits:${id}`)).reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
  const noneHeld = async (id: string): Promise<void> =>
    void (await waitFor(async () => (await redis.exists(`rg:{fleet}:permits:${id}`)) === 0, {
      what: 'all permits are back',
    }));

  test.each(['async_local', 'sync', 'async'])(
    'no more executions of a stream function run at once than it says (mode %s)',
    async (mode) => {
      const source = `${COUNT} GB('StreamReader').foreach(() => busy()).register({ prefix: 'c:${mode}:*', mode: '${mode}', concurrency: 3 });`;
      for (let n = 0; n < 200; n += 1) await redis.xadd(`c:${mode}:${n % 8}`, '*', 'n', String(n));
      const { ids } = await loadFunction(door, `c.${mode}`, source);
      await waitFor(async () => (await ran()) >= 200, { what: 'all have run', deadlineMs: 60_000 });
      const together = await most();
      expect(together).toBeLessThanOrEqual(3);
      // In mode sync only different streams run side by side, and how many have news at once is up to their nodes.
      expect(together).toBeGreaterThanOrEqual(mode === 'sync' ? 2 : 3);
      const row = await registrationRow(door, ids[0] ?? '');
      expect([row.get('concurrency'), row.get('mode')]).toEqual([3, mode]);
      await noneHeld(ids[0] ?? '');
      await deleteFunction(`c.${mode}`);
    },
  );

  test('an execution of a batch is one', async () => {
    const source = `${STAY} GB('StreamReader').accumulate((all, r) => [...(all ?? []), r.key + r.id]).foreach((ids) => stay(ids.join()))
      .register({ prefix: 'b:*', mode: 'async_local', batch: 5, concurrency: 4 });`;
    for (let n = 0; n < 80; n += 1) await redis.xadd(`b:${n % 4}`, '*', 'n', String(n));
    const { ids } = await loadFunction(door, 'b', source);
    await waitFor(async () => (await redis.scard('inside')) === 4, { what: 'four executions are at work' });
    expect(await held(ids[0] ?? '')).toBe(4);
    for (const execution of await redis.smembers('inside')) expect(execution.split(',').length).toBe(5);
    await redis.set('go', '1');
    await waitFor(async () => (await ran()) >= 16, { what: 'all have run' });
    await deleteFunction('b');
  });

  test('with a key, executions of different keys share the permits and each key keeps its order', async () => {
    const source = `${COUNT} GB('StreamReader').foreach(async (r) => {
        await busy();
        await execute('RPUSH', 'done:' + r.value.k, r.value.n);
      }).register({ prefix: 'kc:*', mode: 'sync', key: (r) => r.value.k, concurrency: 2 });`;
    for (let n = 0; n < 120; n += 1) await redis.xadd(`kc:${n % 3}`, '*', 'k', `${n % 3}.${n % 4}`, 'n', String(n));
    const { ids } = await loadFunction(door, 'kc', source);
    await waitFor(async () => (await ran()) >= 120, { what: 'all have run', deadlineMs: 60_000 });
    const done = async (): Promise<unknown> => (await registrationRow(door, ids[0] ?? '')).get('done');
    await waitFor(async () => (await done()) === 120, { what: 'all have ended' });
    expect(await most()).toBe(2);
    for (let stream = 0; stream < 3; stream += 1) {
      for (let k = 0; k < 4; k += 1) {
        const seen = (await redis.lrange(`done:${stream}.${k}`, 0, -1)).map(Number);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      }
    }
    await deleteFunction('kc');
  });

  test('ticks of a schedule with one permit never overlap', async () => {
    const source = `${COUNT} GB('ScheduleReader').foreach(() => busy()).register({ every: 100, concurrency: 1 });`;
    const { ids } = await loadFunction(door, 'ticks', source);
    await waitFor(async () => (await ran()) >= 12, { what: 'some ticks have run', deadlineMs: 60_000 });
    await deleteFunction('ticks');
    await noneHeld(ids[0] ?? '');
    expect(await most()).toBe(1);
  });

  test('items that wait stay in their list', async () => {
    const source = `${STAY} GB('ListReader').foreach((r) => stay(r.value)).register({ list: 'jobs', concurrency: 2 });`;
    await redis.lpush('jobs', ...Array.from({ length: 100 }, (_none, n) => String(n)));
    await loadFunction(door, 'jobs', source);
    await waitFor(async () => (await redis.scard('inside')) === 2, { what: 'two are at work' });
    expect(await redis.llen('jobs')).toBeGreaterThanOrEqual(100 - 2 * 2 * 2);
    await redis.set('go', '1');
    await waitFor(async () => (await ran()) >= 100, { what: 'all have run', deadlineMs: 60_000 });
    await deleteFunction('jobs');
  });

  test.each(['async_local', 'sync', 'async'])('calls wait in line on every node (mode %s)', async (mode) => {
    const source = `${COUNT} GB('CommandReader').map(async (a) => { await busy(); return a[1]; })
      .register({ trigger: 'call.${mode}', mode: '${mode}', concurrency: 2 });`;
    const { ids } = await loadFunction(door, `call.${mode}`, source);
    const calls = nodes.flatMap((node, at) =>
      Array.from({ length: 40 }, (_none, n) => node.door.call('RG.TRIGGER', `call.${mode}`, `${at}.${n}`)),
    );
    const answers = await Promise.all(calls);
    expect(answers).toEqual(calls.map((_call, n) => [`${Math.floor(n / 40)}.${n % 40}`]));
    expect(await most()).toBe(2);
    await noneHeld(ids[0] ?? '');
    await deleteFunction(`call.${mode}`);
  });

  test('messages that are not kept wait as far as maxInFlight goes, and others are dropped', async () => {
    const source = `${STAY} GB('PubSubReader').foreach((r) => stay(r.message)).register({ channels: ['calls'], concurrency: 2, maxInFlight: 10 });`;
    const { ids } = await loadFunction(door, 'heard', source);
    const row = () => registrationRow(door, ids[0] ?? '');
    for (let n = 0; n < 30; n += 1) await door.publish('calls', String(n));
    await waitFor(async () => (await row()).get('numAborted') === 20, { what: 'twenty are dropped' });
    await waitFor(async () => (await redis.scard('inside')) === 2, { what: 'two are at work' });
    await redis.set('go', '1');
    await waitFor(async () => (await row()).get('done') === 10, { what: 'ten have run' });
    await deleteFunction('heard');
  });

  test('messages that are not kept have an order per key', async () => {
    const source = `${COUNT} GB('PubSubReader').foreach(async (r) => {
        const key = r.message[0];
        await busy(key);
        await execute('RPUSH', 'told:' + key, r.message);
      }).register({ channels: ['keyed'], mode: 'sync', key: (r) => r.message[0] });`;
    await loadFunction(door, 'told', source);
    for (let n = 0; n < 60; n += 1) await door.publish('keyed', `${'abc'[n % 3]}${String(n).padStart(2, '0')}`);
    await waitFor(async () => (await ran()) >= 60, { what: 'all have run' });
    for (const key of 'abc') {
      await waitFor(async () => (await redis.llen(`told:${key}`)) === 20, { what: `all of ${key} have run` });
      const told = await redis.lrange(`told:${key}`, 0, -1);
      expect(told).toEqual([...told].sort());
      expect(await most(key)).toBe(1);
    }
    await deleteFunction('told');
  });

  test('key events wait, and so do clients that wait for them', async () => {
    const source = `${COUNT} GB('KeysReader').foreach(() => busy()).register({ prefix: 'thing:*', eventTypes: ['set'], mode: 'async_local', commands: ['set'], readValue: false, concurrency: 1 });`;
    await loadFunction(door, 'things', source);
    await Promise.all(
      nodes.flatMap((node, at) => Array.from({ length: 20 }, (_n, n) => node.door.set(`thing:${at}:${n}`, '1'))),
    );
    expect(await ran()).toBeGreaterThanOrEqual(40);
    expect(await most()).toBe(1);
    await deleteFunction('things');
  });

  test('a pause leaves permits to what is in work, another limit counts at once, and removal gives them back', async () => {
    const source = (concurrency: number): string =>
      `${STAY} GB('StreamReader').foreach((r) => stay(r.value.n)).register({ prefix: 'life', mode: 'async_local', concurrency: ${concurrency} });`;
    const { ids } = await loadFunction(door, 'life', source(2));
    const [id = ''] = ids;
    const inside = async (): Promise<readonly string[]> => (await redis.smembers('inside')).sort();
    for (let n = 0; n < 9; n += 1) await redis.xadd('life', '*', 'n', String(n));
    await waitFor(async () => (await inside()).length === 2, { what: 'two are at work' });
    await door.call('RG.PAUSEREGISTRATIONS', id);
    expect(await held(id)).toBe(2);
    await door.call('RG.UNPAUSEREGISTRATIONS', id);
    await loadFunction(door, 'life', source(5));
    await waitFor(async () => (await inside()).length === 5, { what: 'five are at work under the new version' });
    expect(await held(id)).toBe(5);
    await door.call('RG.UNREGISTER', id, 'ABORTPENDING');
    await redis.set('go', '1');
    await noneHeld(id);
  });

  test('what waits in the queue when a version with concurrency comes runs with permits', async () => {
    const source = (flow: string): string =>
      `${STAY} GB('StreamReader').foreach((r) => stay(r.key + r.id)).register({ prefix: 'q:*', mode: 'async'${flow} });`;
    const { ids } = await loadFunction(door, 'q', source(''));
    for (let n = 0; n < 400; n += 1) await redis.xadd(`q:${n % 40}`, '*', 'n', String(n));
    await waitFor(async () => (await redis.scard('inside')) >= 32, { what: 'both nodes are full' });
    await loadFunction(door, 'q', source(', concurrency: 2'));
    await redis.set('go', '1');
    const row = () => registrationRow(door, ids[0] ?? '');
    await waitFor(async () => (await row()).get('done') === 400, { what: 'all have run', deadlineMs: 60_000 });
    await noneHeld(ids[0] ?? '');
    await deleteFunction('q');
  });

  test('executions in work are counted again when Redis has lost its data', async () => {
    const source = `${STAY} GB('StreamReader').foreach((r) => stay(r.value.n)).register({ prefix: 'lost', mode: 'async_local', concurrency: 1 });`;
    const { ids } = await loadFunction(door, 'lost', source);
    await redis.xadd('lost', '*', 'n', 'before');
    await waitFor(async () => (await redis.scard('inside')) === 1, { what: 'it is at work' });
    await topology.flush();
    await waitFor(async () => (await held(ids[0] ?? '')) === 1, { what: 'it is counted again' });
    await loadFunction(door, 'lost', source);
    await redis.xadd('lost', '*', 'n', 'after');
    const waits = async (): Promise<boolean> =>
      (await redis.hvals(`rg:{fleet}:permits:${ids[0]}`)).some((text) => text.split(' ')[1] === '1');
    await waitFor(waits, { what: 'the other one waits' });
    await redis.set('go', '1');
    await waitFor(async () => (await ran()) >= 2, { what: 'both have run' });
    await deleteFunction('lost');
  });

  test.each(['async_local', 'sync', 'async'])(
    'calls of one key run one after another over the fleet, those of different keys side by side (mode %s)',
    async (mode) => {
      const source = `${COUNT} GB('CommandReader').foreach(async ([, key, n]) => {
          await Promise.all([busy(key), busy()]);
          await execute('RPUSH', 'called:${mode}:' + key, n);
        }).register({ trigger: 'keyed.${mode}', mode: '${mode}', key: (r) => r[1] });`;
      await loadFunction(door, 'keyed', source);
      const keys = ['x', 'y', 'z'];
      const calls = nodes.flatMap((node, at) =>
        Array.from({ length: 30 }, (_, n) =>
          node.door.call('RG.TRIGGER', `keyed.${mode}`, keys[n % 3] ?? '', `${at}${n + 10}`),
        ),
      );
      await Promise.all(calls);
      expect(await most()).toBeGreaterThan(1);
      for (const key of keys) {
        expect(await most(key)).toBe(1);
        const called = await redis.lrange(`called:${mode}:${key}`, 0, -1);
        expect(called.length).toBe(20);
        // Of one node the calls come in their order; through the queue they are taken by any node.
        const ofFirst = called.filter((text) => text.startsWith('0'));
        if (mode !== 'async') expect(ofFirst).toEqual([...ofFirst].sort());
      }
      await deleteFunction('keyed');
    },
  );

  test('what concurrency cannot mean is refused by name', async () => {
    const cases: [string, RegExp][] = [
      [
        "GB('StreamReader').register({ concurrency: 0 })",
        /concurrency must be a whole number from 1 to 1000000, not 0/,
      ],
      ["GB('StreamReader').register({ concurrency: '5' })", /concurrency must be a whole number/],
      [
        "GB('CommandReader').register({ hook: 'get', concurrency: 1 })",
        /flow\.concurrency is 1; .* a hook answers every call/,
      ],
    ];
    for (const [source, message] of cases) expect(await refusal(source)).toMatch(message);
  });
});
