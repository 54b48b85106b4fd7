import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { PlatformError } from '../../../../functions/index.ts';
import { defineRoute, type HttpRoute } from '../../../../scheduler/gateway/http/route.ts';
import { healthRoutes } from '../../../../scheduler/gateway/http/routes/health.ts';
import { createHttpServer, type HttpServer } from '../../../../scheduler/gateway/http/server.ts';
import type { StaticSource } from '../../../../scheduler/gateway/http/static-files.ts';
import type { HttpSettings } from '../../../../scheduler/settings.ts';
import type { TokenChecks, Tokens } from '../../../../scheduler/tokens/tokens.ts';
import { withoutLeaks } from '../../../support/leaks.ts';
import { waitFor } from '../../../support/wait.ts';
import { apiAt } from './support/api.ts';
import { follow } from './support/events.ts';

const log = pino({ level: 'silent' });
const settings: HttpSettings = {
  origins: [],
  maxConnections: 20,
  eventClients: 5,
  answerMs: 1_000,
  idempotencyKeepMs: 1_000,
  metricsAccess: 'token',
  metricsLabels: 10,
};
const CHECKS: TokenChecks = { areThere: async () => false, verify: async () => null };
const NO_TOKENS: Tokens = {
  ...CHECKS,
  lasting: CHECKS,
  list: async () => [],
  create: () => Promise.reject(new Error('not here')),
  revoke: () => Promise.reject(new Error('not here')),
};
const NO_PAGES: StaticSource = { names: [], read: async () => new Map() };

interface Wish {
  readonly routes: readonly HttpRoute[];
  readonly pages?: StaticSource;
  readonly available?: () => boolean;
  readonly isLoopback?: boolean;
}

function serve({ routes, pages = NO_PAGES, available = () => true, isLoopback = true }: Wish): Promise<HttpServer> {
  const place = { host: '127.0.0.1', port: 0, nodeId: 'n', isLoopback };
  return createHttpServer({ ...place, settings, tokens: NO_TOKENS, routes, pages, available, log });
}

const text = { 200: { description: 'x', schema: Type.Object({ ok: Type.Boolean() }) } };
const base = { method: 'GET', role: 'read', area: 'Test', summary: 'x', answers: text } as const;
const fine = defineRoute({ ...base, path: '/v1/fine', handle: () => ({ body: { ok: true } }) });

test('/readyz says which part is not ready, /livez answers all the while, also when it cannot be found out', async () => {
  const parts = { redis: true, readers: false };
  let isBroken = false;
  const readiness = async (): Promise<typeof parts> => {
    if (isBroken) throw new Error('secret detail');
    return parts;
  };
  await using server = await serve({ routes: healthRoutes({ readiness, log }), available: () => false });
  const api = apiAt(server.port);
  const before = await api.get('/readyz');
  expect([before.status, before.body]).toEqual([
    503,
    { status: 'not ready', parts: { redis: 'ready', readers: 'not ready' } },
  ]);
  expect((await api.get('/livez')).body.status).toBe('live');
  parts.readers = true;
  expect((await api.get('/readyz')).status).toBe(200);
  expect((await api.call('HEAD', '/readyz')).status).toBe(200);
  const refused = await api.call('POST', '/readyz');
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  isBroken = true;
  const broken = await api.get('/readyz');
  expect([broken.status, JSON.stringify(broken.body)]).toEqual([503, expect.not.stringContaining('secret')]);
});

test('an API on an address that others can reach is closed as long as there is no token', async () => {
  await using server = await serve({ routes: [fine], isLoopback: false });
  expect((await apiAt(server.port).get('/v1/fine')).body.code).toBe('UNAUTHENTICATED');
});

test('without Redis routes say so at once, and a fault of ours says nothing of itself', async () => {
  let isThere = false;
  const faulty = defineRoute({
    ...base,
    path: '/v1/faulty',
    handle: () => Promise.reject(new Error('secret detail')),
  });
  await using server = await serve({ routes: [fine, faulty], available: () => isThere });
  const api = apiAt(server.port);
  const away = await api.get('/v1/fine');
  expect([away.status, away.body.code, away.headers.get('retry-after')]).toEqual([503, 'REDIS_UNREACHABLE', '1']);
  isThere = true;
  expect((await api.get('/v1/fine')).status).toBe(200);
  const fault = await api.get('/v1/faulty');
  expect([fault.status, fault.body.code]).toEqual([500, 'INTERNAL']);
  expect(JSON.stringify(fault.body)).not.toContain('secret');
});

test('work without an answer is given up, the errors of the platform keep code and facts', async () => {
  const never = defineRoute({ ...base, path: '/v1/never', deadlineMs: 50, handle: () => new Promise<never>(() => {}) });
  const known = defineRoute({
    ...base,
    path: '/v1/known',
    handle: () => Promise.reject(new PlatformError('NOT_CONVERGED', 'n2 is late', { details: { nodes: ['n2'] } })),
  });
  await using server = await serve({ routes: [never, known] });
  const api = apiAt(server.port);
  expect((await api.get('/v1/never')).body.code).toBe('REDIS_UNREACHABLE');
  const late = await api.get('/v1/known');
  expect([late.status, late.body]).toMatchObject([
    504,
    { code: 'NOT_CONVERGED', detail: 'n2 is late', details: { nodes: ['n2'] } },
  ]);
});

