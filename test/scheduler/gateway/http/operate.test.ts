import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type Json, segment, startApi } from './support/api.ts';

let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;
beforeAll(async () => {
  started = await startApi();
  ({ api } = started);
});
afterAll(() => started?.[Symbol.asyncDispose]());

const add = (stream: string, fields: Readonly<Record<string, string>>, count = 1): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, () => started.node.door.xadd(stream, '*', ...Object.entries(fields).flat())),
  );
const stream = (name: string, callback: string, options = ''): Promise<Json> =>
  api.upload(
    name,
    `GB('StreamReader').foreach(${callback}).register({ prefix: '${name}', mode: 'async_local'${options} });`,
  );
const registration = async (id: string): Promise<Json> => (await api.get(`/v1/registrations/${segment(id)}`)).body;

describe('registrations', () => {
  const id = 'moody/stream/moody';
  const path = `/v1/registrations/${segment(id)}`;

  test('fail now, or failed before', async () => {
    const callback = "async (r) => { if (r.value.bad) throw new Error('bad day'); }";
    await stream('moody', callback, ", onFailedPolicy: 'continue'");
    expect((await registration(id)).health).toBe('ok');
    await add('moody', { bad: '1' });
    await waitFor(async () => (await registration(id)).health === 'failing', { what: 'a failure' });
    expect((await registration(id)).statistics).toMatchObject({ failed: 1, dead: 1, lastError: 'Error: bad day' });
    await add('moody', { good: '1' });
    await waitFor(async () => (await registration(id)).health === 'failed', { what: 'a success after it' });
    expect((await registration(id)).statistics).toMatchObject({ succeeded: 1, done: 1, lastError: null });
  });

  test('stand still while they are paused, and say why', async () => {
    const paused = await api.post(`${path}/pause`, { reason: 'lunch' });
    expect(paused.body.revision).toBeTypeOf('number');
    expect(await registration(id)).toMatchObject({ state: 'paused', stateReason: 'lunch', health: 'stopped' });
    await add('moody', { good: '2' });
    const group = async (): Promise<Json> => (await api.get('/v1/streams/moody')).body.groups[0] as Json;
    await waitFor(async () => (await group()).unread === 1, { what: 'an unread entry' });
    expect((await group()).lagAgeMs).toBeGreaterThanOrEqual(0);
    await api.post(`${path}/resume`);
    await waitFor(async () => (await group()).unread === 0 && (await group()).pending === 0, {
      what: 'the entry to end',
    });
    expect((await group()).lagAgeMs).toBeNull();
    await api.post(`${path}/pause`);
    expect((await registration(id)).stateReason).toBe('paused by a user of the HTTP door');
    await api.post(`${path}/resume`);
  });

  test('lose their own numbers alone', async () => {
    await stream('neighbour', '() => {}');
    await add('neighbour', { a: '1' });
    const neighbour = 'neighbour/stream/neighbour';
    await waitFor(async () => (await registration(neighbour)).statistics.done === 1, { what: 'an entry' });
    expect((await api.call('DELETE', `${path}/statistics`)).status).toBe(204);
    expect((await registration(id)).statistics).toMatchObject({ done: 0, failed: 0, dead: 0 });
    expect((await registration(neighbour)).statistics.done).toBe(1);
    await api.call('DELETE', '/v1/statistics');
    expect((await registration(neighbour)).statistics.done).toBe(0);
  });

  test('are filtered by function, state and kind', async () => {
    const ids = async (query: string): Promise<unknown> =>
      (await api.get(`/v1/registrations?${query}`)).body.items.map((one: Json) => one.id);
    expect(await ids('function=moody')).toEqual([id]);
    expect(await ids('state=paused')).toEqual([]);
    expect(await ids('kind=command')).toEqual([]);
  });

  test('are taken out of force until their function is loaded again', async () => {
    expect((await api.call('DELETE', path)).status).toBe(200);
    expect((await api.get(path)).body.code).toBe('REGISTRATION_NOT_FOUND');
    await api.post('/v1/functions/moody/versions/1/activate');
    expect((await api.get(path)).status).toBe(200);
  });
});

