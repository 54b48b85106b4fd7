import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { PlatformError } from '../errors.ts';
import { logConnection, neverGiveUp } from './connection-log.ts';
import type { RawLink } from './raw-link.ts';
import type { RedisLog } from './redis-log.ts';
import { createReplyFramer, type ReplyFramer } from './resp/framer.ts';
import type { StreamBatch } from './resp/stream-reply.ts';

export interface SocketLinkOptions {
  readonly name: string;
  /**
   * A client that is connecting or connected and used by nobody else. It must speak RESP2, reconnect forever, resend
   * nothing by itself, and have a `commandTimeout`: its only commands are those of the handshake.
   */
  readonly client: Redis;
  readonly log: RedisLog;
  /** Drops the connection when calls are in flight and nothing has arrived for so long; 0 = never (blocking reads). */
  readonly stallMs: number;
  /**
   * What to do when the server says that it is no primary any more: `verify` asks for its ROLE and connects anew unless
   * it is a primary; `report` only calls `onTrouble`.
   */
  readonly onDemotion: 'verify' | 'report';
  /** Called when a connection is lost, and for replies which say that the topology has changed. */
  readonly onTrouble?: () => void;
}

interface Call {
  readonly commands: string;
  /** How many; `streams` = one, of a stream read. */
  readonly replies: number | 'streams';
  /** Called when the framer has them. May throw. */
  take(framer: ReplyFramer): void;
  reject(error: PlatformError): void;
}

/** Pause between two questions for the role, so that a guest cannot make us ask all the time. */
const ROLE_CHECK_PAUSE_MS = 1_000;
const ROLE_COMMAND = '*1\r\n$4\r\nROLE\r\n';
const PRIMARY_ROLE = /^\*\d+\r\n\$6\r\nmaster\r\n/;
const DEMOTION = new Set(['READONLY', 'LOADING', 'MASTERDOWN', 'UNBLOCKED']);

/**
 * The raw link over the socket that an ioredis client has opened and authenticated. Its calls that were never written
 * reject, when the link is closed, with REDIS_LINK_LOST and `details.written` false; those in doubt with true.
 */
export function createSocketLink(options: SocketLinkOptions): RawLink {
  return new SocketLink(options);
}

class SocketLink implements RawLink {
  readonly #options: SocketLinkOptions;
  readonly #client: Redis;
  readonly #letGo: () => void;
  readonly #readyListeners = new Set<() => void>();
  /** Not written yet, in order. */
  #waiting: Call[] = [];
  /** Written; `#answered` of them, from the front, have their reply. */
  #written: Call[] = [];
  #answered = 0;
  #socket: Socket | null = null;
  #framer: ReplyFramer = createReplyFramer();
  #flushScheduled = false;
  #closed = false;
  #heardAt = 0;
  #roleAskedAt = Number.NEGATIVE_INFINITY;
  readonly #stallTimer: NodeJS.Timeout | undefined;

