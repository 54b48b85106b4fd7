import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { runRegears } from '../../../support/regears.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, startApi } from './support/api.ts';

let redis: TestRedis;
const started: Awaited<ReturnType<typeof startApi>>[] = [];
let api: Api;
let other: Api;
beforeAll(async () => {
  redis = await startRedis();
  const flags = ['--http-origins', 'https://ops.example.org'];
  started.push(...(await Promise.all([1, 2].map(() => startApi({ redisUrl: redis.url, flags })))));
  [api, other] = started.map((one) => one.api) as [Api, Api];
  await api.upload('echo', "GB('CommandReader').map((r) => r[1]).register({ trigger: 'echo', mode: 'sync' });");
});
afterAll(async () => {
  for (const one of started) await one[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** Asks with headers that `fetch` does not let anybody set. */
function ask(headers: Readonly<Record<string, string>>, path = '/v1/me', method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(`${api.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once('error', reject);
    asked.end();
  });
}

describe('without tokens', () => {
  test('programs on this machine may do everything', async () => {
    expect((await api.get('/v1/me')).body).toMatchObject({ authentication: 'open', role: 'admin', name: null });
  });

  test.each([
    ['of another site', { origin: 'https://evil.example' }, 403],
    ['of another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['that a browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['of no origin, as sandboxed pages are', { origin: 'null' }, 403],
    ['under a name that was bound to this machine', { host: 'rebound.example' }, 403],
    ['of an origin that the settings name', { origin: 'https://ops.example.org' }, 200],
    ['that the user has opened', { 'sec-fetch-site': 'none' }, 200],
    ['under the name localhost', { host: 'localhost:1234' }, 200],
  ])('a page %s is answered %i', async (_what, headers: Record<string, string>, status) => {
    expect(await ask(headers)).toBe(status);
  });

  test("the door's own page may use it", async () => {
    expect(await ask({ origin: api.url, 'sec-fetch-site': 'same-origin' })).toBe(200);
  });

  test('a refused page changes nothing', async () => {
    expect(await ask({ origin: 'https://evil.example' }, '/v1/functions/echo', 'DELETE')).toBe(403);
    expect((await api.get('/v1/functions/echo')).status).toBe(200);
  });

  test('health is for everybody', async () => {
    expect(await ask({ host: 'probe.example', origin: 'https://evil.example' }, '/readyz')).toBe(200);
    expect(await ask({}, '/livez?from=probe', 'HEAD')).toBe(200);
  });
});

describe('with tokens', () => {
  const tokens: Record<string, string> = {};
  const url = (): string => `redis://127.0.0.1:${started[0]?.node.respPort}`;
  const regears = (...args: string[]) => runRegears([...args, '--url', url(), '--json']);
  const bearer = (role: string): Record<string, string> => ({ authorization: `Bearer ${tokens[role]}` });

  beforeAll(async () => {
    for (const role of ['read', 'invoke', 'admin']) {
      const { code, stdout } = await regears('token', 'create', `a ${role}`, '--role', role, '--expires', '1h');
      expect(code).toBe(0);
      tokens[role] = (JSON.parse(stdout) as { token: string }).token;
    }
    await waitFor(async () => (await other.get('/v1/me')).status === 401, { what: 'the other node to close its door' });
    await waitFor(async () => (await api.get('/v1/me')).status === 401, { what: 'the node to close its door' });
  });

  test('who has none, or a wrong one, is asked for it', async () => {
    const [id, secret = ''] = (tokens.admin ?? '').split(/_(?=[A-Za-z0-9_-]{43}$)/);
    const wrong = `${id}_${secret.startsWith('A') ? 'B' : 'A'}${secret.slice(1)}`;
    for (const authorization of ['Bearer nonsense', `Bearer ${wrong}`, `Basic ${tokens.admin}`, 'Bearer']) {
      const answer = await api.get('/v1/me', { authorization });
      expect([answer.status, answer.body.code, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'UNAUTHENTICATED',
        'Bearer realm="regears"',
      ]);
    }
  });

  test.each([
    ['read', [200, 403, 403]],
    ['invoke', [200, 200, 403]],
    ['admin', [200, 200, 200]],
  ])('%s is answered %j when it looks, runs and changes', async (role, statuses) => {
    const looks = await api.get('/v1/functions', bearer(role));
    const runs = await other.post('/v1/trigger/echo', ['x'], bearer(role));
    const changes = await api.post('/v1/functions/echo/versions/1/activate', undefined, bearer(role));
    expect([looks.status, runs.status, changes.status]).toEqual(statuses);
    if (statuses[2] === 403)
      expect(changes.body).toMatchObject({ code: 'PERMISSION_DENIED', details: { role, needs: 'admin' } });
  });

  test('a source that is nowhere yet is tried by admins only', async () => {
    const json = { source: "GB('CommandReader').register({ trigger: 't' })", command: { args: [] } };
    const statuses = ['invoke', 'admin'].map(async (role) => (await api.post('/v1/try', json, bearer(role))).status);
    expect(await Promise.all(statuses)).toEqual([403, 200]);
  });

  test('a token does not help a page of another site', async () => {
    expect(await ask({ ...bearer('admin'), origin: 'https://evil.example' })).toBe(403);
  });

  test('they are listed without their secrets, and kept as hashes', async () => {
    const listed = JSON.parse((await regears('token', 'list')).stdout) as { name: string; lastUsedAtMs: number }[];
    expect(listed.map(({ name }) => name)).toEqual(['a read', 'a invoke', 'a admin']);
    const stored = JSON.stringify(await redis.client().hgetall('rg:{tokens}:tokens'));
    for (const token of Object.values(tokens)) {
      const secret = token.slice(-43);
      expect(JSON.stringify(listed)).not.toContain(secret);
      expect(stored).not.toContain(secret);
    }
  });

  test('a revoked one is good nowhere any more', async () => {
    const made = await api.post('/v1/tokens', { name: 'short', role: 'read' }, bearer('admin'));
    const headers = { authorization: `Bearer ${made.body.token}` };
    expect((await api.get('/v1/me', headers)).body.name).toBe('short');
    expect((await regears('token', 'revoke', made.body.id)).code).toBe(0);
    for (const one of [api, other]) {
      await waitFor(async () => (await one.get('/v1/me', headers)).status === 401, { what: 'the token to be refused' });
    }
    expect((await regears('token', 'revoke', made.body.id)).code).not.toBe(0);
  });

  test('an expired one is not good', async () => {
    const made = await api.post('/v1/tokens', { name: 'brief', role: 'read', expiresInMs: 1_000 }, bearer('admin'));
    const headers = { authorization: `Bearer ${made.body.token}` };
    expect((await api.get('/v1/me', headers)).status).toBe(200);
    await waitFor(async () => (await api.get('/v1/me', headers)).status === 401, { what: 'the token to expire' });
  });

  test('they are made by users who may load functions, and by no others', async () => {
    const names = { name: 'x'.repeat(101), role: 'admin' };
    expect((await api.post('/v1/tokens', names, bearer('admin'))).body.code).toBe('ARGUMENT_INVALID');
    expect((await api.post('/v1/tokens', { name: 'a', role: 'root' }, bearer('admin'))).body.code).toBe(
      'ARGUMENT_INVALID',
    );
    expect((await api.post('/v1/tokens', { name: 'a', role: 'read' }, bearer('invoke'))).body.code).toBe(
      'PERMISSION_DENIED',
    );
  });
});
