import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisAccess } from '#functions';
import type { FutureName } from '#runtime';
import type { SchedulerKeys } from '../keys.ts';

/** Futures of functions, wherever they were created: see `GuestHost`. */
export interface SharedFutures extends AsyncDisposable {
  complete(name: FutureName, outcome: string, keepMs: number): Promise<boolean>;
  wait(name: FutureName, signal: AbortSignal): Promise<string>;
}

export interface SharedFuturesOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'future'>;
  /** True when no other node can complete anything. */
  readonly isAlone: () => boolean;
}

type Take = (outcome: string) => void;

const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 100;
/** Where nobody else can complete a future, looking is only for a node that has come and gone meanwhile. */
const ALONE_PAUSE_MS = 1_000;
const KEYS_AT_ONCE = 500;
/** Tells the outcome that one call wrote from the same outcome of another call. */
const NONCE_BYTES = 9;
const NONCE_LENGTH = 12;

export function createSharedFutures(options: SharedFuturesOptions): SharedFutures {
  return new RedisFutures(options);
}

/** An outcome is a key that is written once. Waiters of this node are told at once; what other nodes write is looked for. */
class RedisFutures implements SharedFutures {
  readonly #options: SharedFuturesOptions;
  readonly #closing = new AbortController();
  /** By function, then by key. */
  readonly #waiting = new Map<string, Map<string, Set<Take>>>();
  readonly #looking = new Map<string, Promise<void>>();
  /** By function: look again soon. */
  readonly #wakes = new Map<string, AbortController>();

  constructor(options: SharedFuturesOptions) {
    this.#options = options;
  }

  async complete(name: FutureName, outcome: string, keepMs: number): Promise<boolean> {
    const { access, keys } = this.#options;
    const key = keys.future(name.functionName, name.id);
    const text = randomBytes(NONCE_BYTES).toString('base64') + outcome;
    const value = Buffer.from(text, 'latin1');
    const isWritten = (await access.client.set(key, value, 'PX', keepMs, 'NX')) === 'OK';
    // A client that lost its connection has sent the command again: then it is our own outcome that was in the way.
    if (!isWritten && (await access.client.getBuffer(key))?.equals(value) !== true) return false;
    this.#tell(name.functionName, key, outcome);
    return true;
  }

  wait({ functionName, id }: FutureName, signal: AbortSignal): Promise<string> {
    const key = this.#options.keys.future(functionName, id);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const byKey = this.#waiting.get(functionName) ?? new Map<string, Set<Take>>();
    this.#waiting.set(functionName, byKey);
    const takers = byKey.get(key) ?? new Set();
    byKey.set(key, takers);
    const onAbort = (): void => {
      takers.delete(take);
      if (takers.size === 0 && byKey.get(key) === takers) byKey.delete(key);
      reject(signal.reason);
    };
    const take: Take = (outcome) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    takers.add(take);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#look(functionName);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#looking.values());
  }

  #tell(functionName: string, key: string, outcome: string): void {
    const byKey = this.#waiting.get(functionName);
    const takers = byKey?.get(key);
    byKey?.delete(key);
    for (const take of takers ?? []) take(outcome);
  }

  #look(functionName: string): void {
    this.#wakes.get(functionName)?.abort();
    if (this.#looking.has(functionName) || this.#closing.signal.aborted) return;
    const looking = this.#lookOn(functionName).finally(() => this.#looking.delete(functionName));
    this.#looking.set(functionName, looking);
  }

  /** Looks while anybody waits: often at first, and whenever somebody has joined. */
  async #lookOn(functionName: string): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const byKey = this.#waiting.get(functionName);
      if (this.#closing.signal.aborted || byKey === undefined || byKey.size === 0) break;
      const wake = new AbortController();
      this.#wakes.set(functionName, wake);
      // Connection trouble: whoever waits goes on waiting.
      await this.#lookOnce(functionName, [...byKey.keys()]).catch(() => undefined);
      const signal = AbortSignal.any([wake.signal, this.#closing.signal]);
      await sleep(this.#options.isAlone() ? ALONE_PAUSE_MS : pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = wake.signal.aborted ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5);
    }
    this.#waiting.delete(functionName);
    this.#wakes.delete(functionName);
  }

  async #lookOnce(functionName: string, keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const some = keys.slice(from, from + KEYS_AT_ONCE);
      const found = await this.#options.access.client.mgetBuffer(some);
      for (const [at, value] of found.entries()) {
        if (value === null) continue;
        this.#tell(functionName, some[at] ?? '', value.toString('latin1').slice(NONCE_LENGTH));
      }
    }
  }
}
