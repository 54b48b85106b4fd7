import {
  type CommandPipe,
  decodeReply,
  encodeCommand,
  PlatformError,
  type ReplyValue,
  type Script,
  unlessError,
} from '#functions';

/** Commands of the consumer outside its reads; binary-safe, patient through outages. */
export interface RedisCalls extends AsyncDisposable {
  /**
   * One command, repeated until it has an answer: only for what may run twice. Error replies reject with REDIS_REPLY,
   * the end of this object with REDIS_LINK_LOST.
   */
  call(args: readonly string[]): Promise<Exclude<ReplyValue, { readonly kind: 'error' }>>;
  /** Like `call`, for a script; resolves with the reply's text. Scripts of this layer may run twice. */
  script(script: Script, keys: readonly string[], args: readonly string[]): Promise<string>;
}

/** Replies that say "not now": the same command can succeed later without anybody changing it. */
const PASSING =
  /^-(LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|OOM|MISCONF|MOVED|ASK|UNBLOCKED)\b/;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

export function createRedisCalls(pipe: CommandPipe): RedisCalls {
  const closing = new AbortController();

  async function persist(command: string): Promise<string> {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const reply = await pipe.send(command, 1).catch((error: unknown) => {
        if (!isLinkLost(error)) throw error;
        return null;
      });
      if (reply !== null && !PASSING.test(reply)) return reply;
      await pause(pauseMs, closing.signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  return {
    async call(args) {
      return unlessError(decodeReply(await persist(encodeCommand(args))));
    },
    async script(script, keys, args) {
      const tail = [String(keys.length), ...keys, ...args];
      const text = encodeCommand(['EVALSHA', script.sha, ...tail]);
      // The text of a script is long: it is encoded only when the server asks for it.
      const reply = await persist(text).then((first) =>
        first.startsWith('-NOSCRIPT') ? persist(encodeCommand(['EVAL', script.source, ...tail])) : first,
      );
      if (reply.startsWith('-')) unlessError(decodeReply(reply));
      return reply;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
    },
  };
}

export function isLinkLost(error: unknown): boolean {
  return error instanceof PlatformError && error.code === 'REDIS_LINK_LOST';
}

/** Waits; rejects with REDIS_LINK_LOST when the signal is or becomes aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lost = (): PlatformError =>
    new PlatformError('REDIS_LINK_LOST', 'the consumer was closed', { retryable: true });
  if (signal.aborted) return Promise.reject(lost());
  const onAbort = (): void => {
    clearTimeout(timer);
    reject(lost());
  };
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', onAbort);
    resolve();
  }, ms);
  signal.addEventListener('abort', onAbort, { once: true });
  return promise;
}