describe('streams', () => {
  test('show consumers alive, and entries newest first, page by page', async () => {
    await stream('looked', '() => {}');
    await add('looked', { n: '1' });
    await add('looked', { n: '2' });
    await started.node.door.xadd('looked', '*', 'n', Buffer.from([0xff]));
    await waitFor(async () => (await registration('looked/stream/looked')).statistics.done === 3, {
      what: 'three ends',
    });
    const { groups, ...facts } = (await api.get('/v1/streams/looked')).body;
    expect(facts).toMatchObject({ stream: 'looked', internal: false, length: 3 });
    expect(groups[0]?.consumers[0]).toMatchObject({ name: 'n0', alive: true, pending: 0 });
    const first = (await api.get('/v1/streams/looked/entries?limit=2')).body;
    expect(first.items.map((one: Json) => one.fields)).toEqual([[['n', { base64: '/w==' }]], [['n', '2']]]);
    const second = (await api.get(`/v1/streams/looked/entries?limit=2&cursor=${first.nextCursor}`)).body;
    expect([second.items.map((one: Json) => one.fields), second.nextCursor]).toEqual([[[['n', '1']]], null]);
  });

  test('that nobody reads show nothing of themselves', async () => {
    await add('private', { secret: '1' });
    expect((await api.get('/v1/streams/private/entries')).body.code).toBe('STREAM_NOT_FOUND');
  });
});

describe('dead letters', () => {
  beforeAll(async () => {
    const callback =
      "async (r) => { if (!(await execute('EXISTS', 'mended'))) throw new Error('broken ' + r.value.n); }";
    await stream('dying', callback, ", onFailedPolicy: 'continue'");
    for (const n of ['1', '2', '3', '4', '5']) await add('dying', { n });
    await waitFor(async () => (await api.get('/v1/dead-letters/count?function=dying')).body.count === 5, {
      what: 'five letters',
    });
  });
  const list = async (query: string): Promise<Json> => (await api.get(`/v1/dead-letters?function=dying&${query}`)).body;
  const messages = (page: Json): unknown => page.items.map((letter: Json) => letter.errorMessage);
  const all = ['broken 1', 'broken 2', 'broken 3', 'broken 4', 'broken 5'];

  test('are listed newest or oldest first, page by page', async () => {
    const pages: unknown[] = [];
    for (let cursor = ''; ; ) {
      const page = await list(`limit=2${cursor}`);
      pages.push(messages(page));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(pages).toEqual([all.slice(3).reverse(), all.slice(1, 3).reverse(), all.slice(0, 1)]);
    expect(messages(await list('order=oldest'))).toEqual(all);
  });

  test('are found by their error, and shown with payload and stack', async () => {
    const { items } = await list('error=BROKEN%203');
    expect(items).toHaveLength(1);
    const letter = (await api.get(`/v1/dead-letters/${segment(items[0]?.id ?? '')}`)).body;
    expect(letter).toMatchObject({ stream: 'dying', attempts: 1, errorCode: 'GUEST_ERROR', fields: [['n', '3']] });
    expect(letter.errorStack).toContain('dying.js:1');
  });

  test('are changed only by who says which, or all', async () => {
    for (const what of ['redrive', 'discard']) {
      const answer = await api.post(`/v1/dead-letters/${what}`, { filter: {} });
      expect([answer.status, answer.body.details.path]).toEqual([400, '/filter']);
    }
  });

  test('run again after a count, and are thrown away', async () => {
    const dry = await api.post('/v1/dead-letters/redrive', { filter: { function: 'dying' }, dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, matched: 5, redriven: 5 });
    const [letter] = (await list('error=broken%201')).items;
    const ids = [letter?.id ?? ''];
    await started.node.door.set('mended', '1');
    expect((await api.post('/v1/dead-letters/redrive', { filter: { ids } })).body).toMatchObject({
      matched: 1,
      redriven: 1,
    });
    await waitFor(async () => (await registration('dying/stream/dying')).statistics.done === 1, {
      what: 'the entry to be done',
    });
    const counted = await api.post('/v1/dead-letters/discard', { filter: { error: 'broken 2' }, dryRun: true });
    expect(counted.body).toEqual({ dryRun: true, matched: 1, discarded: 0 });
    const gone = await api.post('/v1/dead-letters/discard', { filter: { function: 'dying', error: 'broken' } });
    expect(gone.body).toEqual({ dryRun: false, matched: 4, discarded: 4 });
    expect((await list('')).items).toEqual([]);
  });
});

describe('executions', () => {
  const run = (source: string, query = 'wait=true'): Promise<Json> =>
    api.post(`/v1/runs?${query}`, { source }).then(({ body }) => body);

  test('give their results at once when somebody waits', async () => {
    for (const n of ['1', '2', '3']) await started.node.door.set(`item:${n}`, n);
    const body = await run(
      "GB('KeysReader').map((r) => { log('saw ' + r.key); return { v: Number(r.value) }; }).sort().run('item:*')",
      'wait=true&results=json',
    );
    expect(body).toMatchObject({ status: 'done', errors: [], nextCursor: null });
    expect(body.results.map((one: Json) => one.v).toSorted()).toEqual([1, 2, 3]);
    const detail = (await api.get(`/v1/executions/${body.id}`)).body;
    expect(detail).toMatchObject({
      results: 3,
      errors: 0,
      plan: { reader: 'KeysReader', argument: { arg: 'item:*' } },
    });
    expect(detail.shards[0]?.steps.length).toBe(detail.plan.steps.length);
    const lines = (await api.get(`/v1/executions/${body.id}/logs`)).body.items.map((line: Json) => line.message);
    expect(lines.toSorted()).toEqual(['saw item:1', 'saw item:2', 'saw item:3']);
  });

  test('run on when nobody waits, and are aborted and forgotten', async () => {
    const { body, headers } = await api.post('/v1/runs', {
      source: "GB('ShardsIDReader').foreach(async () => { while (true) await execute('PING'); }).run()",
    });
    expect(headers.get('location')).toBe(`/v1/executions/${body.id}`);
    await waitFor(async () => (await api.get(`/v1/executions/${body.id}`)).body.status === 'running', {
      what: 'it to run',
    });
    expect((await api.get(`/v1/executions/${body.id}/results`)).body.code).toBe('EXECUTION_RUNNING');
    expect((await api.call('DELETE', `/v1/executions/${body.id}`)).body.code).toBe('EXECUTION_RUNNING');
    const aborted = (await api.post(`/v1/executions/${body.id}/abort`)).body;
    expect([aborted.endedAtMs, aborted.errors]).toEqual([expect.any(Number), 1]);
    expect((await api.call('DELETE', `/v1/executions/${body.id}`)).status).toBe(204);
    expect((await api.get(`/v1/executions/${body.id}`)).body.code).toBe('EXECUTION_NOT_FOUND');
  });

  test('are listed newest first, page by page', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await run(`GB('ShardsIDReader').map(() => ${n}).run()`)).id);
    const first = (await api.get('/v1/executions?limit=2&status=done')).body;
    expect(first.items.map((one: Json) => one.id)).toEqual(ids.slice(0, 2));
    const second = (await api.get(`/v1/executions?limit=1&cursor=${first.nextCursor}`)).body;
    expect(second.items[0]?.id).toBe(ids[2]);
    expect((await api.get('/v1/executions?cursor=nonsense')).body.code).toBe('ARGUMENT_INVALID');
  });

  test('with errors tell them', async () => {
    const body = await run("GB('ShardsIDReader').map(() => { throw new Error('no'); }).run()");
    expect([body.status, body.results]).toEqual(['done', []]);
    expect(body.errors[0]).toContain('no');
  });

  test.each([
    ['runs nothing', "log('x')"],
    ['registers', "GB('CommandReader').register({ trigger: 'r' })"],
  ])('are not made of a source that %s', async (_what, source) => {
    expect((await run(source)).code).toBe('ARGUMENT_INVALID');
  });
});

