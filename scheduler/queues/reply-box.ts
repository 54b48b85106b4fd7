import type { Cluster, Redis } from 'ioredis';
import { PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/** Where replies of commands come in that this node has put into the queue. */
export interface ReplyBox extends AsyncDisposable {
  /**
   * Waits for the reply of a call (latin1). Errors: CALL_TIMED_OUT after `timeoutMs`, NODE_DRAINING when the box is closed
   * before, or the error that the node which ran the command wrote.
   */
  expect(callId: string, timeoutMs: number): Promise<string>;
}

const BLOCK_MS = 1_000;
const SILENCE_MS = BLOCK_MS + 2_000;
const READ_COUNT = 256;

interface Waiter {
  readonly resolve: (reply: string) => void;
  readonly reject: (error: PlatformError) => void;
  readonly timer: NodeJS.Timeout;
}

/** @param key this node's stream of replies. */
export function createReplyBox(access: RedisAccess, key: string): ReplyBox {
  return new StreamReplyBox(access, key);
}

/**
 * Reads a stream, not a list: reading takes nothing away, so a reply is not lost with a connection that breaks just then.
 * Reads only while somebody waits.
 */
class StreamReplyBox implements ReplyBox {
  readonly #access: RedisAccess;
  readonly #key: string;
  readonly #waiters = new Map<string, Waiter>();
  #client: Redis | Cluster | undefined;
  #lastId = '0-0';
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(access: RedisAccess, key: string) {
    this.#access = access;
    this.#key = key;
  }

  expect(callId: string, timeoutMs: number): Promise<string> {
    if (this.#closed) return Promise.reject(closedError());
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => this.#settle(callId)?.reject(timedOut(timeoutMs)), timeoutMs);
    this.#waiters.set(callId, { resolve, reject, timer });
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const callId of [...this.#waiters.keys()]) this.#settle(callId)?.reject(closedError());
    this.#client?.disconnect();
    await this.#reading;
  }

  #settle(callId: string): Waiter | undefined {
    const waiter = this.#waiters.get(callId);
    this.#waiters.delete(callId);
    clearTimeout(waiter?.timer);
    return waiter;
  }

  async #read(): Promise<void> {
    const client = this.#open();
    while (this.#waiters.size > 0 && !this.#closed) {
      const entries = await this.#readOnce(client);
      for (const { fields } of entries) this.#deliver(fields);
      this.#lastId = entries.at(-1)?.id ?? this.#lastId;
      if (entries.length > 0) this.#trim();
    }
  }

  #open(): Redis | Cluster {
    if (this.#client === undefined) {
      this.#client = this.#access.openQueueClient('replies');
      this.#client.on('error', () => {});
    }
    return this.#client;
  }

  async #readOnce(client: Redis | Cluster): Promise<readonly ReplyEntry[]> {
    const watch = setInterval(() => {
      // Half-open: only a new connection brings an answer. One that is being made has a timer of its own.
      if (client.status === 'ready') client.disconnect(true);
    }, SILENCE_MS);
    try {
      const reply = await client.xreadBuffer(
        'COUNT',
        READ_COUNT,
        'BLOCK',
        BLOCK_MS,
        'STREAMS',
        this.#key,
        this.#lastId,
      );
      return entriesOf(reply);
    } catch {
      // Connection trouble that the client does not hide (a cluster without nodes, a failover): ask again.
      if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, 50));
      return [];
    } finally {
      clearInterval(watch);
    }
  }

  /** Best effort: what is not trimmed now goes with the next trim, or with the key's expiry. */
  #trim(): void {
    this.#access.client.xtrim(this.#key, 'MINID', this.#lastId).catch(() => {});
  }

  /** `fields` is `call, <id>, reply | error, <text>`. */
  #deliver(fields: readonly Buffer[]): void {
    const waiter = this.#settle(fields[1]?.toString() ?? '');
    const kind = fields[2]?.toString();
    const body = fields[3] ?? Buffer.alloc(0);
    if (kind === 'error') waiter?.reject(decodeError(body));
    else waiter?.resolve(body.toString('latin1'));
  }
}

interface ReplyEntry {
  readonly id: string;
  readonly fields: readonly Buffer[];
}

function entriesOf(reply: unknown): readonly ReplyEntry[] {
  const streams = (reply ?? []) as readonly (readonly [Buffer, readonly (readonly [Buffer, readonly Buffer[]])[]])[];
  return (streams[0]?.[1] ?? []).map(([id, fields]) => ({ id: id.toString(), fields }));
}

/** Text of an `error` answer. */
export function encodeError(error: PlatformError): string {
  return JSON.stringify({ code: error.code, message: error.message, retryable: error.retryable });
}

function decodeError(body: Buffer): PlatformError {
  const { code, message, retryable } = JSON.parse(body.toString()) as PlatformError;
  return new PlatformError(code, message, { retryable });
}

function timedOut(timeoutMs: number): PlatformError<SchedulerErrorCode> {
  return new PlatformError('CALL_TIMED_OUT', `no node answered the command within ${timeoutMs} ms`, {
    retryable: true,
    details: { timeoutMs },
  });
}

function closedError(): PlatformError<SchedulerErrorCode> {
  return new PlatformError('NODE_DRAINING', 'this node is stopping and waits for no more replies', { retryable: true });
}
