import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentedRoutes } from '../../../../.build/http-document.ts';
import { operationId } from '../../../../scheduler/gateway/http/openapi.ts';
import type { PlatformProcess } from '../../../support/platform.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Api, type ApiAnswer, type Json, segment, startApi } from './support/api.ts';
import { follow } from './support/events.ts';

let started: Awaited<ReturnType<typeof startApi>>;
let api: Api;
let node: PlatformProcess;
let document: Json;
/** What the fixtures have brought about. */
let known: { readonly letter: string; readonly execution: string; readonly ended: string; readonly token: string };

const SOURCE = `
new GearsBuilder('CommandReader').map((r) => r[1] ?? 'nothing').register({ trigger: 'echo', mode: 'sync' });
new GearsBuilder('StreamReader').foreach((r) => { if (r.value.bad) throw new Error('bad'); })
  .register({ prefix: 'in', mode: 'async_local', onFailedPolicy: 'continue' });
`;
const STREAM = 'shop/stream/in';
const RUN = "GB('ShardsIDReader').map(() => 1).run()";

beforeAll(async () => {
  started = await startApi();
  ({ api, node } = started);
  await api.upload('shop', SOURCE);
  await api.upload('shop', `${SOURCE}// second`);
  await node.door.xadd('in', '*', 'bad', '1');
  await waitFor(async () => (await api.get('/v1/dead-letters/count')).body.count === 1, { what: 'a dead letter' });
  const [letter] = (await api.get('/v1/dead-letters')).body.items;
  const ids = await Promise.all(
    [1, 2].map(async () => (await api.post('/v1/runs?wait=true', { source: RUN })).body.id),
  );
  known = { letter: letter?.id ?? '', execution: ids[0] ?? '', ended: ids[1] ?? '', token: '' };
  document = (await api.get('/v1/openapi.json')).body;
});
afterAll(() => started?.[Symbol.asyncDispose]());

interface Example {
  readonly path: () => string;
  readonly json?: unknown;
  readonly status?: number;
  /** Server-sent events: only the beginning is looked at. */
  readonly events?: boolean;
  /** Done rightly, it ends what other examples need, so that comes last. */
  readonly last?: boolean;
}

const shop = '/v1/functions/shop';
const registration = `/v1/registrations/${segment(STREAM)}`;

