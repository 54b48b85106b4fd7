import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import { type Api, startApi } from '../gateway/http/support/api.ts';
import {
  CLIENT,
  CONSUMER,
  type Collector,
  ERROR,
  INTERNAL,
  SERVER,
  type Span,
  startCollector,
} from './support/collector.ts';

const SOURCE = `
new GearsBuilder('StreamReader').foreach(async (r) => {
  await execute('HINCRBY', 'n:' + r.value.user, 'secret', '1');
  if (r.value.wrong) await execute('LPUSH', 'n:' + r.value.user, 'x').catch(() => {});
  if (r.value.both) await atomic(async (tx) => { await tx.execute('GET', 'a'); await tx.execute('SET', 'b', '1'); });
  if (r.value.bad) throw new Error('it is bad');
}).register({ prefix: 'in', mode: 'async_local', batch: 2, onFailedPolicy: 'retry', onFailedRetryInterval: 0.05, maxAttempts: 2 });
new GearsBuilder('CommandReader').map(() => execute('INCR', 'calls')).register({ trigger: 'here', mode: 'sync' });
new GearsBuilder('CommandReader').map(() => execute('INCR', 'calls')).register({ trigger: 'there', mode: 'async' });
`;

let collector: Collector;
let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;

beforeAll(async () => {
  collector = await startCollector();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-auth=abc',
    OTEL_SERVICE_NAME: 'shop',
  };
  started = await startApi({ env, flags: ['--trace-queue', '64'] });
  ({ api } = started);
  await api.upload('f', SOURCE);
});
beforeEach(() => {
  collector.spans.length = 0;
  collector.status = 200;
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  collector?.[Symbol.dispose]();
});

let traces = 0;
/** A place in a new trace. */
function place(flags = '01'): { readonly id: string; readonly parent: string; readonly header: string } {
  traces += 1;
  const id = `4bf92f3577b34da6a3ce929d${traces.toString(16).padStart(8, '0')}`;
  return { id, parent: '00f067aa0ba902b7', header: `00-${id}-00f067aa0ba902b7-${flags}` };
}

const spansOf = (traceId: string, count: number): Promise<readonly Span[]> => collector.of(traceId, count);

function only(spans: readonly Span[], fits: (span: Span) => boolean): Span {
  const found = spans.filter(fits);
  expect(found).toHaveLength(1);
  return found[0] as Span;
}

const add = (...fields: string[]): Promise<string | null> => started.node.door.xadd('in', '*', ...fields);

