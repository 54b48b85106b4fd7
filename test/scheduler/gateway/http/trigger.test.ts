import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type ApiAnswer, apiAt, startApi } from './support/api.ts';

let redis: TestRedis;
const started: Awaited<ReturnType<typeof startApi>>[] = [];
let here: Api;
let there: Api;

const SOURCE = `
const on = (trigger, map, mode = 'async_local') => new GearsBuilder('CommandReader').map(map).register({ trigger, mode });
on('args', (r) => r.slice(1));
on('bytes', (r) => r[1], 'sync');
on('json', () => ({ total: 3 }));
on('fails', () => { throw new TypeError('no such price'); });
on('count', async (r) => await execute('INCR', 'count:' + r[1]));
on('gate', async (r) => {
  const n = await execute('INCR', 'gate:' + r[1]);
  while (!(await execute('EXISTS', 'open:' + r[1])));
  return n;
});
`;

beforeAll(async () => {
  redis = await startRedis();
  started.push(...(await Promise.all([1, 2, 3].map(() => startApi({ redisUrl: redis.url })))));
  [here, there] = started.map(({ api }) => api) as [Api, Api];
  await here.upload('calls', SOURCE);
});
afterAll(async () => {
  for (const one of started) await one[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const keyed = (api: Api, key: string, [trigger = '', ...args]: readonly string[]): Promise<ApiAnswer> =>
  api.post(`/v1/trigger/${trigger}?timeoutMs=30000`, args, { 'idempotency-key': key });
const begun = (name: string): Promise<unknown> =>
  waitFor(async () => (await redis.client().get(`gate:${name}`)) !== null, { what: `${name} runs` });
const open = (name: string): Promise<unknown> => redis.client().set(`open:${name}`, '1');

describe('a call', () => {
  test('takes arguments as an array, as an object, as text, or none', async () => {
    const results = async (answer: Promise<ApiAnswer>): Promise<unknown> =>
      JSON.parse((await answer).body.results[0] ?? 'null');
    const mixed = ['a', 1, true, { b: [2] }, null];
    expect(await results(here.post('/v1/trigger/args', mixed))).toEqual(['a', '1', 'true', '{"b":[2]}', 'null']);
    expect(await results(here.post('/v1/trigger/args', { args: ['x'] }))).toEqual(['x']);
    const text = { headers: { 'content-type': 'text/plain' }, body: 'one text' };
    expect(await results(here.call('POST', '/v1/trigger/args', text))).toEqual(['one text']);
    expect(await results(here.post('/v1/trigger/args'))).toEqual([]);
  });

  test('carries bytes that are no text there and back', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const base64 = bytes.toString('base64');
    const json = await here.post('/v1/trigger/bytes', [{ base64 }]);
    expect(json.status).toBe(200);
    const raw = { headers: { 'content-type': 'application/octet-stream' }, body: bytes };
    const answer = await here.call('POST', '/v1/trigger/bytes', raw);
    expect(answer.body.results).toEqual(json.body.results);
  });

  test('gives results as text, or as what they say', async () => {
    expect((await here.post('/v1/trigger/json')).body.results).toEqual(['{"total":3}']);
    expect((await here.post('/v1/trigger/json?results=json')).body.results).toEqual([{ total: 3 }]);
  });

  test('that the function fails is a problem with its error and line', async () => {
    const { status, body } = await here.post('/v1/trigger/fails');
    expect([status, body.code, body.details]).toEqual([500, 'GUEST_ERROR', { function: true }]);
    expect(body.detail).toMatch(/TypeError: no such price \(calls\.js:6:\d+\)/);
  });

  test('of a trigger that nobody has registered is 404', async () => {
    const { status, body } = await here.post('/v1/trigger/none');
    expect([status, body.code]).toEqual([404, 'TRIGGER_NOT_FOUND']);
  });

  test('that takes too long is 504, and goes on', async () => {
    const { status, body } = await here.post('/v1/trigger/gate?timeoutMs=200', ['slow']);
    expect([status, body.code]).toEqual([504, 'CALL_TIMED_OUT']);
    await begun('slow');
    await open('slow');
  });
});

describe('an idempotency key', () => {
  test('runs a call once, whoever comes with it later, on whatever node', async () => {
    const [first, second, third] = [
      await keyed(here, 'k-1', ['count', 'once']),
      await keyed(here, 'k-1', ['count', 'once']),
      await keyed(there, 'k-1', ['count', 'once']),
    ];
    expect([first, second, third].map(({ body }) => [body.results, body.replayed])).toEqual([
      [['1'], false],
      [['1'], true],
      [['1'], true],
    ]);
    expect(third?.headers.get('idempotency-replayed')).toBe('true');
    expect(await redis.client().get('count:once')).toBe('1');
  });

  test('lets those who come while it runs wait for the one answer, on both nodes', async () => {
    const first = keyed(here, 'k-2', ['gate', 'together']);
    await begun('together');
    const others = [keyed(here, 'k-2', ['gate', 'together']), keyed(there, 'k-2', ['gate', 'together'])];
    await open('together');
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(({ body }) => body.results)).toEqual([['1'], ['1'], ['1']]);
    expect(await redis.client().get('gate:together')).toBe('1');
  });

  test('keeps the answer of a call that its first caller has given up', async () => {
    const impatient = await here.post('/v1/trigger/gate?timeoutMs=100', ['given-up'], { 'idempotency-key': 'k-3' });
    expect(impatient.body.code).toBe('CALL_TIMED_OUT');
    await begun('given-up');
    await open('given-up');
    expect((await keyed(there, 'k-3', ['gate', 'given-up'])).body).toMatchObject({ results: ['1'], replayed: true });
  });

  test('keeps errors of the function, too', async () => {
    const answers = [await keyed(here, 'k-4', ['fails']), await keyed(there, 'k-4', ['fails'])];
    expect(answers.map(({ body }) => body.detail)).toEqual([answers[0]?.body.detail, answers[0]?.body.detail]);
    expect(answers[1]?.body.code).toBe('GUEST_ERROR');
  });

  test('of another call is refused', async () => {
    await keyed(here, 'k-5', ['count', 'five']);
    const others = [await keyed(there, 'k-5', ['count', 'six']), await keyed(here, 'k-5', ['args', 'five'])];
    expect(others.map(({ status, body }) => [status, body.code])).toEqual([
      [422, 'IDEMPOTENCY_MISMATCH'],
      [422, 'IDEMPOTENCY_MISMATCH'],
    ]);
  });

  test('is free again when nothing has run', async () => {
    expect((await keyed(here, 'k-6', ['later'])).body.code).toBe('TRIGGER_NOT_FOUND');
    await here.upload('later', "GB('CommandReader').map(() => 'now').register({ trigger: 'later' });");
    expect((await keyed(here, 'k-6', ['later'])).body).toMatchObject({ results: ['now'], replayed: false });
  });

  test('is one to 255 visible characters', async () => {
    const { status, body } = await keyed(here, 'x'.repeat(256), ['count', 'a']);
    expect([status, body.code, body.details.at]).toEqual([400, 'ARGUMENT_INVALID', 'headers']);
  });

  test('says that the call may have run in part when its node has died', async () => {
    const { node } = started[2] as (typeof started)[number];
    const calling = keyed(apiAt(node.httpPort), 'k-7', ['gate', 'dies']).catch(() => null);
    await begun('dies');
    await node.kill();
    expect(await calling).toBeNull();
    const answers = [await keyed(here, 'k-7', ['gate', 'dies']), await keyed(there, 'k-7', ['gate', 'dies'])];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [500, 'CALL_INTERRUPTED'],
      [500, 'CALL_INTERRUPTED'],
    ]);
    await open('dies');
    expect(await redis.client().get('gate:dies')).toBe('1');
  });
});