/** A right request for each operation of the document. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  getFunctions: { path: () => '/v1/functions' },
  getFunctionsByName: { path: () => shop },
  putFunctionsByName: { path: () => '/v1/functions/other?activate=false', json: { source: RUN }, status: 201 },
  getFunctionsByNameVersions: { path: () => `${shop}/versions` },
  getFunctionsByNameVersionsByVersion: { path: () => `${shop}/versions/1` },
  getFunctionsByNameVersionsByVersionSource: { path: () => `${shop}/versions/1/source` },
  getFunctionsByNameDiff: { path: () => `${shop}/diff?from=1&to=2` },
  postFunctionsByNameVersionsByVersionActivate: { path: () => `${shop}/versions/1/activate` },
  postFunctionsByNameRollback: { path: () => `${shop}/rollback`, json: { version: 2 } },
  getFunctionsByNameEnv: { path: () => `${shop}/env` },
  postFunctionsByNameEnv: { path: () => `${shop}/env`, json: { set: { REGION: 'eu' } } },
  getFunctionsByNameSecrets: { path: () => `${shop}/secrets` },
  postFunctionsByNameSecrets: { path: () => `${shop}/secrets`, json: { set: { API_KEY: 'not a real key' } } },
  postSecretsRotate: { path: () => '/v1/secrets/rotate' },
  getRegistrations: { path: () => '/v1/registrations?kind=stream&state=running&function=shop' },
  getRegistrationsById: { path: () => registration },
  getRegistrationsByIdRuns: { path: () => `${registration}/runs` },
  postRegistrationsByIdPause: { path: () => `${registration}/pause`, json: { reason: 'a test' } },
  postRegistrationsByIdResume: { path: () => `${registration}/resume` },
  deleteRegistrationsByIdStatistics: { path: () => `${registration}/statistics`, status: 204 },
  deleteStatistics: { path: () => '/v1/statistics', status: 204 },
  deleteRegistrationsById: { path: () => `/v1/registrations/${segment('shop/command/echo')}`, last: true },
  deleteFunctionsByName: { path: () => `${shop}?abortPending=true`, last: true },
  postTriggerByName: { path: () => '/v1/trigger/echo?timeoutMs=20000&results=json', json: ['a'] },
  postRuns: { path: () => '/v1/runs?wait=true&timeoutMs=20000', json: { source: RUN, name: 'counted' } },
  postTry: { path: () => '/v1/try', json: { registrationId: STREAM, entry: { fields: { a: 'b' } } } },
  getExecutions: { path: () => '/v1/executions?status=done&limit=1' },
  getExecutionsById: { path: () => `/v1/executions/${known.execution}` },
  getExecutionsByIdResults: { path: () => `/v1/executions/${known.execution}/results` },
  getExecutionsByIdLogs: { path: () => `/v1/executions/${known.execution}/logs` },
  postExecutionsByIdAbort: { path: () => `/v1/executions/${known.execution}/abort` },
  deleteExecutionsById: { path: () => `/v1/executions/${known.ended}`, status: 204, last: true },
  getStreams: { path: () => `/v1/streams?registration=${segment(STREAM)}` },
  getStreamsByStream: { path: () => '/v1/streams/in' },
  getStreamsByStreamEntries: { path: () => '/v1/streams/in/entries?limit=1' },
  getDeadLetters: { path: () => '/v1/dead-letters?error=bad&order=oldest' },
  getDeadLettersCount: { path: () => '/v1/dead-letters/count?function=shop' },
  getDeadLettersById: { path: () => `/v1/dead-letters/${segment(known.letter)}` },
  postDeadLettersRedrive: { path: () => '/v1/dead-letters/redrive', json: { filter: {}, all: true, dryRun: true } },
  postDeadLettersDiscard: {
    path: () => '/v1/dead-letters/discard',
    json: { filter: { function: 'shop' }, dryRun: true },
  },
  getLive: { path: () => '/v1/live', events: true },
  getLiveHistory: { path: () => '/v1/live/history' },
  getEvents: { path: () => '/v1/events?topics=nodes,overview&intervalMs=1000', events: true },
  getLogs: { path: () => '/v1/logs?function=shop&level=notice&limit=5' },
  getLogsLive: { path: () => '/v1/logs/live?level=warning', events: true },
  getOverview: { path: () => '/v1/overview' },
  getNodes: { path: () => '/v1/nodes' },
  getCluster: { path: () => '/v1/cluster' },
  postClusterRefresh: { path: () => '/v1/cluster/refresh', status: 204 },
  getConfig: { path: () => '/v1/config' },
  putConfigOptionsByName: { path: () => '/v1/config/options/MaxExecutions', json: { value: '100' } },
  getDoctor: { path: () => '/v1/doctor' },
  getCommands: { path: () => '/v1/commands' },
  getMe: { path: () => '/v1/me' },
  getTokens: { path: () => '/v1/tokens' },
  // The first token closes the door, so what needs one comes at the very end, in its own test.
  postTokens: { path: () => '/v1/tokens', json: { name: 'late', role: 'admin' }, status: 201, last: true },
  deleteTokensById: { path: () => '/v1/tokens/none', status: 404, last: true },
  getScaler: { path: () => `/v1/scaler?registration=${segment(STREAM)}&function=shop` },
  getMetrics: { path: () => '/metrics' },
  getLivez: { path: () => '/livez' },
  getReadyz: { path: () => '/readyz' },
};

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly spec: Json;
}

function operations(): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Json>>)
      .filter(([method]) => method !== 'head')
      .map(([method, spec]) => ({ id: spec.operationId, method: method.toUpperCase(), path, spec })),
  );
}

const operationIds = documentedRoutes().map((route) => [operationId(route)] as const);
const ajv = new Ajv2020({ strict: false });
const compiled = new Map<Json, ValidateFunction>();

function fits(schema: Json, value: unknown): string | null {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  return validate(value) ? null : ajv.errorsText(validate.errors);
}

function operation(id: string): Operation {
  const found = operations().find((one) => one.id === id);
  if (found === undefined) throw new Error(`${id} is not in the document`);
  return found;
}

/** The answer is one that the document tells of, in status, type and shape. */
function expectDocumented({ spec }: Operation, answer: ApiAnswer): void {
  const told = spec.responses[String(answer.status)] ?? spec.responses.default;
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (told?.content === undefined) {
    expect(answer.body).toBeNull();
    return;
  }
  expect(Object.keys(told.content)).toContain(type);
  const schema = told.content[type]?.schema;
  if (schema !== undefined && type !== 'text/event-stream') expect(fits(schema, answer.body)).toBeNull();
}

