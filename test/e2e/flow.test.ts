import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow, TOPOLOGIES, type Topology } from './topology.ts';

const RATE = { count: 20, perMs: 500 };
/** Between the moment an event may start and the moment its effect is in Redis. */
const DELAY_MS = 500;
const WINDOWS_MS = [100, 250, 500, 1_000];

describe.each(Object.entries(TOPOLOGIES))('flow control over two nodes on %s', (_, start) => {
  let topology: Topology;
  let nodes: PlatformProcess[];
  let door: Redis;
  let redis: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    redis = topology.client();
    nodes = await Promise.all([0, 1].map(() => startPlatformProcess({ redisUrl: topology.url })));
    door = (nodes[0] as PlatformProcess).door;
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node[Symbol.asyncDispose]()));
    await topology?.[Symbol.asyncDispose]();
  });

  const refusal = async (source: string): Promise<string> =>
    loadFunction(door, 'refused', source).then(
      () => 'was accepted',
      (error: unknown) => String(error),
    );
  /** Times (ms, of the server) at which events left their mark. */
  const timesOf = async (marks: string): Promise<number[]> =>
    (await redis.xrange(marks, '-', '+')).map(([id]) => Number(id.split('-')[0]));
  const add = async (stream: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await redis.xadd(stream, '*', 'n', String(n));
  };

  test.each(['async_local', 'sync', 'async'])('no more events start than the bucket gives (mode %s)', async (mode) => {
    const marks = `marks:${mode}`;
    const source = `GB('StreamReader').foreach((r) => execute('XADD', '${marks}', '*', 'n', r.value.n))
      .register({ prefix: 'rated:${mode}:*', mode: '${mode}', rateLimit: { count: ${RATE.count}, per: ${RATE.perMs} } });`;
    for (let s = 0; s < 4; s += 1) await add(`rated:${mode}:${s}`, 25);
    const { ids } = await loadFunction(door, `rated.${mode}`, source);
    await waitFor(async () => (await timesOf(marks)).length >= 100, { what: '100 marks' });
    const times = await timesOf(marks);
    expect(times.length).toBe(100);
    expectWithin(times);
    const least = ((100 - RATE.count) * RATE.perMs) / RATE.count;
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(least - DELAY_MS);
    expect((await registrationRow(door, ids[0] ?? '')).get('rateLimit')).toEqual(['count', 20, 'per', '500ms']);
    await door.call('RG.FUNCTION', 'DELETE', `rated.${mode}`);
  });

  test('calls above the rate hear when to come again, on every node', async () => {
    const source = `GB('CommandReader').map(() => 'here').register({ trigger: 'scarce', mode: 'async_local', rateLimit: { count: 5, per: '1m' } });`;
    await loadFunction(door, 'scarce', source);
    const calls = nodes.flatMap((node) => Array.from({ length: 10 }, () => node.door.call('RG.TRIGGER', 'scarce')));
    const answers = await Promise.all(calls.map((call) => call.then(String, (error: Error) => error.message)));
    expect(answers.filter((answer) => answer === 'here').length).toBe(5);
    const refused = answers.filter((answer) => answer !== 'here');
    for (const answer of refused) {
      expect(answer).toMatch(
        /^ERR \[RATE_LIMITED\] scarce\/command\/scarce takes 5 calls per 1m .* retry after \d+ ms$/,
      );
    }
    const waits = refused.map((answer) => Number(/after (\d+) ms/.exec(answer)?.[1]));
    expect(Math.max(...waits)).toBeLessThanOrEqual(12_000);
    expect(Math.min(...waits)).toBeGreaterThan(5_000);
  });

  test('items above the rate stay in their list', async () => {
    const source = `GB('ListReader').foreach((r) => execute('INCR', 'items:done')).register({ list: 'rated:jobs', rateLimit: { count: 5, per: '1h' } });`;
    await redis.lpush('rated:jobs', ...Array.from({ length: 100 }, (_none, n) => String(n)));
    await loadFunction(door, 'jobs', source);
    await waitFor(async () => (await redis.get('items:done')) === '5', { what: 'five items have run' });
    expect(await redis.llen('rated:jobs')).toBeGreaterThanOrEqual(100 - 5 - 2 * 5);
    expect(await redis.get('items:done')).toBe('5');
    await door.call('RG.FUNCTION', 'DELETE', 'jobs');
  });

  test('messages that are not kept are dropped above the rate, and counted', async () => {
    const source = `GB('PubSubReader').foreach((r) => execute('INCR', 'heard')).register({ channels: ['noise'], rateLimit: { count: 3, per: '1h' } });`;
    const { ids } = await loadFunction(door, 'noise', source);
    const row = () => registrationRow(door, ids[0] ?? '');
    for (let n = 0; n < 10; n += 1) await door.publish('noise', String(n));
    await waitFor(async () => (await row()).get('numAborted') === 7, { what: 'seven are dropped' });
    await waitFor(async () => (await row()).get('done') === 3, { what: 'three have run' });
    expect(await redis.get('heard')).toBe('3');
    await door.call('RG.FUNCTION', 'DELETE', 'noise');
  });

  test.each(['async_local', 'sync', 'async'])(
    'what waits for a token until it is too old expires (mode %s)',
    async (mode) => {
      const source = `GB('StreamReader').foreach((r) => execute('INCR', 'aged:${mode}:done'))
      .register({ prefix: 'aged:${mode}', mode: '${mode}', maxAge: 700, rateLimit: { count: 2, per: '1h' } });`;
      await add(`aged:${mode}`, 30);
      const { ids } = await loadFunction(door, `aged.${mode}`, source);
      const row = () => registrationRow(door, ids[0] ?? '');
      await waitFor(async () => (await row()).get('expired') === 28, { what: 'the others are expired' });
      expect(await redis.get(`aged:${mode}:done`)).toBe('2');
      expect((await row()).get('done')).toBe(2);
      await door.call('RG.FUNCTION', 'DELETE', `aged.${mode}`);
    },
  );

  test('what a pattern refuses never reaches a sandbox: entries, items, messages, key events, calls', async () => {
    const seen = (text: string): string => `.foreach((r) => execute('SADD', 'seen', ${text}))`;
    const source = `
      GB('StreamReader')${seen("'s' + r.value.n")}.register({ prefix: 'picked', filter: { n: { gte: 3, not: 4 } } });
      GB('ListReader')${seen("'l' + r.value")}.register({ list: 'picks', filter: { 'value.kind': ['a', { prefix: 'b' }] } });
      GB('PubSubReader')${seen("'p' + r.message")}.register({ patterns: ['ch:*'], filter: [{ channel: 'ch:1' }, { message: 'x' }] });
      GB('PubSubReader')${seen("'d' + r.message")}.register({ patterns: ['ch:*'], durable: true, id: 'durable', filter: { channel: 'ch:1' } });
      GB('KeysReader')${seen("'k' + r.key")}.register({ prefix: 'thing:*', eventTypes: ['set'], readValue: false, filter: { key: { prefix: 'thing:ä' } } });
      GB('CommandReader').map((a) => a[1]).register({ trigger: 'pick', filter: { 1: { prefix: 'y' } } });`;
    const { ids } = await loadFunction(door, 'picky', source);
    await add('picked', 6);
    await redis.lpush('picks', '{"kind":"a"}', '{"kind":"c"}', 'none', '{"kind":"bc"}');
    for (const [channel, message] of [
      ['ch:1', 'm'],
      ['ch:2', 'x'],
      ['ch:2', 'y'],
    ] as const)
      await door.publish(channel, message);
    for (const key of ['thing:ä', 'thing:a', 'thing:äb']) await door.set(key, '1');
    const wanted = ['s3', 's5', 'l{"kind":"a"}', 'l{"kind":"bc"}', 'pm', 'px', 'dm', 'kthing:ä', 'kthing:äb'];
    await waitFor(async () => (await redis.scard('seen')) >= wanted.length, { what: 'everything wanted has run' });
    expect(await door.call('RG.TRIGGER', 'pick', 'yes')).toEqual(['yes']);
    expect(await door.call('RG.TRIGGER', 'pick', 'no')).toEqual([]);
    const filtered = async (n: number): Promise<number> =>
      Number((await registrationRow(door, ids[n] ?? '')).get('filtered'));
    await waitFor(async () => (await filtered(0)) === 4 && (await filtered(1)) === 2, {
      what: 'the others have ended',
    });
    await waitFor(async () => (await filtered(2)) === 1 && (await filtered(3)) === 2, { what: 'messages, too' });
    expect((await redis.smembers('seen')).sort()).toEqual(wanted.sort());
    await door.call('RG.FUNCTION', 'DELETE', 'picky');
  });

  test('with key, executions of one stream run side by side and those of one key one after another', async () => {
    const source = `let failedOnce = false;
      GB('StreamReader').foreach(async (r) => {
        const { k, n } = r.value;
        const open = await execute('INCR', 'open');
        await execute('ZADD', 'most', 'GT', open, 'all');
        await execute('ZADD', 'most', 'GT', await execute('INCR', 'open:' + k), k);
        await execute('DECR', 'open:' + k);
        await execute('DECR', 'open');
        if (n === '50' && !failedOnce) { failedOnce = true; throw new Error('once'); }
        await execute('RPUSH', 'done:' + k, n);
      }).register({ prefix: 'keyed', mode: 'sync', key: (r) => r.value.k, onFailedPolicy: 'retry', onFailedRetryInterval: 0.05 });`;
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (let n = 0; n < 400; n += 1) await redis.xadd('keyed', '*', 'k', keys[n % keys.length] ?? '', 'n', String(n));
    const { ids } = await loadFunction(door, 'keyed', source);
    const done = async (): Promise<number> => Number((await registrationRow(door, ids[0] ?? '')).get('done'));
    await waitFor(async () => (await done()) === 400, { what: 'all have run' });
    for (const [at, key] of keys.entries()) {
      const wanted = Array.from({ length: 50 }, (_none, n) => String(n * keys.length + at));
      expect(await redis.lrange(`done:${key}`, 0, -1)).toEqual(wanted);
      expect(await redis.zscore('most', key)).toBe('1');
    }
    expect(Number(await redis.zscore('most', 'all'))).toBeGreaterThan(1);
    await door.call('RG.FUNCTION', 'DELETE', 'keyed');
  });

  test('a key callback that names nothing fails its entry', async () => {
    const source = `GB('StreamReader').foreach(() => execute('INCR', 'never')).register({ prefix: 'keyless', mode: 'sync', key: (r) => r.value.none });`;
    await redis.xadd('keyless', '*', 'a', '1');
    const { ids } = await loadFunction(door, 'keyless', source);
    const row = () => registrationRow(door, ids[0] ?? '');
    const error = 'key must give a text or a number, not undefined';
    await waitFor(async () => String((await row()).get('lastError')).includes(error), { what: 'the error is told' });
    await waitFor(async () => (await row()).get('dead') === 1, { what: 'a dead letter' });
    expect((await row()).get('key')).toBe(1);
    expect(await redis.get('never')).toBe(null);
  });

  test('what flow control cannot mean is refused by name', async () => {
    const cases: [string, RegExp][] = [
      ["GB('StreamReader').register({ filter: 'x' })", /filter must be an object of field names and conditions/],
      ["GB('StreamReader').register({ filter: { a: null } })", /filter\.a must be a text, a number/],
      ["GB('StreamReader').register({ filter: { a: { gt: 'x' } } })", /filter\.a\.gt is "x"; it must be a number/],
      ["GB('KeysReader').register({ filter: { type: 'hash' } })", /a pattern sees key, event here/],
      ["GB('CommandReader').register({ hook: 'get', filter: { 1: 'a' } })", /a hook answers every call/],
      ["GB('StreamReader').register({ mode: 'sync', key: 'id' })", /key must be a function/],
      [
        "GB('StreamReader').accumulate((a) => a).register({ mode: 'sync', key: (r) => r.id })",
        /steps that bind records together/,
      ],
      ["GB('CommandReader').register({ hook: 'get', key: (r) => r[1] })", /a hook answers every call/],
      ["GB('StreamReader').register({ rateLimit: 5 })", /rateLimit must be an object such as/],
      ["GB('StreamReader').register({ rateLimit: { count: 5 } })", /rateLimit needs count and per/],
      [
        "GB('StreamReader').register({ rateLimit: { count: 0, per: 5 } })",
        /rateLimit: count must be a whole number from 1/,
      ],
      ["GB('StreamReader').register({ rateLimit: { count: 1, per: 5, burst: 2 } })", /unknown argument "burst"/],
    ];
    for (const [source, message] of cases) expect(await refusal(source)).toMatch(message);
  });
});

/** In no window more than a full bucket and what flowed in meanwhile. */
function expectWithin(times: readonly number[]): void {
  for (const windowMs of WINDOWS_MS) {
    const most = RATE.count + (RATE.count * (windowMs + DELAY_MS)) / RATE.perMs;
    for (const from of times) {
      const inside = times.filter((at) => at >= from && at < from + windowMs).length;
      expect(inside).toBeLessThanOrEqual(most);
    }
  }
}
