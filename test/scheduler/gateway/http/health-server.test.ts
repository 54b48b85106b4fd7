import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createHealthServer } from '../../../../scheduler/gateway/http/health-server.ts';

const log = pino({ level: 'silent' });

test('/readyz says which part is not ready, /livez answers all the while', async () => {
  const parts = { redis: true, registry: false };
  await using server = await createHealthServer({ host: '127.0.0.1', port: 0, log, readiness: async () => parts });
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  const before = await get('/readyz');
  expect([before.status, await before.json()]).toEqual([
    503,
    { status: 'not ready', parts: { redis: 'ready', registry: 'not ready' } },
  ]);
  expect((await get('/livez')).status).toBe(200);
  parts.registry = true;
  const after = await get('/readyz?x=1');
  expect([after.status, await after.json()]).toMatchObject([200, { status: 'ready' }]);
  expect((await get('/readyz', 'HEAD')).status).toBe(200);
  const refused = await get('/readyz', 'POST');
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('anything else is a problem document', async () => {
  await using server = await createHealthServer({ host: '127.0.0.1', port: 0, log, readiness: async () => ({}) });
  const response = await fetch(`http://127.0.0.1:${server.port}/nope`);
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toEqual({
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: 'There is nothing at /nope.',
  });
});

test('a state that cannot be found out is an answer, too', async () => {
  const readiness = async (): Promise<never> => {
    throw new Error('secret detail');
  };
  await using server = await createHealthServer({ host: '127.0.0.1', port: 0, log, readiness });
  const response = await fetch(`http://127.0.0.1:${server.port}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.text()).not.toContain('secret');
});