test('what is unfinished, too long or too much is refused, and harms nobody', async () => {
  const post = defineRoute({
    ...{ method: 'POST', path: '/v1/post', role: 'read', area: 'Test', summary: 'x' },
    body: Type.Object({ a: Type.String() }, { additionalProperties: false }),
    answers: text,
    handle: () => ({ body: { ok: true } }),
  });
  await using server = await serve({ routes: [post, fine] });
  const api = apiAt(server.port);
  const large = await api.post('/v1/post', { a: 'x'.repeat(2 * 1024 * 1024) });
  expect([large.status, large.body.code]).toEqual([413, 'BODY_TOO_LARGE']);
  const polluting = await api.call('POST', '/v1/post', {
    headers: { 'content-type': 'application/json' },
    body: '{"a": "x", "__proto__": {"b": 1}}',
  });
  expect(polluting.body.code).toBe('ARGUMENT_INVALID');
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET /v1/fine HTTP/1.1\r\nhost: localhost\r\nx-long: ${'x'.repeat(64 * 1024)}\r\n\r\n`);
  socket.resume().on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  expect((await api.get('/v1/fine')).status).toBe(200);
});

test('a client that does not take its answer is cut off', async () => {
  const huge = defineRoute({
    ...{ method: 'GET', path: '/v1/huge', role: 'read', area: 'Test', summary: 'x' },
    answers: { 200: { description: 'x', type: 'text/plain' } },
    handle: () => ({ text: 'x'.repeat(64 * 1024 * 1024), type: 'text/plain' }),
  });
  await using server = await serve({ routes: [huge] });
  const socket = connect(server.port, '127.0.0.1');
  let isCut = false;
  socket.on('error', () => {
    isCut = true;
  });
  socket.pause();
  socket.write('GET /v1/huge HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const ask = (): boolean => {
    socket.write('GET /v1/huge HTTP/1.1\r\nhost: localhost\r\n\r\n');
    return isCut;
  };
  await waitFor(ask, { what: 'the client to be cut off' }).finally(() => socket.destroy());
});

test('drained it ends events and takes nothing up, lets work in hand answer, and still tells of its health', async () => {
  const gate = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const slow = defineRoute({
    ...base,
    path: '/v1/slow',
    async handle() {
      began.resolve();
      await gate.promise;
      return { body: { ok: true } };
    },
  });
  const events = defineRoute({
    ...base,
    path: '/v1/follow',
    answers: { 200: { description: 'x', type: 'text/event-stream' } },
    handle: () => ({ events: (stream) => stream.send('first', {}) }),
  });
  const readiness = async (): Promise<Record<string, boolean>> => ({ node: true });
  await using server = await serve({ routes: [fine, slow, events, ...healthRoutes({ readiness, log })] });
  const api = apiAt(server.port);
  await using following = await follow(`${api.url}/v1/follow`);
  await following.next('first');
  const working = api.get('/v1/slow');
  await began.promise;
  let isDrained = false;
  const draining = server.drain(10_000).then(() => {
    isDrained = true;
  });
  expect((await following.next('bye')).data.reason).toBe('the node stops');
  expect((await api.get('/v1/fine')).body.code).toBe('NODE_DRAINING');
  expect((await api.get('/readyz')).status).toBe(200);
  expect(isDrained).toBe(false);
  gate.resolve();
  expect((await working).status).toBe(200);
  await draining;
});

test('closed it leaves nothing open, whatever its clients do', async () => {
  const events = defineRoute({
    ...base,
    path: '/v1/follow',
    answers: { 200: { description: 'x', type: 'text/event-stream' } },
    handle: () => ({ events: (stream) => stream.send('first', {}) }),
  });
  await withoutLeaks(async () => {
    const server = await serve({ routes: [events] });
    const idle = connect(server.port, '127.0.0.1');
    idle.on('error', () => {});
    await once(idle, 'connect');
    const following = await follow(`http://127.0.0.1:${server.port}/v1/follow`);
    await following.next('first');
    await server[Symbol.asyncDispose]();
    await waitFor(() => following.ended, { what: 'the events to end' });
    idle.destroy();
    await following[Symbol.asyncDispose]();
  });
});

test('files of the dashboard come from memory, with types, tags and a policy', async () => {
  const script = `// ${'long '.repeat(500)}`;
  const files = { 'index.html': '<!doctype html><title>x</title>', 'page.js': script, 'notes.txt': 'not served' };
  let reads = 0;
  const read = async () => {
    reads += 1;
    return new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
  };
  await using server = await serve({ routes: [], pages: { names: ['index.html', 'page.js'], read } });
  expect(reads).toBe(0);
  const api = apiAt(server.port);
  const page = await api.get('/');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const etag = page.headers.get('etag') ?? '';
  expect((await api.get('/', { 'if-none-match': etag })).status).toBe(304);
  expect(reads).toBe(1);
  const zipped = await fetch(`${api.url}/page.js`, { headers: { 'accept-encoding': 'gzip' } });
  expect([zipped.headers.get('content-encoding'), await zipped.text()]).toEqual(['gzip', script]);
  expect((await api.call('HEAD', '/page.js')).status).toBe(200);
  expect((await api.get('/notes.txt')).status).toBe(404);
  expect((await api.get('/../../etc/passwd')).status).toBe(404);
  expect((await api.get('/..%2f..%2fetc%2fpasswd')).status).toBe(404);
});

test('a route that is unconditional answers while Redis is away and while the node drains; the others say so', async () => {
  const always = defineRoute({
    ...base,
    path: '/v1/always',
    unconditional: true,
    handle: () => ({ body: { ok: true } }),
  });
  let isThere = false;
  await using server = await serve({ routes: [always, fine], available: () => isThere });
  const api = apiAt(server.port);
  expect((await api.get('/v1/always')).status).toBe(200);
  expect((await api.get('/v1/fine')).body.code).toBe('REDIS_UNREACHABLE');
  isThere = true;
  await server.drain(0);
  expect((await api.get('/v1/always')).status).toBe(200);
  expect((await api.get('/v1/fine')).body.code).toBe('NODE_DRAINING');
});
