import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import { type Authentication, checkRole } from './authenticate.ts';
import type { EventStreams } from './event-stream.ts';
import { documentedBody } from './openapi.ts';
import { guardRequest } from './request-guard.ts';
import { readBody, readPayload } from './request-payload.ts';
import type { Caller, HttpRoute, RouteAnswer } from './route.ts';
import { frameworkPath } from './route-paths.ts';
import { ProblemShape } from './schemas/problem.ts';

export interface MountOptions {
  readonly app: FastifyInstance;
  readonly routes: readonly HttpRoute[];
  readonly authentication: Authentication;
  readonly streams: EventStreams;
  readonly settings: { readonly origins: readonly string[] };
  readonly available: () => boolean;
}

/** What is under way. */
export interface RouteWork {
  drain(deadlineMs: number): Promise<void>;
}

const DEADLINE_MS = 15_000;
const POLL_MS = 10;

/** Makes the server answer the routes. */
export function mountRoutes(options: MountOptions): RouteWork {
  const state = { draining: false, underWay: 0 };
  for (const route of options.routes) mountRoute(options, route, state);
  return {
    async drain(deadlineMs) {
      state.draining = true;
      options.streams.close('the node stops');
      const endMs = performance.now() + deadlineMs;
      while (state.underWay > 0 && performance.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

interface WorkState {
  draining: boolean;
  underWay: number;
}

function mountRoute(options: MountOptions, route: HttpRoute, state: WorkState): void {
  const { app } = options;
  const callers = new WeakMap<FastifyRequest, Caller>();
  app.route({
    method: route.head === true ? [route.method, 'HEAD'] : route.method,
    url: frameworkPath(route.path),
    ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
    schema: schemaOf(route),
    config: { documentedBody: documentedBody(route) } as object,
    onRequest: async (request) => {
      if (route.role !== null) {
        if (route.unconditional !== true) checkState(options, state);
        // Tokens are in Redis, which may hang without being away.
        const caller = await within({ deadlineMs: DEADLINE_MS }, identify(options, route, request));
        checkRole(caller, route.role);
        callers.set(request, caller);
      }
      checkMediaType(route, request);
    },
    handler: async (request, reply) => {
      state.underWay += 1;
      const done = (): void => {
        state.underWay -= 1;
      };
      try {
        return await answer({ options, route, request, reply, caller: callers.get(request) ?? NOBODY });
      } finally {
        done();
      }
    },
  });
}

async function identify(
  { authentication, settings }: MountOptions,
  { unconditional }: HttpRoute,
  { headers }: FastifyRequest,
): Promise<Caller> {
  const identification = unconditional === true ? authentication.lasting : authentication;
  guardRequest(headers, settings, await identification.isOpen());
  return identification.identify(headers);
}

const NOBODY: Caller = { role: 'read', name: null, tokenId: null };

function checkState({ available }: MountOptions, { draining }: WorkState): void {
  if (draining) {
    const message = 'this node is stopping and takes up nothing new; ask another one';
    throw new PlatformError<SchedulerErrorCode>('NODE_DRAINING', message, { retryable: true });
  }
  if (available()) return;
  throw new PlatformError('REDIS_UNREACHABLE', 'Redis cannot be reached at the moment; nothing was done', {
    retryable: true,
  });
}

interface Exchange {
  readonly options: MountOptions;
  readonly route: HttpRoute;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
}

async function answer(exchange: Exchange): Promise<FastifyReply | undefined> {
  const { options, route, request, reply, caller } = exchange;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const given = await within(
    route,
    (async () =>
      route.handle({
        params: request.params as never,
        query: request.query as never,
        body: readBody(request, route) as never,
        payload: await readPayload(request, route),
        headers: request.headers,
        caller,
        id: request.id,
        signal: gone.signal,
      }))(),
  );
  if ('events' in given) {
    options.streams.checkRoom();
    reply.hijack();
    given.events(options.streams.open(reply.raw, { 'x-request-id': request.id, 'x-content-type-options': 'nosniff' }));
    return undefined;
  }
  return sendAnswer(reply, given);
}

function sendAnswer(reply: FastifyReply, given: Exclude<RouteAnswer, { events: unknown }>): FastifyReply {
  reply.headers({ ...given.headers });
  if ('text' in given) return reply.code(200).type(given.type).send(given.text);
  const { body, status = body === undefined ? 204 : 200 } = given;
  return body === undefined ? reply.code(status).send() : reply.code(status).type('application/json').send(body);
}

/** Work that cannot be given up goes on; its client need not wait for ever. */
async function within<T>(route: Pick<HttpRoute, 'deadlineMs'>, work: Promise<T>): Promise<T> {
  const { deadlineMs = DEADLINE_MS } = route;
  if (deadlineMs === null) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `Redis or a node has not answered within ${deadlineMs} ms; a change may have been made all the same`;
      reject(new PlatformError('REDIS_UNREACHABLE', message, { retryable: true }));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function checkMediaType(route: HttpRoute, request: FastifyRequest): void {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) return;
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const taken = mediaTypesOf(route);
  if (taken.includes(type)) return;
  const allowed = taken.filter((each) => each !== '');
  const message =
    allowed.length === 0
      ? `${route.method} ${route.path} takes no body`
      : `the body is ${type === '' ? 'of no type' : `"${type.slice(0, 100)}"`}; allowed are ${allowed.join(', ')}`;
  throw new PlatformError<SchedulerErrorCode>('MEDIA_TYPE_UNSUPPORTED', message);
}

/** Content types that a route takes; `''` = none at all. */
export function mediaTypesOf({ body, payload }: HttpRoute): readonly string[] {
  if (body !== undefined) return ['application/json'];
  if (payload === undefined) return [];
  const json = payload.json === undefined ? [] : ['application/json'];
  return [...json, ...(payload.multipart ? ['multipart/form-data'] : []), ...payload.raw];
}

function schemaOf(route: HttpRoute): FastifySchema {
  const closed = (properties: HttpRoute['query']): TSchema =>
    Type.Object(properties ?? {}, { additionalProperties: false });
  const json = route.body ?? route.payload?.json;
  const answers = Object.entries(route.answers).map(([status, { description, schema, type }]) => {
    const content = { [type ?? 'application/json']: { schema: schema ?? Type.String() } };
    return [
      status,
      schema === undefined && type === undefined ? { description, type: 'null' } : { description, content },
    ];
  });
  return {
    tags: [route.area],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.role === null ? {} : { security: [{ token: [] }] }),
    params: closed(route.params),
    ...(route.role === null ? {} : { querystring: closed(route.query) }),
    ...(json === undefined ? {} : { body: { content: { 'application/json': { schema: json } } } }),
    response: {
      ...Object.fromEntries(answers),
      default: { description: 'A problem', content: { 'application/problem+json': { schema: ProblemShape } } },
    },
  } as FastifySchema;
}
