import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type Json, startApi } from './support/api.ts';
import { follow } from './support/events.ts';

let redis: TestRedis;
const started: Awaited<ReturnType<typeof startApi>>[] = [];
let api: Api;
const EVENT_CLIENTS = 3;
beforeAll(async () => {
  redis = await startRedis();
  const options = { redisUrl: redis.url, flags: ['--http-event-clients', String(EVENT_CLIENTS)] };
  started.push(...(await Promise.all([1, 2].map(() => startApi(options)))));
  api = (started[0] as (typeof started)[number]).api;
});
afterAll(async () => {
  for (const one of started) await one[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const load = (name: string, callback: string, options = ''): Promise<unknown> =>
  api.upload(
    name,
    `GB('StreamReader').foreach(${callback}).register({ prefix: '${name}', mode: 'async_local'${options} });`,
  );

describe('the figures', () => {
  test('begin with a history and go on each second, over both nodes', async () => {
    await using live = await follow(`${api.url}/v1/live`);
    const history = await live.next('history', ({ samples }) => samples.length >= 0);
    expect(history.data.intervalMs).toBe(1_000);
    await load('counted', '() => {}');
    for (let n = 0; n < 50; n += 1) await redis.client().xadd('counted', '*', 'n', String(n));
    const busy = await live.next('sample', ({ entries }) => entries.done > 0);
    expect(busy.data).toMatchObject({ nodes: 2, entries: { dead: 0 }, sandboxes: { processes: expect.any(Number) } });
    expect(busy.data.durationMs.p99).toBeGreaterThan(0);
    const times = live.events.filter(({ event }) => event === 'sample').map(({ data }) => data.atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('of every node have the same past', async () => {
    const histories = await Promise.all(started.map((one) => one.api.get('/v1/live/history')));
    const done = histories.map(({ body }) =>
      body.samples.reduce((sum: number, { entries }: Json) => sum + entries.done, 0),
    );
    expect(done[0]).toBeGreaterThan(0);
    expect(done[1]).toBeGreaterThan(0);
  });

  test('show the age of what nobody reads, and dead letters', async () => {
    await load('behind', "() => { throw new Error('no'); }", ", onFailedPolicy: 'continue'");
    await redis.client().xadd('behind', '*', 'a', '1');
    await waitFor(async () => ((await api.get('/v1/overview')).body.sample?.deadLetters ?? 0) > 0, {
      what: 'a dead letter in the figures',
    });
    await api.post('/v1/registrations/behind%2Fstream%2Fbehind/pause');
    await redis.client().xadd('behind', '*', 'a', '2');
    await using live = await follow(`${api.url}/v1/live`);
    const late = await live.next('sample', ({ lag }) => lag !== null && lag.ageMs > 1_000);
    expect(late.data.lag).toMatchObject({ unread: 1, pending: 0 });
  });
});

describe('topics', () => {
  test('are sent at once, and again when they have changed, and not otherwise', async () => {
    await using lists = await follow(`${api.url}/v1/events?topics=functions,registrations`);
    await lists.next('functions');
    await lists.next('registrations');
    await load('fresh', '() => {}');
    const changed = await lists.next('functions', ({ items }) => items.some(({ name }: Json) => name === 'fresh'));
    expect(changed.data.total).toBe(changed.data.items.length);
    const texts = lists.events
      .filter(({ event }) => event === 'functions')
      .map(({ data }) => JSON.stringify(data.items));
    expect(texts).toEqual([...new Set(texts)]);
  });

  test('that are unknown are refused before anything is sent', async () => {
    const answer = await api.get('/v1/events?topics=functions,weather');
    expect([answer.status, answer.body.details.path]).toEqual([400, '/topics']);
  });
});

describe('lines', () => {
  const say = (text: string): Promise<unknown> => api.post('/v1/trigger/say', [text]);

  test('come as they are written, once each, and go on behind a line', async () => {
    await api.upload(
      'say',
      "GB('CommandReader').map((r) => { log(r[1]); }).register({ trigger: 'say', mode: 'sync' });",
    );
    await say('before');
    await waitFor(async () => (await api.get('/v1/logs?function=say')).body.items.length === 1, {
      what: 'the first line',
    });
    await using lines = await follow(`${api.url}/v1/logs/live?function=say`);
    const first = await lines.next('line', ({ message }) => message === 'before');
    await say('one');
    await say('two');
    await lines.next('line', ({ message }) => message === 'two');
    const texts = lines.events.filter(({ event }) => event === 'line').map(({ data }) => data.message);
    expect(texts).toEqual(['before', 'one', 'two']);
    await using later = await follow(`${api.url}/v1/logs/live?function=say`, { 'last-event-id': first.id ?? '' });
    await later.next('line', ({ message }) => message === 'two');
    expect(later.events.filter(({ event }) => event === 'line').map(({ data }) => data.message)).toEqual([
      'one',
      'two',
    ]);
  });
});

describe('clients', () => {
  test('beyond the allowed number are refused, and let in when one has gone', async () => {
    const open = await Promise.all(Array.from({ length: EVENT_CLIENTS }, () => follow(`${api.url}/v1/live`)));
    const refused = await api.get('/v1/live');
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'TOO_MANY_CLIENTS',
      '1',
    ]);
    for (const one of open) await one[Symbol.asyncDispose]();
    await waitFor(
      async () => {
        const again = await follow(`${api.url}/v1/live`);
        await again[Symbol.asyncDispose]();
        return again.status === 200;
      },
      { what: 'room for a client' },
    );
  });

  test('that do not read are cut off', async () => {
    const { node } = started[1] as (typeof started)[number];
    const source =
      "GB('CommandReader').map(() => { for (let n = 0; n < 60; n++) log('x'.repeat(16000)); }).register({ trigger: 'flood', mode: 'sync' });";
    await api.upload('flood', source);
    const socket = connect(node.httpPort, '127.0.0.1');
    let isCut = false;
    socket.on('error', () => {
      isCut = true;
    });
    socket.pause();
    socket.write('GET /v1/logs/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const flood = async (): Promise<boolean> => {
      await api.post('/v1/trigger/flood');
      // Who does not read hears of the end only when it writes.
      socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
      return isCut;
    };
    await waitFor(flood, { what: 'the client to be cut off' }).finally(() => socket.destroy());
  });

  test('hear that the node stops', async () => {
    const victim = await startApi({ redisUrl: redis.url });
    await using live = await follow(`${victim.api.url}/v1/live`);
    await live.next('hello');
    expect(await victim.node.stop()).toBe(0);
    expect((await live.next('bye')).data.reason).toBe('the node stops');
    await victim[Symbol.asyncDispose]();
  });
});