describe('logs and settings', () => {
  test('lines are read in pieces, by function and importance', async () => {
    await api.upload(
      'chatty',
      "GB('CommandReader').map((r) => { log(r[1], 'notice'); log(r[1] + '!', 'warning'); }).register({ trigger: 'chat', mode: 'sync' });",
    );
    for (const text of ['a', 'b']) await api.post('/v1/trigger/chat', [text]);
    const page = (await api.get('/v1/logs?function=chatty&limit=3')).body;
    expect(page.items.map((line: Json) => line.message)).toEqual(['a!', 'b', 'b!']);
    await api.post('/v1/trigger/chat', ['c']);
    const next = (await api.get(`/v1/logs?function=chatty&level=warning&after=${page.nextCursor}`)).body;
    expect(next.items.map((line: Json) => line.message)).toEqual(['c!']);
  });

  test('settings say where they come from', async () => {
    const { settings, options } = (await api.get('/v1/config')).body;
    expect(settings.find(({ name }: Json) => name === 'sandboxes')).toMatchObject({
      value: 1,
      shown: '1',
      origin: 'flag',
    });
    expect(settings.find(({ name }: Json) => name === 'prefix')).toMatchObject({ origin: 'default', default: 'rg:' });
    expect(options.find(({ name }: Json) => name === 'CreateVenv')).toMatchObject({ value: null, changeable: false });
  });

  test('options are set for the fleet, or refused with the reason', async () => {
    const set = await api.call('PUT', '/v1/config/options/greeting', { json: { value: 'hello' } });
    expect(set.body).toEqual({ name: 'greeting', value: 'hello', changeable: true, note: null });
    expect((await api.get('/v1/config')).body.options.find(({ name }: Json) => name === 'greeting')?.value).toBe(
      'hello',
    );
    for (const [name, value] of [
      ['CreateVenv', '1'],
      ['ExecutionThreads', '2'],
      ['MaxExecutions', 'many'],
    ]) {
      const answer = await api.call('PUT', `/v1/config/options/${name}`, { json: { value } });
      expect([answer.status, answer.body.code]).toEqual([400, 'ARGUMENT_INVALID']);
    }
  });
});
