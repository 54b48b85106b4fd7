import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { decodeReply, encodeCommand, latin1FromUtf8, type RedisAccess, type Shard } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

/** Clients of this node's doors that wait for executions, wherever in the fleet these run. */
export interface KeysWaiters extends AsyncDisposable {
  /** Must have resolved before the first `wait`. */
  open(): Promise<void>;
  /** Waits for so many executions. */
  wait(count: number): Wait;
  /** The execution of this registration for the event of the token has ended, on this node; told twice it counts once. */
  ended(token: string, registrationId: string, override: string): void;
}

export interface Wait {
  /** To be written with the events, with `:` and the number of the event behind it. */
  readonly token: string;
  /** When all have ended, or after the time-out: the reply that one of them gave instead of the command's own, '' = none. */
  readonly ended: Promise<string>;
  /** So many executions fewer will tell of their end. */
  less(count: number): void;
}

export interface KeysWaitersOptions {
  readonly access: Pick<RedisAccess, 'client' | 'openClient' | 'shards'>;
  readonly keys: Pick<SchedulerKeys, 'answers'>;
  /** After this long a client gets the command's own reply whatever has become of the executions. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

interface Waiter {
  left: number;
  override: string;
  readonly seen: Set<string>;
  readonly resolve: (override: string) => void;
  readonly timer: NodeJS.Timeout;
}

export function createKeysWaiters(options: KeysWaitersOptions): KeysWaiters {
  return new WaitingRoom(options);
}

class WaitingRoom implements KeysWaiters {
  readonly #options: KeysWaitersOptions;
  readonly #node = randomUUID();
  readonly #waiters = new Map<string, Waiter>();
  #subscriber: Redis | null = null;
  #opened: Promise<void> | null = null;
  #counter = 0;

  constructor(options: KeysWaitersOptions) {
    this.#options = options;
  }

  open(): Promise<void> {
    this.#opened ??= this.#subscribe();
    return this.#opened;
  }

  wait(count: number): Wait {
    this.#counter += 1;
    const number = String(this.#counter);
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => this.#onTimeout(number), this.#options.timeoutMs);
    const waiter: Waiter = { left: count, override: '', seen: new Set(), resolve, timer };
    this.#waiters.set(number, waiter);
    const less = (fewer: number): void => {
      waiter.left -= fewer;
      if (fewer > 0 && waiter.left <= 0) this.#end(number);
    };
    return { token: `${this.#node}:${number}`, ended: promise, less };
  }

  ended(token: string, registrationId: string, override: string): void {
    const { access, keys, log } = this.#options;
    const [owner = '', number = '', event = ''] = token.split(':');
    const which = `${event} ${latin1FromUtf8(registrationId)}`;
    if (owner === this.#node) {
      this.#settle(number, which, override);
      return;
    }
    const message = Buffer.from(encodeCommand([number, which, override]), 'latin1');
    access.client.publish(keys.answers(owner), message).catch((error: unknown) => {
      log.warn({ err: error }, 'the node of a waiting client could not be told');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const number of [...this.#waiters.keys()]) this.#end(number);
    this.#subscriber?.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { access, keys, log } = this.#options;
    const subscriber = access.openClient(access.shards()[0] as Shard, 'regears-answers');
    this.#subscriber = subscriber;
    subscriber.on('error', (error: unknown) => log.debug({ err: error }, 'the connection for answers has a fault'));
    subscriber.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
      const [number = '', which = '', override = ''] = decodeReply(message.toString('latin1')) as readonly string[];
      this.#settle(number, which, override);
    });
    await subscriber.subscribe(keys.answers(this.#node));
  }

  #settle(number: string, which: string, override: string): void {
    const waiter = this.#waiters.get(number);
    if (waiter === undefined || waiter.seen.has(which)) return;
    waiter.seen.add(which);
    if (waiter.override === '') waiter.override = override;
    waiter.left -= 1;
    if (waiter.left <= 0) this.#end(number);
  }

  #onTimeout(number: string): void {
    this.#options.log.warn('a client got its reply before the executions for it had ended');
    this.#end(number);
  }

  #end(number: string): void {
    const waiter = this.#waiters.get(number);
    if (waiter === undefined) return;
    this.#waiters.delete(number);
    clearTimeout(waiter.timer);
    waiter.resolve(waiter.override);
  }
}