function expectProblem(what: Operation, answer: ApiAnswer, code: string): void {
  expect([answer.status, answer.body]).toMatchObject([expect.any(Number), { code, status: answer.status }]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.instance).toBe(answer.headers.get('x-request-id'));
  expectDocumented(what, answer);
}

const call = (what: Operation, example: Example): Promise<ApiAnswer> =>
  api.call(what.method, example.path(), example.json === undefined ? {} : { json: example.json });

describe('the document', () => {
  test('is OpenAPI 3.1, names every route of the table, and each has an example here', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = operations().map(({ id }) => id);
    expect(ids.toSorted()).toEqual(operationIds.flat().toSorted());
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(ids.toSorted());
  });
});

describe.each(operationIds)('%s', (id) => {
  const example = EXAMPLES[id] as Example;

  test.skipIf(example.last)('answers a right request as the document says', async () => {
    const what = operation(id);
    if (example.events === true) {
      await using follower = await follow(`${api.url}${example.path()}`);
      expect((await follower.next('hello')).data.nodeId).toBeTypeOf('string');
      expect(Object.keys(what.spec.responses['200'].content)).toEqual(['text/event-stream']);
      return;
    }
    const answer = await call(what, example);
    expect([answer.status, answer.body]).toEqual([example.status ?? 200, answer.body]);
    expectDocumented(what, answer);
  });

  test('refuses a parameter that it does not know', async () => {
    const what = operation(id);
    // Whatever asks for health may add what it likes.
    if (example.path().endsWith('z')) return;
    const path = example.path();
    const answer = await call(what, { ...example, path: () => `${path}${path.includes('?') ? '&' : '?'}nonsense=1` });
    expectProblem(what, answer, 'ARGUMENT_INVALID');
    expect(answer.body.detail).toContain('nonsense');
  });

  test('refuses wrong values of its parameters', async () => {
    const what = operation(id);
    const parameters = (what.spec.parameters ?? []) as readonly Json[];
    for (const { name, in: place, schema } of parameters.filter(({ schema }) => isRestricted(schema))) {
      const wrong = schema.type === 'string' ? '~~' : 'abc';
      const path =
        place === 'query'
          ? withQuery(example.path(), name, wrong)
          : withParameter(what.path, example.path(), [name, wrong]);
      expectProblem(what, await call(what, { ...example, path: () => path }), 'ARGUMENT_INVALID');
    }
  });

  test('refuses a body that is not as the document says', async () => {
    const what = operation(id);
    const { requestBody } = what.spec;
    const headers = { 'content-type': 'application/json' };
    const send = (body: string, type = headers['content-type']): Promise<ApiAnswer> =>
      api.call(what.method, example.path(), { headers: { 'content-type': type }, body });
    if (what.method === 'GET') return;
    if (requestBody === undefined) {
      expectProblem(what, await send('{}'), 'MEDIA_TYPE_UNSUPPORTED');
      return;
    }
    expectProblem(what, await send('{"unknownField": 1}'), 'ARGUMENT_INVALID');
    expectProblem(what, await send('17'), 'ARGUMENT_INVALID');
    expectProblem(what, await send('{"a": '), 'ARGUMENT_INVALID');
    expectProblem(what, await send('<a/>', 'application/xml'), 'MEDIA_TYPE_UNSUPPORTED');
    if (requestBody.required) expectProblem(what, await api.call(what.method, example.path()), 'ARGUMENT_INVALID');
  });

  test('refuses a method that the path does not have', async () => {
    const path = example.path();
    const answer = await api.call('PATCH', path);
    expect([answer.status, answer.body]).toMatchObject([405, { code: 'METHOD_NOT_ALLOWED' }]);
    expect(answer.headers.get('allow')).toContain(operation(id).method);
  });
});

