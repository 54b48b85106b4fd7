import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type ApiAnswer, type Json, startApi } from './support/api.ts';

let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;
const SOURCE = `
new GearsBuilder('CommandReader')
  .map(async (r) => {
    log('asked for ' + r[1]);
    console.warn('careful');
    const n = await execute('INCR', 'asked');
    return { n, who: r[1] };
  })
  .register({ trigger: 'ask', mode: 'sync' });
new GearsBuilder('StreamReader')
  .filter((r) => r.value.kind !== 'noise')
  .foreach(async (r) => {
    if (r.value.kind === 'broken') throw new RangeError('broken ' + r.id);
    await execute('HSET', 'last', 'id', r.id, 'stream', r.key);
    await execute('INCR', 'last').catch(() => {});
  })
  .register({ prefix: 'orders', mode: 'async_local' });
new GearsBuilder('KeysReader').foreach((r) => execute('RPUSH', 'seen', r.key, r.event, String(r.value)))
  .register({ prefix: 'user:*', mode: 'async_local' });
new GearsBuilder('CommandReader').map((r) => callNext(...r.slice(1))).register({ hook: 'set', mode: 'sync', keyprefix: 'hooked:*' });
new GearsBuilder('ScheduleReader').foreach((r) => execute('SET', 'tick', r.at)).register({ every: '1h' });
`;
beforeAll(async () => {
  started = await startApi();
  ({ api } = started);
  await api.upload('shop', SOURCE);
});
afterAll(() => started?.[Symbol.asyncDispose]());

const attempt = (json: unknown): Promise<ApiAnswer> => api.post('/v1/try', json);
const tried = async (json: unknown): Promise<Json> => {
  const { status, body } = await attempt(json);
  expect([status, body]).toEqual([200, body]);
  return body;
};
const idOf = async (kind: string): Promise<string> =>
  (await api.get(`/v1/registrations?kind=${kind}`)).body.items[0]?.id ?? '';

describe('a trial', () => {
  test('of a command shows its result, lines and commands', async () => {
    const body = await tried({ registrationId: 'shop/command/ask', command: { args: ['ann'] } });
    expect(body).toMatchObject({ outcome: 'done', results: ['{"n":1,"who":"ann"}'], error: null, commandsDropped: 0 });
    expect(body.logs).toEqual([
      { level: 'notice', message: 'asked for ann' },
      { level: 'warning', message: 'careful' },
    ]);
    expect(body.commands).toEqual([{ args: ['INCR', 'asked'], reply: 1, error: null }]);
    expect(await started.node.door.get('asked')).toBe('1');
  });

  test('of an entry shows commands with what Redis answered, errors included', async () => {
    const body = await tried({
      registrationId: 'shop/stream/orders',
      entry: { stream: 'orders', id: '5-1', fields: { a: 'b' } },
    });
    expect(body.commands).toEqual([
      { args: ['HSET', 'last', 'id', '5-1', 'stream', 'orders'], reply: 2, error: null },
      { args: ['INCR', 'last'], reply: null, error: expect.stringContaining('WRONGTYPE') },
    ]);
    expect(await started.node.door.xlen('orders')).toBe(0);
  });

  test('says that a filter refuses a sample, or that the function fails, with the line of its author', async () => {
    const subject = { registrationId: 'shop/stream/orders' };
    expect((await tried({ ...subject, entry: { fields: { kind: 'noise' } } })).outcome).toBe('filtered');
    const failed = await tried({ ...subject, entry: { id: '7-0', fields: { kind: 'broken' } } });
    expect([failed.outcome, failed.results]).toEqual(['failed', []]);
    expect(failed.error).toMatchObject({ code: 'GUEST_ERROR', name: 'RangeError', message: 'broken 7-0' });
    expect(failed.error.stack).toContain('shop.js:13');
  });

  test('leaves streams, counters and dead letters alone', async () => {
    const { items } = (await api.get('/v1/registrations?kind=stream')).body;
    expect(items[0]?.statistics).toMatchObject({ triggered: 0, failed: 0, dead: 0 });
    expect((await api.get('/v1/dead-letters/count')).body.count).toBe(0);
  });

  test('of a key reads what the key holds', async () => {
    await started.node.door.set('user:7', 'ann');
    await started.node.door.del('seen');
    const body = await tried({ registrationId: await idOf('keys'), key: { key: 'user:7', event: 'set' } });
    expect(body.commands[0]?.args).toEqual(['RPUSH', 'seen', 'user:7', 'set', 'ann']);
  });

  test('of a schedule gets the fields of a tick', async () => {
    const fields = { schedule: 'every 1h', at: '1000', tick: '1', late: '0' };
    const body = await tried({ registrationId: await idOf('schedule'), entry: { fields } });
    expect(body.commands[0]?.args).toEqual(['SET', 'tick', '1000']);
  });

  test('of a hook hands its command to nobody', async () => {
    const body = await tried({ registrationId: await idOf('hook'), command: { args: ['hooked:a', '1'] } });
    expect(body.commands.map(({ args }: Json) => args.slice(1))).toEqual([['hooked:a', '1']]);
    expect(await started.node.door.exists('hooked:a')).toBe(0);
  });

  test('of another version runs that one', async () => {
    await api.upload('versioned', "GB('CommandReader').map(() => 'old').register({ trigger: 'v', mode: 'sync' });");
    await api.upload('versioned', "GB('CommandReader').map(() => 'new').register({ trigger: 'v', mode: 'sync' });");
    const subject = { registrationId: 'versioned/command/v', command: { args: [] } };
    expect((await tried(subject)).results).toEqual(['new']);
    expect(await tried({ ...subject, version: 1 })).toMatchObject({ results: ['old'], version: 1 });
    expect((await attempt({ ...subject, version: 9 })).body.code).toBe('VERSION_NOT_FOUND');
  });

  test('of a source that is nowhere puts nothing in force', async () => {
    const source = "const n: number = 2;\nGB('CommandReader').map((r) => r.length * n).register({ trigger: 'draft' });";
    const body = await tried({ source, language: 'ts', command: { args: ['a'] } });
    expect([body.results, body.version]).toEqual([['4'], 0]);
    expect((await api.post('/v1/trigger/draft')).body.code).toBe('TRIGGER_NOT_FOUND');
    expect((await attempt({ source: 'const = 1', command: { args: [] } })).body.code).toBe('ARTIFACT_INVALID');
  });

  test('that takes too long is given up', async () => {
    const source =
      "GB('CommandReader').map(async () => { while (true) await execute('PING'); }).register({ trigger: 'long' });";
    const body = await tried({ source, command: { args: [] }, timeoutMs: 300 });
    expect([body.outcome, body.commands.length > 0]).toEqual(['failed', true]);
  });

  test.each([
    ['of the wrong kind', { registrationId: 'shop/stream/orders', command: { args: [] } }],
    ['of two kinds', { registrationId: 'shop/command/ask', command: { args: [] }, entry: { fields: {} } }],
    ['of no kind', { registrationId: 'shop/command/ask' }],
    ['of nothing', { command: { args: [] } }],
    [
      'of a registration that the source does not have',
      { source: "GB('CommandReader').register({ trigger: 'x' })", registration: 3, command: { args: [] } },
    ],
  ])('%s is refused', async (_what, json) => {
    const { status, body } = await attempt(json);
    expect([status, body.code]).toEqual([400, 'ARGUMENT_INVALID']);
  });
});
