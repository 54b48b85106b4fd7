import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  assertDone,
  commandCall,
  loadFunction,
  openRedis,
  startRedis,
  streamEntries,
  type TestFunction,
  type TestRedis,
} from '../../../scheduler/testing/index.ts';

const SOURCE = `
interface Order { item: string }
GB('StreamReader')
  .foreach(async (r: { id: string; value: Record<string, string> }) => {
    const order: Order = { item: r.value.item ?? '' };
    if (order.item === '') throw new TypeError('an order without an item');
    await execute('INCR', order.item);
    log('took ' + order.item, 'warning');
  })
  .register({ prefix: 'orders', batch: 10 });
GB('CommandReader')
  .map(async ([, command = '', ...args]: string[]) => {
    try {
      return await execute(command, ...args);
    } catch (error) {
      return String(error);
    }
  })
  .register({ trigger: 'run', convertToStr: false });
`;

let redis: TestRedis;
let fn: TestFunction;
beforeAll(async () => {
  redis = await startRedis();
  fn = await loadFunction({ source: SOURCE, name: 'orders', redis });
});
afterAll(async () => {
  await fn?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

describe('a delivery tells', () => {
  test('of each record its end, its results, its error with the lines of the author, and its commands', async () => {
    const delivery = await fn.deliver(streamEntries('orders', { item: 'tea' }, {}, { item: 'jam' }));
    expect(delivery.records).toMatchObject([{ end: 'done' }, { end: 'failed' }, { end: 'done' }]);
    expect(delivery.errors).toMatchObject([
      {
        record: 1,
        name: 'TypeError',
        message: 'an order without an item',
        stack: expect.stringContaining('orders.ts:6:'),
      },
    ]);
    expect(delivery.commands).toMatchObject([
      { record: 0, name: 'INCR', args: ['tea'], reply: 1, at: 'orders.ts:7:11' },
      { record: 2, name: 'INCR', args: ['jam'], reply: 1, at: 'orders.ts:7:11' },
    ]);
    expect(delivery.logs).toEqual([
      { level: 'warning', message: 'took tea' },
      { level: 'warning', message: 'took jam' },
    ]);
  });

  test('error replies and bytes as they are', async () => {
    await redis.call('SET', 'text', 'x');
    await redis.call('SET', 'bytes', new Uint8Array([0xff, 0x00]));
    const wrong = await fn.deliver(commandCall('run', 'LPUSH', 'text', '1'));
    expect(wrong.commands[0]?.reply).toMatchObject({ message: expect.stringContaining('WRONGTYPE') });
    const bytes = await fn.deliver(commandCall('run', 'GET', 'bytes'));
    expect(bytes).toMatchObject({
      results: [new Uint8Array([0xff, 0x00])],
      commands: [{ reply: new Uint8Array([0xff, 0x00]) }],
    });
  });

  test('what the policy of a platform refuses', async () => {
    for (const command of [['FLUSHALL'], ['GET', 'rg:x'], ['BLPOP', 'a', '0']] as const) {
      const { results } = await fn.deliver(commandCall('run', ...command));
      expect(results[0]).toContain('COMMAND_FORBIDDEN');
    }
  });
});

describe('assertDone', () => {
  test('is content with what is done or filtered out', async () => {
    assertDone(fn, await fn.deliver(streamEntries('orders', { item: 'tea' })));
  });

  test('shows the error, its stack and the lines of the author', async () => {
    const delivery = await fn.deliver(streamEntries('orders', {}));
    let message = '';
    try {
      assertDone(fn, delivery);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('\n').slice(0, 2)).toEqual(['orders failed, record 0', 'TypeError: an order without an item']);
    expect(message).toMatch(/at .*orders\.ts:6:\d+/);
    expect(message).toMatch(/\n {2}> 6 \| {5}if \(order\.item === ''\) throw new TypeError/);
  });
});

describe('what does not load', () => {
  test.each([
    {
      what: 'a syntax error',
      source: `GB('CommandReader'\n  .register({ trigger: 'x' });`,
      code: 'ARTIFACT_INVALID',
      message: /bad\.ts:2:/,
    },
    { what: 'a throw at the top', source: `const x = null;\nx.y;`, code: 'GUEST_ERROR', message: /> 2 \| x\.y;/ },
    {
      what: 'a wrong argument',
      source: `GB('CommandReader').register({ triger: 'x' });`,
      code: 'GUEST_ARGUMENT',
      message: /trigger/,
    },
    { what: 'an import of a source', source: `import 'node:fs';`, code: 'ARTIFACT_INVALID', message: /node:fs/ },
  ])('$what is an error with file and line', async ({ source, code, message }) => {
    const loading = loadFunction({ source, name: 'bad', replies: {} });
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('options that do not fit are refused', async () => {
    await expect(loadFunction({})).rejects.toThrow('either a file or a source');
    await expect(loadFunction({ source: '', file: 'x.ts' })).rejects.toThrow('either a file or a source');
    await expect(loadFunction({ source: '', redis, replies: {} })).rejects.toThrow('either a redis or replies');
    await expect(loadFunction({ source: '', replies: {}, record: 'x' })).rejects.toThrow('nothing to record');
    await expect(loadFunction({ file: 'no/such.ts', redis })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  });
});

test('settings, limits and what configure narrows hold as on a platform', async () => {
  const source = `configure({ commands: ['GET'], settings: { region: 'eu', size: 's' } });
    GB('CommandReader').map(() => configGet('region') + configGet('size')).register({ trigger: 'where' });
    GB('CommandReader').foreach(() => execute('SET', 'a', 1)).register({ trigger: 'set' });
    GB('CommandReader').foreach(() => { for (;;); }).register({ trigger: 'spin' });`;
  const options = { source, replies: {}, settings: { region: 'us' }, limits: { callMs: 100 } };
  await using narrow = await loadFunction(options);
  expect((await narrow.deliver(commandCall('where'))).results).toEqual(['uss']);
  expect((await narrow.deliver(commandCall('set'))).errors).toMatchObject([{ code: 'COMMAND_FORBIDDEN' }]);
  expect((await narrow.deliver(commandCall('spin'))).errors).toMatchObject([{ code: 'LIMIT_CALL_TIME' }]);
});

test('a server that was not started by the kit is not emptied', async () => {
  await using redisOfOthers = await openRedis(redis.url);
  await redis.call('SET', 'kept', 1);
  await expect(redisOfOthers.clear()).rejects.toMatchObject({ code: 'ARGUMENT_INVALID', message: /mayClear/ });
  expect(await redis.call('GET', 'kept')).toBe('1');
});