describe('an entry with a traceparent', () => {
  test('leads from its producer through its execution to its commands', async () => {
    const { id, parent, header } = place();
    const entryId = await add('user', 'ann', 'traceparent', header, 'tracestate', 'vendor=1');
    const spans = await spansOf(id, 3);
    const taken = only(spans, ({ kind }) => kind === CONSUMER);
    expect([taken.parentSpanId, taken.name, taken.traceState]).toEqual([parent, 'process f/stream/in', 'vendor=1']);
    expect(taken.attributes).toMatchObject({
      'messaging.system': 'redis',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'in',
      'messaging.consumer.group.name': 'f/stream/in',
      'messaging.message.id': entryId,
      'regears.attempt': 1,
      'regears.end': 'done',
    });
    const run = only(spans, ({ kind }) => kind === INTERNAL);
    expect([run.parentSpanId, run.name, run.attributes['regears.version']]).toEqual([taken.spanId, 'run f', 1]);
    const command = only(spans, ({ kind }) => kind === CLIENT);
    expect([command.parentSpanId, command.name]).toEqual([run.spanId, 'HINCRBY']);
    expect(command.attributes['db.query.text']).toBe('HINCRBY n:ann ? ?');
    expect(taken.begin <= run.begin && run.begin <= command.begin && command.begin < command.end).toBe(true);
    expect(command.end <= run.end && run.end <= taken.end).toBe(true);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret');
  });

  test('has spans for the commands of transactions, and for errors of Redis', async () => {
    const { id, header } = place();
    await add('user', 'bob', 'wrong', '1', 'both', '1', 'traceparent', header);
    const spans = await spansOf(id, 7);
    const commands = spans.filter(({ kind }) => kind === CLIENT);
    expect(commands.map(({ name }) => name)).toEqual(['HINCRBY', 'LPUSH', 'GET', 'SET', 'EXEC']);
    const run = only(spans, ({ kind }) => kind === INTERNAL);
    expect(new Set(commands.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([run.spanId]));
    expect(run.attributes['regears.commands']).toBe(5);
    const wrong = only(commands, ({ name }) => name === 'LPUSH');
    expect([wrong.status.code, wrong.attributes['db.response.status_code']]).toEqual([ERROR, 'WRONGTYPE']);
  });

  test('that fails has a span for each attempt, with the error', async () => {
    const { id, parent, header } = place();
    await add('user', 'cid', 'bad', '1', 'traceparent', header);
    const spans = await spansOf(id, 6);
    const taken = spans.filter(({ kind }) => kind === CONSUMER);
    expect(taken.map(({ attributes }) => attributes['regears.attempt'])).toEqual([1, 2]);
    expect(taken.map(({ status, parentSpanId }) => [status.code, parentSpanId])).toEqual([
      [ERROR, parent],
      [ERROR, parent],
    ]);
    const [run] = spans.filter(({ kind }) => kind === INTERNAL);
    expect(run?.attributes).toMatchObject({ 'regears.end': 'failed', 'error.type': 'GUEST_ERROR' });
    expect(JSON.stringify(run?.events)).toContain('it is bad');
  });

  test('of a batch has its own trace, and its neighbours have theirs or none', async () => {
    const [one, other] = [place(), place()];
    await started.node.door
      .multi()
      .xadd('in', '*', 'user', 'dan', 'traceparent', one.header)
      .xadd('in', '*', 'user', 'eve', 'traceparent', other.header)
      .xadd('in', '*', 'user', 'fay', 'note', 'traceparent', 'x', other.header)
      .exec();
    const [spans, others] = [await spansOf(one.id, 3), await spansOf(other.id, 3)];
    const texts = (of: readonly Span[]): readonly unknown[] =>
      of.filter(({ kind }) => kind === CLIENT).map(({ attributes }) => attributes['db.query.text']);
    expect([texts(spans), texts(others)]).toEqual([['HINCRBY n:dan ? ?'], ['HINCRBY n:eve ? ?']]);
  });

  test('that is not sampled, malformed or absent makes none', async () => {
    const { id, header } = place('00');
    await add('user', 'gil', 'traceparent', header);
    await add('user', 'gil', 'traceparent', 'nonsense');
    await add('user', 'gil');
    const last = place();
    await add('user', 'hal', 'traceparent', last.header);
    await spansOf(last.id, 3);
    expect(collector.spans.filter(({ traceId }) => traceId !== last.id)).toEqual([]);
    expect(collector.spans.some(({ traceId }) => traceId === id)).toBe(false);
  });
});

test.each(['here', 'there'])(
  'a call over HTTP hands on its traceparent, in its own node and through the queue: %s',
  async (name) => {
    const { id, parent, header } = place();
    expect((await api.post(`/v1/trigger/${name}`, [], { traceparent: header })).status).toBe(200);
    const spans = await spansOf(id, 3);
    const call = only(spans, ({ kind }) => kind === SERVER);
    expect([call.parentSpanId, call.name]).toEqual([parent, `call f/command/${name}`]);
    expect(spans.map((span) => span.name).sort()).toEqual([`call f/command/${name}`, 'INCR', 'run f'].sort());
  },
);

test('the collector is spoken to as the standard says, with what the environment tells of headers and names', () => {
  expect(collector.requests[0]).toEqual({ path: '/v1/traces', type: 'application/json', auth: 'abc' });
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'shop' });
  expect(collector.resources[0]).toHaveProperty('service.instance.id');
});

test('without a collector nothing of OpenTelemetry is loaded', async () => {
  const script = `
    import { createRequire } from 'node:module';
    await import('#scheduler');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify([loaded.some((path) => path.includes('ioredis')), loaded.filter((path) => path.includes('opentelemetry'))]));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(JSON.parse(stdout)).toEqual([true, []]);
});

test('a collector that refuses costs spans, which are counted, and no event', async () => {
  const dropped = async (): Promise<readonly number[]> => {
    const { body } = await api.get('/metrics');
    return ['queue', 'export'].map((reason) =>
      Number(new RegExp(`spans_dropped_total\\{reason="${reason}"\\} (\\d+)`).exec(body)?.[1]),
    );
  };
  collector.status = 400;
  const entries = 60;
  const pipeline = started.node.door.pipeline();
  for (let i = 0; i < entries; i += 1) pipeline.xadd('in', '*', 'user', 'ivy', 'traceparent', place().header);
  await pipeline.exec();
  await waitFor(async () => (await started.node.door.hget('n:ivy', 'secret')) === String(entries), {
    what: 'all effects',
  });
  await waitFor(async () => (await dropped()).reduce((sum, one) => sum + one) === entries * 3, {
    what: 'all spans counted',
  });
  const [queue = 0, failed = 0] = await dropped();
  expect([queue > 0, failed >= 64]).toEqual([true, true]);
  expect((await api.get('/v1/dead-letters/count')).body.count).toBe(1);
  expect(started.node.log()).toContain('spans could not be sent to the collector');
});