/** Schemas for which there is a wrong text. */
function isRestricted(schema: Json): boolean {
  return (
    ['integer', 'number', 'boolean'].includes(schema.type) || schema.enum !== undefined || schema.pattern !== undefined
  );
}

function withQuery(path: string, name: string, value: string): string {
  const [bare = '', query = ''] = path.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set(name, value);
  return `${bare}?${parameters}`;
}

function withParameter(pattern: string, path: string, [name, value]: readonly [string, string]): string {
  const at = pattern.split('/').indexOf(`{${name}}`);
  const [bare = '', query] = path.split('?');
  const changed = bare.split('/').with(at, value).join('/');
  return query === undefined ? changed : `${changed}?${query}`;
}

describe('what is not there', () => {
  test.each([
    ['/v1/functions/none', 'FUNCTION_NOT_FOUND'],
    ['/v1/functions/shop/versions/99', 'VERSION_NOT_FOUND'],
    ['/v1/functions/shop/diff?from=1&to=99', 'VERSION_NOT_FOUND'],
    ['/v1/functions/none/env', 'FUNCTION_NOT_FOUND'],
    ['/v1/functions/none/secrets', 'FUNCTION_NOT_FOUND'],
    ['/v1/registrations/none', 'REGISTRATION_NOT_FOUND'],
    ['/v1/executions/none', 'EXECUTION_NOT_FOUND'],
    ['/v1/streams/none', 'STREAM_NOT_FOUND'],
    ['/v1/streams/none/entries', 'STREAM_NOT_FOUND'],
    ['/v1/dead-letters/none', 'DEAD_LETTER_NOT_FOUND'],
    ['/v1/nothing', 'ROUTE_NOT_FOUND'],
    ['/v2/functions', 'ROUTE_NOT_FOUND'],
    ['/%E0%A4%A', 'ARGUMENT_INVALID'],
  ])('%s is %s', async (path, code) => {
    const answer = await api.get(path);
    expect(answer.body).toMatchObject({ code, status: answer.status });
  });
});

test('what ends things answers as the document says, and the first token closes the door', async () => {
  for (const [id, example] of Object.entries(EXAMPLES).filter(([, { last }]) => last === true)) {
    const what = operation(id);
    if (id === 'postTokens' || id === 'deleteTokensById') continue;
    const answer = await call(what, example);
    expect([id, answer.status]).toEqual([id, example.status ?? 200]);
    expectDocumented(what, answer);
  }
  const made = await call(operation('postTokens'), EXAMPLES.postTokens as Example);
  expect(made.status).toBe(201);
  expectDocumented(operation('postTokens'), made);
  const headers = { authorization: `Bearer ${made.body.token}` };
  expectProblem(operation('getMe'), await api.get('/v1/me'), 'UNAUTHENTICATED');
  expect((await api.get('/v1/me', headers)).body).toMatchObject({
    authentication: 'token',
    role: 'admin',
    name: 'late',
  });
  const unknown = await api.call('DELETE', '/v1/tokens/none', { headers });
  expectProblem(operation('deleteTokensById'), unknown, 'TOKEN_NOT_FOUND');
  const gone = await api.call('DELETE', `/v1/tokens/${made.body.id}`, { headers });
  expect([gone.status, (await api.get('/v1/me')).body.authentication]).toEqual([204, 'open']);
});
