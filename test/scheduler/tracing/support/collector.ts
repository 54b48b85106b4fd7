import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '../../../support/wait.ts';
import type { Json } from '../../gateway/http/support/api.ts';

/** A collector: takes OTLP over HTTP as JSON, and keeps the spans. */
export interface Collector extends Disposable {
  readonly server: Server;
  readonly url: string;
  readonly spans: Span[];
  readonly requests: { readonly path: string; readonly type: string; readonly auth: string }[];
  readonly resources: Readonly<Record<string, unknown>>[];
  /** What it answers; only with 200 it keeps anything. */
  status: number;
  /** Spans of one trace; waits for so many. */
  of(traceId: string, count: number): Promise<readonly Span[]>;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message?: string };
  readonly events: readonly Json[];
  readonly traceState: string;
  readonly begin: bigint;
  readonly end: bigint;
}

/** Kinds of spans, and the status of a failed one. */
export const SERVER = 2;
export const CLIENT = 3;
export const INTERNAL = 1;
export const CONSUMER = 5;
export const ERROR = 2;

export async function startCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      collected.requests.push({
        path: url,
        type: headers['content-type'] ?? '',
        auth: String(headers['x-auth'] ?? ''),
      });
      if (collected.status === 200) take(JSON.parse(Buffer.concat(chunks).toString()), collected);
      response.writeHead(collected.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const collected: Collector = {
    server,
    url: `http://127.0.0.1:${port}`,
    spans: [],
    requests: [],
    resources: [],
    status: 200,
    async of(traceId, count) {
      const found = (): readonly Span[] => collected.spans.filter((span) => span.traceId === traceId);
      await waitFor(() => found().length >= count, { what: `${count} spans of ${traceId}` });
      return found();
    },
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return collected;
}

function take(body: Json, { spans, resources }: Collector): void {
  for (const { resource, scopeSpans } of body.resourceSpans) {
    resources.push(valuesOf(resource.attributes));
    for (const span of scopeSpans.flatMap((scope: Json) => scope.spans)) {
      const {
        traceId,
        spanId,
        parentSpanId = '',
        name,
        kind,
        status = { code: 0 },
        events = [],
        traceState = '',
      } = span;
      const [begin, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
      spans.push({
        traceId,
        spanId,
        parentSpanId,
        name,
        kind,
        status,
        events,
        traceState,
        begin,
        end,
        attributes: valuesOf(span.attributes),
      });
    }
  }
}

function valuesOf(attributes: readonly Json[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
