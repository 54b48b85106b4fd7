import { readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  FLEET_FAMILIES,
  type MetricFamily,
  metricTable,
  NODE_FAMILIES,
  queryName,
} from '../../../../scheduler/metrics/catalogue.ts';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type Json, segment, startApi } from './support/api.ts';

const ROOT = new URL('../../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const SOURCE = `
new GearsBuilder('StreamReader').foreach(async (r) => {
  if (r.value.bad) throw new Error('bad');
  if (r.value.grow) for (const map = new Map(), i = { n: 0 }; ; i.n += 1) map.set(i.n, [i.n]);
  while (r.value.hold && (await execute('EXISTS', 'go')) == 0) await sleep(0.02);
}).register({ prefix: 'in', mode: 'async_local', onFailedPolicy: 'retry', onFailedRetryInterval: 600, maxAttempts: 2 });
new GearsBuilder('StreamReader').foreach(() => { throw new Error('no'); })
  .register({ prefix: 'dead', mode: 'async_local', onFailedPolicy: 'continue' });
`;
const STREAM = 'shop/stream/in';

let redis: TestRedis;
let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;

beforeAll(async () => {
  redis = await startRedis();
  started = await startApi({ redisUrl: redis.url, flags: ['--limit-memory', '16mb'] });
  ({ api } = started);
  await api.upload('shop', SOURCE);
});
afterAll(async () => {
  await started?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function linesOf(text: string): readonly Line[] {
  return [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', inner = '', value = '']) => {
    const pairs = [...inner.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', at = '']) => [label, at]);
    return { name, labels: Object.fromEntries(pairs) as Readonly<Record<string, string>>, value: Number(value) };
  });
}

async function scrape(headers?: Readonly<Record<string, string>>): Promise<readonly Line[]> {
  const { status, body } = await api.get('/metrics', headers);
  expect(status).toBe(200);
  return linesOf(body as string);
}

function numberOf(
  lines: readonly Line[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const fits = (line: Line): boolean => Object.entries(labels).every(([label, value]) => line.labels[label] === value);
  return lines.find((line) => line.name === name && fits(line))?.value;
}

test('a scrape has every metric of the catalogue with its labels, and none besides', async () => {
  await waitFor(async () => numberOf(await scrape(), 'regears_fleet_backlog_entries') !== undefined, {
    what: 'a measurement',
  });
  await started.node.door.xadd('in', '*', 'a', 'b');
  await waitFor(async () => numberOf(await scrape(), 'regears_function_heap_bytes') !== undefined, { what: 'a heap' });
  const lines = await scrape();
  const families: readonly MetricFamily[] = [...Object.values(NODE_FAMILIES), ...Object.values(FLEET_FAMILIES)];
  const plain = lines.map(({ name }) => name.replace(/_(bucket|sum|count)$/, ''));
  expect([...new Set(plain)].sort()).toEqual(families.map(queryName).sort());
  for (const { name, labels } of lines) {
    const family = families.find((one) => queryName(one) === name);
    if (family !== undefined) expect([name, Object.keys(labels)]).toEqual([name, family.labels]);
  }
});

test('counters tell of entries, executions, errors and time as they happen', async () => {
  const of = { registration: 'shop/stream/dead', function: 'shop' };
  const before = await scrape();
  expect(numberOf(before, 'regears_entries_total', { ...of, end: 'dead' })).toBe(0);
  await started.node.door.xadd('dead', '*', 'a', 'b');
  await started.node.door.xadd('dead', '*', 'a', 'c');
  await waitFor(async () => numberOf(await scrape(), 'regears_entries_total', { ...of, end: 'dead' }) === 2, {
    what: 'two ends',
  });
  const after = await scrape();
  expect(numberOf(after, 'regears_execution_errors_total', of)).toBe(2);
  expect(numberOf(after, 'regears_executions_total', of)).toBe(2);
  expect(numberOf(after, 'regears_execution_duration_seconds_count', of)).toBe(2);
  expect(numberOf(after, 'regears_execution_duration_seconds_bucket', { ...of, le: '+Inf' })).toBe(2);
  await waitFor(async () => numberOf(await scrape(), 'regears_fleet_dead_letters') === 2, { what: 'kept letters' });
});

test('sandboxes that end unasked are counted by cause, and by the function they died over', async () => {
  const ended = (lines: readonly Line[]): number =>
    lines.filter(({ name }) => name === 'regears_sandbox_deaths_total').reduce((sum, { value }) => sum + value, 0);
  const { body } = await api.get('/v1/nodes');
  process.kill(body.items[0].sandboxes[0].pid, 'SIGKILL');
  await waitFor(async () => numberOf(await scrape(), 'regears_sandbox_deaths_total', { cause: 'outside' }) === 1, {
    what: 'a death',
  });
  expect(numberOf(await scrape(), 'regears_sandbox_crashes_total', { function: 'shop' })).toBe(0);
  await started.node.door.xadd('in', '*', 'grow', '1');
  await waitFor(
    async () => (numberOf(await scrape(), 'regears_sandbox_crashes_total', { function: 'shop' }) ?? 0) > 0,
    {
      what: 'a crash',
    },
  );
  const lines = await scrape();
  expect(ended(lines)).toBeGreaterThanOrEqual(2);
  expect(numberOf(lines, 'regears_quarantines_total', { verdict: 'stopped' })).toBe(0);
});

test('readers are told of, not only pings: /readyz, /metrics and the streams agree', async () => {
  const [ready, lines] = [await api.get('/readyz'), await scrape()];
  expect(ready.body.parts.readers).toBe('ready');
  expect(numberOf(lines, 'regears_node_part_ready', { part: 'readers' })).toBe(1);
  expect(numberOf(lines, 'regears_readers')).toBe(2);
  expect(numberOf(lines, 'regears_readers_silent')).toBe(0);
});

test('OpenMetrics is given to who asks for it', async () => {
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
  const { headers, body } = await api.get('/metrics', { accept });
  expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(body).toMatch(/\n# EOF\n$/);
  expect((await api.get('/metrics')).headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
});

describe('the scaler', () => {
  const scaler = async (query = ''): Promise<Json> => (await api.get(`/v1/scaler${query}`)).body;
  const registration = `?registration=${segment(STREAM)}`;

  test('counts what is in work, what is unread, and tells apart what rests until its retry', async () => {
    await started.node.door.xadd('in', '*', 'hold', '1');
    await started.node.door.xadd('in', '*', 'bad', '1');
    const held = { backlog: 1, unread: 0, pending: 1, dueRetries: 0, waitingRetries: 1 };
    await waitFor(async () => JSON.stringify(await scaler(registration)).includes('"waitingRetries":1'), {
      what: 'a retry',
    });
    expect(await scaler(registration)).toMatchObject(held);
    expect(await scaler('?function=shop')).toMatchObject(held);
    expect((await scaler()).registrations.map(({ registrationId }: Json) => registrationId)).toEqual([
      'shop/stream/dead',
      STREAM,
    ]);
    await api.post(`/v1/registrations/${segment(STREAM)}/pause`, { reason: 'a test' });
    await started.node.door.xadd('in', '*', 'a', 'b');
    expect(await scaler(registration)).toMatchObject({ backlog: 0, unread: 1 });
    await started.node.door.set('go', '1');
    await api.post(`/v1/registrations/${segment(STREAM)}/resume`);
    await waitFor(async () => (await scaler(registration)).unread === 0, { what: 'nothing unread' });
  });

  test('an unknown name is a mistake, not an empty backlog', async () => {
    const [one, other, wrong] = await Promise.all(
      ['?registration=none', '?function=none', '?regstration=x'].map((query) => api.get(`/v1/scaler${query}`)),
    );
    expect([one?.body.code, other?.body.code, wrong?.body.code]).toEqual([
      'REGISTRATION_NOT_FOUND',
      'FUNCTION_NOT_FOUND',
      'ARGUMENT_INVALID',
    ]);
  });

  test('is what docs/deploy/keda.yaml asks, at a place that the answer has', async () => {
    const triggers = [...read('docs/deploy/keda.yaml').split(/^---$/m)].map((text) => parse(text) as Json);
    const scaled = triggers.find(({ kind }) => kind === 'ScaledObject');
    const authentication = triggers.find(({ kind }) => kind === 'TriggerAuthentication');
    const secret = triggers.find(({ kind }) => kind === 'Secret');
    const [trigger] = scaled.spec.triggers;
    const url = new URL(trigger.metadata.url);
    const answer = (await api.get(url.pathname + url.search)).body;
    expect(typeof answer[trigger.metadata.valueLocation]).toBe('number');
    expect([trigger.type, trigger.metadata.authMode]).toEqual(['metrics-api', 'bearer']);
    expect(trigger.authenticationRef.name).toBe(authentication.metadata.name);
    const [reference] = authentication.spec.secretTargetRef;
    expect([reference.parameter, reference.name]).toEqual(['token', secret.metadata.name]);
    expect(Object.keys(secret.stringData)).toContain(reference.key);
    const kubernetes = read('docs/deploy/kubernetes.yaml')
      .split(/^---$/m)
      .map((text) => parse(text) as Json);
    const named = (kind: string): Json => kubernetes.find((one) => one.kind === kind);
    expect(scaled.spec.scaleTargetRef.name).toBe(named('Deployment').metadata.name);
    expect([url.hostname, Number(url.port)]).toEqual([
      named('Service').metadata.name,
      named('Service').spec.ports.find(({ name }: Json) => name === 'http').port,
    ]);
    expect(scaled.spec.minReplicaCount).toBeGreaterThanOrEqual(1);
  });
});

test('docs/monitoring.md has the tables of the catalogue', () => {
  const document = read('docs/monitoring.md');
  expect(document).toContain(`<!-- table: node -->\n\n${metricTable(NODE_FAMILIES)}\n\n`);
  expect(document).toContain(`<!-- table: fleet -->\n\n${metricTable(FLEET_FAMILIES)}\n\n`);
});

test('the alert rules ask only for metrics, labels and states that a node shows', async () => {
  const { groups } = parse(read('docs/deploy/alerts.yaml')) as Json;
  const rules: readonly Json[] = groups.flatMap((group: Json) => group.rules);
  const lines = await scrape();
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, expr, labels, annotations } of rules) {
    const names = [...String(expr).matchAll(/\b(?:regears|process|nodejs)_[a-z_]+\b/g)].map(([name]) => name);
    expect([alert, names.length > 0]).toEqual([alert, true]);
    for (const name of names)
      expect([alert, name, lines.some((line) => line.name === name)]).toEqual([alert, name, true]);
    const shown = new Set([
      'instance',
      ...lines.filter(({ name }) => names.includes(name)).flatMap((line) => Object.keys(line.labels)),
    ]);
    const asked = [...String(expr).matchAll(/\b(?:by|on) \(([^)]*)\)|\{([a-z]+)=/g)].flatMap(([, list, matched]) =>
      (list ?? matched ?? '').split(/,\s*/),
    );
    const told = [...JSON.stringify(annotations).matchAll(/\$labels\.([a-z]+)/g)].map(([, label]) => label ?? '');
    expect([alert, [...asked, ...told].filter((label) => !shown.has(label))]).toEqual([alert, []]);
    const values = [...String(expr).matchAll(/\{([a-z]+)=~?"([^"]+)"\}/g)];
    for (const [, label = '', value = ''] of values) {
      for (const each of value.split('|')) expect(lines.some((line) => line.labels[label] === each)).toBe(true);
    }
    expect(['info', 'warning', 'critical']).toContain(labels.severity);
  }
});

/** Last: the first token closes the door, and Redis goes away. */
test('a scraper needs a token of role read once there is one, and is answered while Redis is away', async () => {
  const { body: token } = await api.post('/v1/tokens', { name: 'prometheus', role: 'read' });
  const authorization = `Bearer ${token.token}`;
  expect((await api.get('/metrics')).status).toBe(401);
  expect((await api.get('/metrics', { authorization: 'Bearer rgt_wrong' })).status).toBe(401);
  expect(numberOf(await scrape({ authorization }), 'regears_redis_up')).toBe(1);
  await redis.kill();
  await waitFor(async () => numberOf(await scrape({ authorization }), 'regears_redis_up') === 0, { what: 'an outage' });
  const away = await scrape({ authorization });
  expect(numberOf(away, 'regears_node_ready')).toBe(0);
  expect(numberOf(away, 'regears_executions_total', { registration: 'shop/stream/dead' })).toBe(2);
  expect(away.some(({ name }) => name === 'regears_fleet_backlog_entries')).toBe(false);
  expect((await api.get('/metrics')).status).toBe(401);
  expect((await api.get('/v1/scaler', { authorization })).body.code).toBe('REDIS_UNREACHABLE');
});
