import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  assertDone,
  batchRun,
  type CrashPoint,
  commandCall,
  expectRetrySafe,
  hookedCommand,
  loadFunction,
  startRedis,
  streamEntries,
  type TestFunction,
  type TestRedis,
} from '../../../scheduler/testing/index.ts';

const SOURCE = `
let seen = 0;
GB('StreamReader')
  .foreach(async (r) => {
    seen += 1;
    await execute('SET', 'seen', seen);
    await execute('INCR', 'steps');
    await Promise.all([execute('SADD', 'all', r.id), execute('RPUSH', 'list', r.id), execute('INCR', 'steps')]);
  })
  .register({ prefix: 'events', mode: 'sync' });
GB('StreamReader')
  .foreach(async () => {
    await execute('SET', 'before', 1);
    await atomic(() => { execute('INCR', 'a'); execute('INCR', 'b'); });
    await atomic(async (tx) => {
      const a = Number(await tx.execute('GET', 'a'));
      tx.execute('SET', 'c', a);
      tx.execute('SET', 'd', a);
    });
    await execute('SET', 'after', 1);
  })
  .register({ prefix: 'atomic', mode: 'sync' });
GB('CommandReader').map(() => String(++seen)).register({ trigger: 'count' });
`;

let redis: TestRedis;
let fn: TestFunction;
beforeAll(async () => {
  redis = await startRedis();
  fn = await loadFunction({ source: SOURCE, name: 'steps', redis });
});
beforeEach(async () => {
  await redis.clear();
  fn.reload();
});
afterAll(async () => {
  await fn?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const event = streamEntries('events', { n: 1 });

/** Names of the keys that are there. */
async function keys(): Promise<readonly string[]> {
  return [...(await redis.snapshot()).keys()].sort();
}

describe('a sandbox that is killed', () => {
  test.each<[CrashPoint, readonly string[], number]>([
    ['start', [], 0],
    [{ before: 1 }, [], 0],
    [{ after: 1 }, ['seen'], 1],
    [{ after: 'incr' }, ['seen', 'steps'], 2],
    [{ before: 'RPUSH' }, ['all', 'seen', 'steps'], 3],
    [{ after: 4 }, ['all', 'list', 'seen', 'steps'], 4],
  ])('at %j leaves what had happened, and its record without an end', async (crash, left, happened) => {
    const delivery = await fn.deliver(event, { crash });
    expect(delivery.crashed).toBe(true);
    expect(delivery.records.map(({ end }) => end)).toEqual(['interrupted']);
    expect(delivery.commands.filter(({ reply }) => reply !== undefined)).toHaveLength(happened);
    expect(await keys()).toEqual(left);
  });

  test('before the acknowledgement leaves everything; delivered again, it happens twice', async () => {
    const delivery = await fn.deliver(event, { crash: 'acknowledge' });
    expect(delivery).toMatchObject({ crashed: true, records: [{ end: 'done' }] });
    expect(await redis.call('GET', 'steps')).toBe('2');
    assertDone(fn, await fn.deliver(event));
    expect(await redis.call('GET', 'steps')).toBe('4');
    expect(await redis.call('LRANGE', 'list', 0, -1)).toEqual(['1-1', '1-1']);
  });

  test('has lost its memory; one that is given a record twice has not', async () => {
    await fn.deliver(event);
    await fn.deliver(event);
    expect(await redis.call('GET', 'seen')).toBe('2');
    await fn.deliver(event, { crash: 'acknowledge' });
    await fn.deliver(event);
    expect(await redis.call('GET', 'seen')).toBe('1');
    await fn.kill();
    expect((await fn.deliver(commandCall('count'))).results).toEqual(['1']);
  });

  test('is killed by name or number only when it comes there', async () => {
    for (const crash of [{ after: 'ZADD' }, { after: 99 }] as const) {
      expect(await fn.deliver(event, { crash })).toMatchObject({ crashed: false, records: [{ end: 'done' }] });
    }
  });

  test('does not take others of its records with it that had their end', async () => {
    const both = streamEntries('events', { n: 1 }, { n: 2 });
    const delivery = await fn.deliver(both, { crash: { after: 6 } });
    expect(delivery.records.map(({ end }) => end)).toEqual(['done', 'interrupted']);
    expect(delivery.commands.map(({ record }) => record)).toEqual([0, 0, 0, 0, 0, 1]);
  });
});

describe('a batch run', () => {
  const source = `GB('KeysOnlyReader').foreach((key) => execute('INCR', 'walked:' + key)).count().run();`;

  test('whose sandbox is killed ends without results, and begins anew when it is delivered again', async () => {
    await using walk = await loadFunction({ source, name: 'walk', redis });
    const event = batchRun('a', 'b');
    const crashed = await walk.deliver(event, { crash: { after: 1 } });
    expect(crashed).toMatchObject({ crashed: true, results: [], errors: [] });
    expect(await walk.deliver(event)).toMatchObject({ crashed: false, results: ['2'], errors: [] });
    expect(await redis.call('MGET', 'walked:a', 'walked:b')).toEqual(['2', '1']);
    await expect(expectRetrySafe(walk, event)).rejects.toThrow('walked:a: is 2, after a clean run 1');
  });
});

describe('a hook', () => {
  test('may be killed before or behind the command it hands on', async () => {
    const source = `GB('CommandReader').map((a) => callNext(...a.slice(1))).register({ hook: 'incr', mode: 'sync' });`;
    await using hook = await loadFunction({ source, name: 'hook', redis });
    const event = hookedCommand('INCR', 'n');
    expect(await hook.deliver(event, { crash: 'start' })).toMatchObject({
      crashed: true,
      records: [{ end: 'interrupted' }],
    });
    expect(await redis.call('GET', 'n')).toBe(null);
    expect(await hook.deliver(event, { crash: { after: 'INCR' } })).toMatchObject({ crashed: true });
    expect(await redis.call('GET', 'n')).toBe('1');
  });
});

describe('a transaction', () => {
  const transactions = streamEntries('atomic', { n: 1 });

  test.each<[CrashPoint, readonly string[]]>([
    [{ before: 2 }, ['before']],
    [{ before: 3 }, ['before']],
    [{ after: 2 }, ['a', 'b', 'before']],
    [{ after: 3 }, ['a', 'b', 'before']],
    [{ before: 'SET' }, []],
    [{ after: 'GET' }, ['a', 'b', 'before']],
    [{ before: 5 }, ['a', 'b', 'before']],
    [{ after: 5 }, ['a', 'b', 'before', 'c', 'd']],
    [{ after: 6 }, ['a', 'b', 'before', 'c', 'd']],
  ])('happens as a whole or not at all, killed at %j', async (crash, left) => {
    const delivery = await fn.deliver(transactions, { crash });
    expect(delivery).toMatchObject({ crashed: true, records: [{ end: 'interrupted' }] });
    expect(await keys()).toEqual(left);
  });

  test('shows its commands as one, with their replies', async () => {
    const { commands } = await fn.deliver(transactions);
    expect(commands.map(({ name, args, reply }) => [name, args[0], reply])).toEqual([
      ['SET', 'before', 'OK'],
      ['INCR', 'a', 1],
      ['INCR', 'b', 1],
      ['GET', 'a', '1'],
      ['SET', 'c', 'OK'],
      ['SET', 'd', 'OK'],
      ['SET', 'after', 'OK'],
    ]);
    const units = commands.map(({ unit }) => unit);
    expect(units[1]).toBe(units[2]);
    expect(units[4]).toBe(units[5]);
    expect(new Set(units).size).toBe(5);
  });
});