  constructor(options: SocketLinkOptions) {
    this.#options = options;
    this.#client = options.client;
    logConnection(this.#client, options.name, options.log);
    this.#letGo = neverGiveUp(this.#client);
    this.#client.on('ready', () => this.#takeOver());
    this.#client.on('close', () => options.onTrouble?.());
    if (this.#client.status === 'ready') this.#takeOver();
    if (options.stallMs > 0) {
      this.#stallTimer = setInterval(() => this.#checkStall(), Math.max(50, options.stallMs / 4)).unref();
    }
  }

  get connected(): boolean {
    return this.#socket !== null;
  }

  send(commands: string, replies: number): Promise<string> {
    if (this.#closed) return Promise.reject(this.#lost('has been closed', false));
    if (replies === 0) return Promise.resolve('');
    return new Promise((resolve, reject) => {
      this.#enqueue({ commands, replies, take: (framer) => resolve(framer.text), reject });
    });
  }

  read(command: string): Promise<readonly StreamBatch[]> {
    if (this.#closed) return Promise.reject(this.#lost('has been closed', false));
    return new Promise((resolve, reject) => {
      const take = (framer: ReplyFramer): void => {
        try {
          resolve(framer.streams());
        } catch (error) {
          reject(error as PlatformError);
        }
      };
      this.#enqueue({ commands: command, replies: 'streams', take, reject });
    });
  }

  onReady(listener: () => void): () => void {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  reset(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#loseSocket('was reset');
    socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo();
    clearInterval(this.#stallTimer);
    const socket: Socket | null = this.#client.stream as Socket | null;
    this.#loseSocket('has been closed');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) call.reject(this.#lost('has been closed', false));
    this.#client.disconnect();
    if (!socket || socket.closed) return;
    const closed = once(socket, 'close').catch(() => {});
    socket.destroy();
    await closed;
  }

  /** Makes the socket ours. Handshake and ready check are over: ioredis has nothing outstanding on it. */
  #takeOver(): void {
    const socket = this.#client.stream as Socket;
    if (this.#closed || this.#client.status !== 'ready' || socket.destroyed) return;
    this.#framer = createReplyFramer();
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#receive(chunk.toString('latin1'));
    });
    socket.once('close', () => {
      if (this.#socket === socket) this.#loseSocket('was lost');
    });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of this.#readyListeners) listener();
    this.#waiting = [...this.#waiting, ...waiting];
    this.#flush();
  }

  #enqueue(call: Call): void {
    this.#waiting.push(call);
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || !this.#socket) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const socket = this.#socket;
    if (!socket || this.#waiting.length === 0) return;
    if (this.#answered === this.#written.length) this.#heardAt = performance.now();
    const calls = this.#waiting;
    this.#waiting = [];
    const [only] = calls;
    const text = calls.length === 1 && only ? only.commands : calls.map((call) => call.commands).join('');
    const idle = this.#answered === this.#written.length;
    if (idle) {
      this.#written = calls;
      this.#answered = 0;
      expectFor(this.#framer, calls[0]);
    } else for (const call of calls) this.#written.push(call);
    socket.write(text, 'latin1');
  }

  #receive(chunk: string): void {
    this.#heardAt = performance.now();
    try {
      this.#answer(chunk);
    } catch (error) {
      this.#options.log.warn({ connection: this.#options.name, err: error }, 'Redis sent what is no reply');
      this.reset();
      return;
    }
    const noted = this.#framer.notedErrors();
    if (noted) this.#heed(noted);
  }

  #answer(chunk: string): void {
    for (let from = 0; from < chunk.length; ) {
      const call = this.#written[this.#answered];
      if (!call) throw new PlatformError('RESP_MALFORMED', 'a reply came that nobody had asked for');
      const end = this.#framer.push(chunk, from);
      if (end < 0) return;
      this.#answered++;
      const next = this.#written[this.#answered];
      // Before the next frame is expected: what ended is the framer's until then.
      call.take(this.#framer);
      if (next) expectFor(this.#framer, next);
      else {
        this.#written = [];
        this.#answered = 0;
      }
      if (this.#answered > 1_024) {
        this.#written = this.#written.slice(this.#answered);
        this.#answered = 0;
      }
      from = end;
    }
  }

  #heed(noted: readonly string[]): void {
    const demoted = noted.some((word) => DEMOTION.has(word));
    if (this.#options.onDemotion === 'report' || !demoted) {
      this.#options.onTrouble?.();
      return;
    }
    const now = performance.now();
    if (now - this.#roleAskedAt < ROLE_CHECK_PAUSE_MS) return;
    this.#roleAskedAt = now;
    const socket = this.#socket;
    this.send(ROLE_COMMAND, 1).then(
      (role) => {
        if (PRIMARY_ROLE.test(role) || this.#socket !== socket) return;
        this.#options.log.warn(
          { connection: this.#options.name, errors: noted },
          'Redis is no primary any more: connecting anew',
        );
        this.reset();
      },
      () => {},
    );
  }

  #checkStall(): void {
    if (!this.#socket || this.#answered === this.#written.length) return;
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < this.#options.stallMs) return;
    this.#options.log.warn({ connection: this.#options.name, silentMs }, 'Redis has not answered: connecting anew');
    this.reset();
  }

  /** Forgets the socket and rejects what is in doubt. What was not written waits for the next one. */
  #loseSocket(how: string): void {
    this.#socket = null;
    const calls = this.#written.slice(this.#answered);
    this.#written = [];
    this.#answered = 0;
    for (const call of calls) call.reject(this.#lost(how, true));
  }

  #lost(how: string, written: boolean): PlatformError<'REDIS_LINK_LOST'> {
    const doubt = written ? 'nobody knows whether the commands ran' : 'the commands were not sent';
    return new PlatformError('REDIS_LINK_LOST', `the Redis connection '${this.#options.name}' ${how}: ${doubt}`, {
      retryable: true,
      details: { connection: this.#options.name, written },
    });
  }
}

function expectFor(framer: ReplyFramer, call: Call | undefined): void {
  if (call?.replies === 'streams') framer.expectStreams();
  else framer.expect(call?.replies ?? 1);
}
