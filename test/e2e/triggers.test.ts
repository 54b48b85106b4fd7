import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow, TOPOLOGIES, type Topology } from './topology.ts';

describe.each(Object.entries(TOPOLOGIES))('schedules, lists and channels on %s', (_, start) => {
  let topology: Topology;
  let platform: PlatformProcess;
  let redis: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    redis = topology.client();
    platform = await startPlatformProcess({ redisUrl: topology.url });
  });
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });

  const refusal = async (source: string): Promise<string> =>
    loadFunction(platform.door, 'refused', source).then(
      () => 'was accepted',
      (error: unknown) => String(error),
    );
  const done = async (id: string): Promise<number> => Number((await registrationRow(platform.door, id)).get('done'));

  test.each(['sync', 'async_local', 'async'])('ticks of a schedule run once each (mode %s)', async (mode) => {
    const source = `GB('ScheduleReader').foreach(async (r) => {
        await execute('RPUSH', 'ticks:${mode}', JSON.stringify(r));
      }).register({ every: '200ms', mode: '${mode}', id: 'pulse' });`;
    const { ids } = await loadFunction(platform.door, `clock.${mode}`, source);
    const ticks = async (): Promise<{ schedule: string; at: number; tick: number; late: number }[]> =>
      (await redis.lrange(`ticks:${mode}`, 0, -1)).map((text) => JSON.parse(text));
    await waitFor(async () => (await ticks()).length >= 6, { what: 'six ticks' });
    await platform.door.call('RG.PAUSEREGISTRATIONS', ...ids);
    const all = (await ticks()).sort((a, b) => a.at - b.at);
    expect(all.every(({ schedule, late }) => schedule === `clock.${mode}/pulse` && late >= 0)).toBe(true);
    expect(all.map(({ tick }) => tick)).toEqual(all.map((_tick, n) => n + 1));
    expect(all.every(({ at }) => at % 200 === 0)).toBe(true);
    expect(await platform.door.call('RG.UNREGISTER', ids[0] ?? '')).toBe('OK');
  });

  test('cron runs by the clock of its time zone, and a single time once', async () => {
    const soon = new Date(Date.now() + 1_500).toISOString();
    const source = `
      GB('ScheduleReader').foreach((r) => execute('HINCRBY', 'runs', 'cron', 1)).register('* * * * * *', { timeZone: 'Asia/Tokyo' });
      GB('ScheduleReader').foreach((r) => execute('HINCRBY', 'runs', 'at', 1)).register({ at: '${soon}' });`;
    const { ids } = await loadFunction(platform.door, 'times', source);
    expect(ids).toEqual(['times/schedule/*_*_*_*_*_*', `times/schedule/at-${soon}`]);
    await waitFor(async () => Number(await redis.hget('runs', 'cron')) >= 3, { what: 'three seconds of cron' });
    expect(await redis.hget('runs', 'at')).toBe('1');
    const row = await registrationRow(platform.door, ids[0] ?? '');
    expect(row.get('args')).toContain('Asia/Tokyo');
    expect(row.get('reader')).toBe('ScheduleReader');
    await platform.door.call('RG.FUNCTION', 'DELETE', 'times');
  });

  test('what a registration cannot mean is refused by name', async () => {
    const cases: [string, RegExp][] = [
      ["GB('ScheduleReader').register({ cron: '99 * * * *' })", /cron "99 \* \* \* \*" is not understood/],
      ["GB('ScheduleReader').register({ cron: '* * * * *', timeZone: 'Mars/Base' })", /timeZone "Mars\/Base"/],
      ["GB('ScheduleReader').register({ evry: '5m' })", /unknown argument "evry". Did you mean every\?/],
      ["GB('ScheduleReader').register({ every: '5m', at: 5 })", /exactly one of cron, every and at/],
      ["GB('ScheduleReader').register({ every: '5m', missed: 'some' })", /missed must be one of skip, once, all/],
      ["GB('ListReader').register({ lst: 'jobs' })", /unknown argument "lst"/],
      ["GB('ListReader').register({ list: 'a', lists: ['b'] })", /one of list and lists/],
      ["GB('ListReader').register({ list: 'rg:{queue}:x' })", /platform's own keys/],
      ["GB('PubSubReader').register({})", /channels or patterns must be given/],
      ["GB('PubSubReader').register({ channels: ['a'], maxAttempts: 3 })", /maxAttempts needs durable: true/],
      ["GB('PubSubReader').register({ channels: ['a'], mode: 'async' })", /mode 'async' needs durable: true/],
      ["GB('PubSubReader').register({ patterns: ['a*'], sharded: true })", /sharded channels have no patterns/],
    ];
    for (const [source, message] of cases) expect(await refusal(source)).toMatch(message);
  });

  test.each(['sync', 'async_local', 'async'])('items of lists run once each (mode %s)', async (mode) => {
    const source = `GB('ListReader').foreach(async (r) => {
        await execute('HINCRBY', 'items:${mode}', r.key + ' ' + r.value, 1);
      }).register({ lists: ['high:${mode}', 'low:${mode}'], mode: '${mode}', batch: 10 });`;
    for (let n = 0; n < 50; n += 1) await redis.lpush(`low:${mode}`, `${n}`);
    const { ids } = await loadFunction(platform.door, `queue.${mode}`, source);
    for (let n = 0; n < 50; n += 1) await redis.lpush(`high:${mode}`, `${n}`);
    for (let n = 0; n < 10; n += 1) await platform.door.lpush(`high:${mode}`, `door ${n}`);
    await waitFor(async () => (await redis.hlen(`items:${mode}`)) === 110, { what: 'all items have run' });
    expect(new Set(Object.values(await redis.hgetall(`items:${mode}`)))).toEqual(new Set(['1']));
    await waitFor(async () => (await done(ids[0] ?? '')) === 110, { what: 'the counters agree' });
    expect(await redis.llen(`high:${mode}`)).toBe(0);
  });

  test('binary items arrive as bytes; failed ones are dead letters and go back to their list', async () => {
    const source = `GB('ListReader').foreach(async (r) => {
        if (!(await execute('EXISTS', 'mended'))) throw new RangeError('no, ' + r.key);
        await execute('SET', 'bytes', r.value);
      }).register('bin', { maxAttempts: 2, onFailedRetryInterval: 0.01 });`;
    const { ids } = await loadFunction(platform.door, 'binary', source);
    const item = Buffer.from([0, 200, 255, 13, 10]);
    await redis.lpush('bin', item);
    const letters = async (): Promise<unknown[]> =>
      (await platform.door.call('RG.DEADLETTERS', 'LIST', 'REGISTRATION', ids[0] ?? '')) as unknown[];
    await waitFor(async () => (await letters()).length === 1, { what: 'the dead letter' });
    expect(JSON.stringify(await letters())).toContain('no, bin');
    await redis.set('mended', '1');
    expect(await platform.door.call('RG.DEADLETTERS', 'REDRIVE', 'REGISTRATION', ids[0] ?? '')).toBe(1);
    const stored = await waitFor(() => redis.getBuffer('bytes'), { what: 'the item has run' });
    expect(stored).toEqual(item);
    expect(await letters()).toEqual([]);
  });

  test('a version change keeps the list; the new version runs what comes', async () => {
    const source = (version: string) =>
      `GB('ListReader').foreach((r) => execute('HINCRBY', 'by', '${version}', 1)).register('versions');`;
    await loadFunction(platform.door, 'versions', source('one'));
    for (let n = 0; n < 20; n += 1) await redis.lpush('versions', `${n}`);
    await waitFor(async () => (await redis.hget('by', 'one')) === '20', { what: 'the first version' });
    await loadFunction(platform.door, 'versions', source('two'));
    for (let n = 0; n < 20; n += 1) await redis.lpush('versions', `${n}`);
    await waitFor(async () => (await redis.hget('by', 'two')) === '20', { what: 'the second version' });
    expect(await redis.hget('by', 'one')).toBe('20');
  });

  test.each([
    ['memory', false, 'sync'],
    ['memory', false, 'async_local'],
    ['durable', true, 'sync'],
    ['durable', true, 'async_local'],
    ['durable', true, 'async'],
  ] as const)('messages from %s (durable: %s) run once each (mode %s)', async (name, durable, mode) => {
    const at = `${name}:${mode}`;
    const source = `GB('PubSubReader').foreach(async (r) => {
        await execute('HINCRBY', 'heard:${at}', r.channel + ' ' + r.pattern + ' ' + r.message, 1);
      }).register({ channels: ['news:${at}'], patterns: ['chat:${at}:*'], durable: ${durable}, mode: '${mode}' });`;
    const { ids } = await loadFunction(platform.door, `heard.${name}.${mode}`, source);
    for (let n = 0; n < 50; n += 1) await redis.publish(`news:${at}`, `${n}`);
    for (let n = 0; n < 50; n += 1) await redis.publish(`chat:${at}:x`, `${n}`);
    await waitFor(async () => (await redis.hlen(`heard:${at}`)) === 100, { what: 'all messages have run' });
    const heard = await redis.hgetall(`heard:${at}`);
    expect(heard[`news:${at} null 7`]).toBe('1');
    expect(heard[`chat:${at}:x chat:${at}:* 7`]).toBe('1');
    await waitFor(async () => (await done(ids[0] ?? '')) === 100, { what: 'the counters agree' });
  });

  test('sharded channels are heard wherever their shard is', async () => {
    const names = Array.from({ length: 9 }, (_name, n) => `sharded${n}`);
    const source = `GB('PubSubReader').foreach((r) => execute('SADD', 'sharded', r.channel + '=' + r.message))
      .register({ channels: ${JSON.stringify(names)}, sharded: true });`;
    await loadFunction(platform.door, 'sharded', source);
    for (const name of names) await redis.spublish(name, 'x');
    await waitFor(async () => (await redis.scard('sharded')) === 9, { what: 'all are heard' });
  });

  test('the doctor and RG.STREAMS know them', async () => {
    const rows = JSON.stringify(await platform.door.call('RG.STREAMS', 'versions/list/versions'));
    expect(rows).toContain('items:versions/list/versions');
    const checks = (await platform.door.call('RG.DOCTOR')) as string[][];
    expect(checks.find((check) => check[1] === 'consumer groups')?.[3]).toBe('ok');
    await redis.set('text', 'no list');
    await loadFunction(platform.door, 'wrong', `GB('ListReader').register('text');`);
    const after = (await platform.door.call('RG.DOCTOR')) as string[][];
    expect(after.find((check) => check[1] === 'list text')?.slice(2, 6)).toEqual([
      ...['state', 'bad', 'finding', 'the key holds a string, no list'],
    ]);
    expect(after.filter((check) => /^(schedule|channels) /.test(check[1] ?? ''))).toEqual([]);
  });
});
