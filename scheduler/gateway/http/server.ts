import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'pino';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { HttpSettings } from '../../settings.ts';
import type { Tokens } from '../../tokens/tokens.ts';
import { createAuthentication } from './authenticate.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import { mountRoutes } from './mount-routes.ts';
import { OPENAPI, openApiText } from './openapi.ts';
import { problemHeaders, problemOf } from './problem.ts';
import { createRequestChecks, type RequestPart } from './request-check.ts';
import type { HttpRoute } from './route.ts';
import { allowedMethods } from './route-paths.ts';
import { mountStaticFiles, type StaticSource } from './static-files.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** True when only this machine can reach the address. */
  readonly isLoopback: boolean;
  readonly nodeId: string;
  readonly settings: HttpSettings;
  readonly tokens: Tokens;
  readonly routes: readonly HttpRoute[];
  /** What is served at `/`. */
  readonly pages: StaticSource;
  /** False: Redis cannot be reached, so that most routes cannot answer. */
  readonly available: () => boolean;
  readonly log: Logger;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /**
   * Takes no new work of the API (`NODE_DRAINING`), ends events, waits for what is under way, at most so long. Health is
   * answered until the server is disposed of.
   */
  drain(deadlineMs: number): Promise<void>;
}

/** A request must have arrived within this, ms. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
const IDLE_MS = 10_000;
const DEFAULT_BODY_BYTES = 1024 * 1024;
/** Ids of registrations, as they stand in a path. */
const LONGEST_PARAMETER = 4_096;
const CLOSE_MS = 2_000;

/** The HTTP door. Listens when this resolves. Errors: the system's own for a port that is taken. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, nodeId, settings, tokens, isLoopback, log } = options;
  const streams = createEventStreams({ nodeId, maxClients: settings.eventClients });
  const app = createApp(options);
  const door = { ...options, app, streams, authentication: createAuthentication(tokens, isLoopback) };
  const work = await mountAll(door);
  await app.listen({ host, port });
  app.server.maxConnections = settings.maxConnections;
  app.server.on('error', (error) => log.error({ err: error }, 'the HTTP door cannot take a client'));
  return {
    port: (app.server.address() as AddressInfo).port,
    drain: (deadlineMs) => work.drain(deadlineMs),
    async [Symbol.asyncDispose]() {
      streams[Symbol.dispose]();
      const cutOff = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
      await app.close();
      clearTimeout(cutOff);
    },
  };
}

function createApp({ log, settings }: HttpServerOptions): FastifyInstance {
  const checks = createRequestChecks();
  const app = fastify({
    logger: false,
    bodyLimit: DEFAULT_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: 1_000 },
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    frameworkErrors: (error, request, reply) => sendProblem(error, { request, reply: reply as FastifyReply, log }),
  });
  app.setValidatorCompiler(
    ({ schema, httpPart }) => checks.compile(schema as object, httpPart as RequestPart) as never,
  );
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, { request, reply, log }));
  app.addHook('onRequest', async (request, reply) => {
    reply
      .header('x-request-id', request.id)
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff');
  });
  app.addHook('onSend', async (_request, reply) => cutSlowReader(reply, settings.answerMs));
  return app;
}

/** A client that does not take its answer keeps memory of ours. */
function cutSlowReader({ raw }: FastifyReply, answerMs: number): void {
  const timer = setTimeout(() => raw.destroy(), answerMs).unref();
  raw.once('close', () => clearTimeout(timer));
}

type Door = HttpServerOptions & {
  readonly app: FastifyInstance;
  readonly streams: EventStreams;
  readonly authentication: ReturnType<typeof createAuthentication>;
};

async function mountAll(door: Door): Promise<ReturnType<typeof mountRoutes>> {
  const { app, routes } = door;
  await app.register(swagger, OPENAPI);
  await app.register(multipart);
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const work = mountRoutes(door);
  mountDocument(app, routes);
  mountStaticFiles(app, door.pages);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const allowed = allowedMethods(routes, path);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    return sendProblem(nothingAt(request.method, path, allowed), { request, reply, log: door.log });
  });
  await app.ready();
  return work;
}

/** The document is made of the routes once, when it is asked for. */
function mountDocument(app: FastifyInstance, routes: readonly HttpRoute[]): void {
  let text: string | null = null;
  app.route({
    method: ['GET', 'HEAD'],
    url: '/v1/openapi.json',
    schema: { hide: true } as object,
    handler: async (_request, reply) => {
      text ??= openApiText(app, routes);
      return reply.header('cache-control', 'public, max-age=60').type('application/json').send(text);
    },
  });
}

function nothingAt(method: string, path: string, allowed: readonly string[]): PlatformError<SchedulerErrorCode> {
  const shown = path.slice(0, 200);
  if (allowed.length === 0) return new PlatformError('ROUTE_NOT_FOUND', `There is nothing at ${shown}.`);
  const message = `${shown} does not answer ${method.slice(0, 20)}, but ${allowed.join(' and ')}.`;
  return new PlatformError('METHOD_NOT_ALLOWED', message);
}

interface Failed {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly log: Logger;
}

function sendProblem(error: unknown, { request, reply, log }: Failed): FastifyReply {
  const problem = problemOf(fromFramework(error), request.id);
  if (problem.code === 'INTERNAL')
    log.error({ err: error, request: request.id, url: request.url.slice(0, 200) }, 'a request failed');
  return reply
    .code(problem.status)
    .headers({ 'x-request-id': request.id, 'cache-control': 'no-store', ...problemHeaders(problem) })
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem);
}

/** Words of the framework and its parts as ours. */
function fromFramework(error: unknown): unknown {
  if (error instanceof PlatformError || !(error instanceof Error)) return error;
  const { code = '', statusCode = 500, message } = error as FastifyError;
  if (statusCode === 413 || /_TOO_LARGE$|_LIMIT$/.test(code)) {
    return new PlatformError<SchedulerErrorCode>('BODY_TOO_LARGE', message.toLowerCase());
  }
  if (statusCode === 415) return new PlatformError<SchedulerErrorCode>('MEDIA_TYPE_UNSUPPORTED', message);
  if (statusCode >= 400 && statusCode < 500) return new PlatformError('ARGUMENT_INVALID', message, { cause: error });
  return error;
}
