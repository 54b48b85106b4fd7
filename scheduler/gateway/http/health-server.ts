import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';

export interface HealthServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Parts of the node by name, such as `redis`, and whether each is ready. Asked at every request. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly log: Logger;
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'application/problem+json';
  readonly body: unknown;
  readonly allow?: string;
}

const REQUEST_TIMEOUT_MS = 10_000;

/**
 * `/livez`: 200 as long as the process answers at all. `/readyz`: 200 when every part is ready, else 503; both name each part.
 * Anything else is a problem document (RFC 9457). Listens when this resolves.
 */
export async function createHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    request.resume();
    void answer(options, request).then((body) => send(response, body, request.method === 'HEAD'));
  });
  server.listen({ host: options.host, port: options.port });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer({ readiness, log }: HealthServerOptions, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path !== '/livez' && path !== '/readyz') {
    return problem(404, 'Not Found', `There is nothing at ${path.slice(0, 200)}.`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...problem(405, 'Method Not Allowed', `${path} answers GET and HEAD.`), allow: 'GET, HEAD' };
  }
  try {
    return path === '/livez' ? live(await readiness()) : ready(await readiness());
  } catch (error) {
    log.error({ err: error }, 'the state of the node could not be found out');
    return problem(503, 'Service Unavailable', 'The state of the node could not be found out, see its log.');
  }
}

function live(parts: Readonly<Record<string, boolean>>): Answer {
  return { status: 200, type: 'application/json', body: { status: 'live', parts: partStates(parts) } };
}

function ready(parts: Readonly<Record<string, boolean>>): Answer {
  const isReady = Object.values(parts).every(Boolean);
  const body = { status: isReady ? 'ready' : 'not ready', parts: partStates(parts) };
  return { status: isReady ? 200 : 503, type: 'application/json', body };
}

function partStates(parts: Readonly<Record<string, boolean>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(parts).map(([name, isReady]) => [name, isReady ? 'ready' : 'not ready']));
}

function problem(status: number, title: string, detail: string): Answer {
  return { status, type: 'application/problem+json', body: { type: 'about:blank', title, status, detail } };
}

function send(response: ServerResponse, { status, type, body, allow }: Answer, isHead: boolean): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(isHead ? undefined : text);
}
