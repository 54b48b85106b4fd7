import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  batchRun,
  commandCall,
  hookedCommand,
  keyEvents,
  listItems,
  loadFunction,
  messages,
  startRedis,
  streamEntries,
  type TestEvent,
  type TestRedis,
  ticks,
} from '../../../scheduler/testing/index.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  await redis.clear();
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

/** What callbacks of a source are given for an event, as JSON. */
async function recordsSeen(source: string, event: TestEvent): Promise<readonly unknown[]> {
  await using fn = await loadFunction({ source, redis });
  const { results, errors } = await fn.deliver(event);
  expect(errors).toEqual([]);
  return results.map((text) => JSON.parse(String(text)) as unknown);
}

const SHOW = '.map((r) => JSON.stringify(r))';

describe('the records of every reader arrive as a platform hands them over', () => {
  test('entries of streams, with ids of their own or of the test', async () => {
    const seen = await recordsSeen(
      `GB('StreamReader')${SHOW}.register({ prefix: 'events:*', batch: 10 });`,
      streamEntries('events:a', { user: 'Zoë', n: 1 }, ['1700000000000-5', { user: 'bob' }]),
    );
    expect(seen).toEqual([
      { key: 'events:a', id: '1-1', value: { user: 'Zoë', n: '1' } },
      { key: 'events:a', id: '1700000000000-5', value: { user: 'bob' } },
    ]);
  });

  test('calls of a trigger', async () => {
    const seen = await recordsSeen(
      `GB('CommandReader')${SHOW}.register({ trigger: 'ask' });`,
      commandCall('ask', 'a', 7),
    );
    expect(seen).toEqual([['ask', 'a', '7']]);
  });

  test('events of keys, with what the test says or what the key holds', async () => {
    await redis.call('HSET', 'person:2', 'age', 7);
    const seen = await recordsSeen(
      `GB('KeysReader').map((r) => overrideReply(JSON.stringify(r))).register({ prefix: 'person:*', commands: ['hset'], mode: 'async_local' });`,
      keyEvents(
        { event: 'hset', key: 'person:1', value: { age: 42 }, command: ['HSET', 'person:1', 'age', 42] },
        { event: 'hset', key: 'person:2', command: ['HSET', 'person:2', 'age', 7] },
        { event: 'del', key: 'person:3', value: null, command: ['DEL', 'person:3'] },
      ),
    );
    expect(seen).toEqual([
      { key: 'person:1', event: 'hset', type: 'hash', value: { age: '42' } },
      { key: 'person:2', event: 'hset', type: 'hash', value: { age: '7' } },
      { key: 'person:3', event: 'del', type: 'empty', value: null },
    ]);
  });

  test('items of lists', async () => {
    const seen = await recordsSeen(`GB('ListReader')${SHOW}.register('jobs');`, listItems('jobs', 'one', 'two'));
    expect(seen).toEqual([
      { key: 'jobs', value: 'one' },
      { key: 'jobs', value: 'two' },
    ]);
  });

  test('messages of channels and patterns', async () => {
    const seen = await recordsSeen(
      `GB('PubSubReader')${SHOW}.register({ channels: ['news'], patterns: ['chat:*'] });`,
      messages({ channel: 'news', message: 'hello' }, { channel: 'chat:1', pattern: 'chat:*', message: 'hi' }),
    );
    expect(seen).toEqual([
      { channel: 'news', pattern: null, message: 'hello' },
      { channel: 'chat:1', pattern: 'chat:*', message: 'hi' },
    ]);
  });

  test('ticks of a schedule', async () => {
    const seen = await recordsSeen(
      `GB('ScheduleReader')${SHOW}.register({ every: '5m' });`,
      ticks({ at: 300_000, late: 12 }),
    );
    expect(seen).toEqual([{ schedule: expect.any(String), at: 300_000, tick: 1, late: 12 }]);
  });
});

describe('a hook', () => {
  const source = `GB('CommandReader').map(async (a) => 'was ' + (await callNext(...a.slice(1)))).register({ hook: 'get', mode: 'sync' });`;

  test('hands its command on to Redis, and its result is the reply', async () => {
    await redis.call('SET', 'k', 'v');
    await using fn = await loadFunction({ source, redis });
    const { results, commands } = await fn.deliver(hookedCommand('GET', 'k'));
    expect(results).toEqual(['was v']);
    expect(commands).toMatchObject([{ name: 'GET', args: ['k'], reply: 'v' }]);
  });
});

