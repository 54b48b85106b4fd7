import type { ServerResponse } from 'node:http';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';

/** Server-sent events on their way to one client. */
export interface EventStream {
  /** Does nothing once the stream has ended. */
  send(event: string, data: unknown, id?: string): void;
  /** Aborted when the client has gone, does not read, or the door closes. */
  readonly signal: AbortSignal;
}

/** All streams of the door. */
export interface EventStreams extends Disposable {
  /** TOO_MANY_CLIENTS. */
  checkRoom(): void;
  /** Takes over a response whose headers have not been written. */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>): EventStream;
  /** Ends all streams with a last event `bye`. */
  close(reason: string): void;
  readonly count: number;
}

export interface EventStreamsOptions {
  readonly nodeId: string;
  readonly maxClients: number;
  /** Between two signs of life, ms. Default 5000. */
  readonly beatMs?: number;
  /** What a client may leave unread before it is cut off, bytes. Default 1 MiB. */
  readonly maxUnreadBytes?: number;
}

const RETRY_MS = 2_000;

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { nodeId, maxClients, beatMs = 5_000, maxUnreadBytes = 1024 * 1024 } = options;
  const open = new Set<OpenStream>();
  const beating = setInterval(() => {
    const atMs = Date.now();
    for (const stream of open) stream.send('beat', { atMs });
  }, beatMs).unref();
  return {
    get count() {
      return open.size;
    },
    checkRoom() {
      if (open.size < maxClients) return;
      throw new PlatformError<SchedulerErrorCode>(
        'TOO_MANY_CLIENTS',
        `${maxClients} clients follow events of this node, more are not allowed (setting http-event-clients)`,
        { retryable: true },
      );
    },
    open(response, headers) {
      const stream = new OpenStream(response, maxUnreadBytes);
      open.add(stream);
      stream.signal.addEventListener('abort', () => open.delete(stream), { once: true });
      stream.begin(headers);
      stream.send('hello', { nodeId, atMs: Date.now(), beatMs });
      return stream;
    },
    close(reason) {
      for (const stream of [...open]) stream.end(reason);
    },
    [Symbol.dispose]() {
      clearInterval(beating);
      for (const stream of [...open]) stream.end('the node closes');
    },
  };
}

class OpenStream implements EventStream {
  readonly #response: ServerResponse;
  readonly #maxUnreadBytes: number;
  readonly #gone = new AbortController();

  constructor(response: ServerResponse, maxUnreadBytes: number) {
    this.#response = response;
    this.#maxUnreadBytes = maxUnreadBytes;
    response.once('close', () => this.#gone.abort());
    response.on('error', () => this.#gone.abort());
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  begin(headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that gather answers would hold events back.
      'x-accel-buffering': 'no',
    });
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
  }

  send(event: string, data: unknown, id?: string): void {
    if (this.signal.aborted) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    this.#response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (this.#response.writableLength <= this.#maxUnreadBytes) return;
    this.#gone.abort();
    this.#response.destroy();
  }

  end(reason: string): void {
    this.send('bye', { reason });
    this.#response.end();
    this.#gone.abort();
  }
}