describe('a batch run', () => {
  const ages = `GB('KeysReader').map((r) => Number(r.value.age)).aggregate(0, (sum, n) => sum + n, (a, b) => a + b).run('person:*');`;

  test('reads what is in Redis', async () => {
    for (const [id, age] of [1, 2, 3].entries()) await redis.call('HSET', `person:${id}`, 'age', age);
    await using fn = await loadFunction({ source: ages, redis });
    expect(await fn.deliver(batchRun())).toMatchObject({ results: ['6'], errors: [], crashed: false });
  });

  test('or the records it is given', async () => {
    await using fn = await loadFunction({ source: ages, replies: {} });
    const given = batchRun({ key: 'person:1', value: { age: 40 } }, { key: 'person:2', value: { age: 2 } });
    expect(await fn.deliver(given)).toMatchObject({ results: ['42'], errors: [] });
  });

  test('of a generator needs neither', async () => {
    const source = `GB('GeneratorReader').map((n) => n * 2).run(function* () { for (let i = 1; i <= 3; i++) yield i; });`;
    await using fn = await loadFunction({ source, replies: {} });
    expect((await fn.deliver(batchRun())).results).toEqual(['2', '4', '6']);
  });

  test('over names, streams and shards is given what it reads', async () => {
    await redis.call('XADD', 'log', '*', 'n', '1');
    await redis.call('XADD', 'log', '*', 'n', '2');
    await using fn = await loadFunction({ source: `GB('StreamReader').map((r) => r.value.n).run('log');`, redis });
    expect((await fn.deliver(batchRun())).results).toEqual(['1', '2']);
    expect((await fn.deliver(batchRun({ n: 5 }))).results).toEqual(['5']);
    await using names = await loadFunction({ source: `GB('KeysOnlyReader').run('l*');`, redis });
    expect((await names.deliver(batchRun())).results).toEqual(['log']);
    await using shards = await loadFunction({ source: `GB('ShardsIDReader').run();`, replies: {} });
    expect((await shards.deliver(batchRun())).results).toEqual(['1']);
  });

  test('attributes commands to the records that caused them, and shows errors', async () => {
    const source = `GB('KeysOnlyReader').foreach(async (key) => {
      if (key === 'bad') throw new Error('no such thing');
      await execute('INCR', 'seen:' + key);
    }).run();`;
    await using fn = await loadFunction({ source, name: 'walk', replies: { INCR: 1 } });
    const { commands, errors } = await fn.deliver(batchRun('a', 'b', 'bad'));
    expect(commands.map(({ record, args }) => [record, args[0]])).toEqual([
      [0, 'seen:a'],
      [1, 'seen:b'],
    ]);
    expect(errors).toMatchObject([{ message: 'no such thing', stack: expect.stringContaining('walk.ts:2:') }]);
  });

  test('without Redis and records says what it needs', async () => {
    await using fn = await loadFunction({ source: ages, name: 'ages', replies: {} });
    await expect(fn.deliver(batchRun())).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: /the run of ages needs records/,
    });
    await expect(fn.deliver(batchRun({ n: 1 }))).rejects.toMatchObject({
      message: /records of a run of KeysReader are/,
    });
  });
});

describe('the registration an event is for', () => {
  const source = `
    GB('StreamReader').map(() => 'all').register({ prefix: 'events:*', id: 'all' });
    GB('StreamReader').map(() => 'web').register({ prefix: 'events:web', id: 'web', filter: { page: '/home' } });`;

  test('is found by its key, or named where several match', async () => {
    await using fn = await loadFunction({ source, name: 'two', redis });
    expect((await fn.deliver(streamEntries('events:app', { page: '/' }))).results).toEqual(['all']);
    const event = streamEntries('events:web', { page: '/home' });
    await expect(fn.deliver(event)).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: /several .*name one with \{ registration \}: two\/all, two\/web/,
    });
    expect((await fn.deliver(event, { registration: 'two/web' })).results).toEqual(['web']);
  });

  test('filters before the sandbox', async () => {
    await using fn = await loadFunction({ source, name: 'two', redis });
    const event = streamEntries('events:web', { page: '/home' }, { page: '/other' });
    const { records } = await fn.deliver(event, { registration: 'two/web' });
    expect(records.map(({ end }) => end)).toEqual(['done', 'filtered']);
  });

  test('that is none is an error that lists what there is', async () => {
    await using fn = await loadFunction({ source, name: 'two', redis });
    await expect(fn.deliver(commandCall('ask'))).rejects.toThrow(
      'two registers nothing for the trigger "ask"; it registers two/all, two/web',
    );
    await expect(fn.deliver(batchRun())).rejects.toThrow('two does not call run(…)');
  });
});
