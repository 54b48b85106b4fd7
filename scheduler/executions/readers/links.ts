import { type CommandPipe, PlatformError, type RawLink, type RedisAccess, type Shard } from '#functions';

/** Connections of one reader to one shard, its own while it holds them. */
export interface ReadLinks {
  /** Sends commands that may be sent again when the connection breaks. Errors: the reason of `signal`. */
  scan(commands: string, replies: number): Promise<string>;
  read(commands: string, replies: number): Promise<string>;
  /** For keys that may have moved to another shard meanwhile. */
  anywhere(commands: string, replies: number): Promise<string>;
  release(): void;
}

export interface LinkPool extends AsyncDisposable {
  take(shard: Shard, signal: AbortSignal): ReadLinks;
}

interface Pair {
  readonly scan: RawLink;
  readonly read: RawLink;
  idleSinceMs: number;
}

const KEEP_IDLE_MS = 10_000;
/** A command that is not answered for so long gets a new connection. */
const STALL_MS = 60_000;

/** Keeps connections for a while, because short runs often follow each other. */
export function createLinkPool(access: Pick<RedisAccess, 'openRaw' | 'openPipe' | 'facts'>): LinkPool {
  const idle = new Map<string, Pair[]>();
  const all = new Set<Pair>();
  let pipe: CommandPipe | undefined;
  const close = async (pair: Pair): Promise<void> => {
    all.delete(pair);
    await Promise.all([pair.scan[Symbol.asyncDispose](), pair.read[Symbol.asyncDispose]()]);
  };
  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [shard, pairs] of idle) {
      const old = pairs.filter(({ idleSinceMs }) => now - idleSinceMs > KEEP_IDLE_MS);
      idle.set(
        shard,
        pairs.filter((pair) => !old.includes(pair)),
      );
      for (const pair of old) void close(pair);
    }
  }, KEEP_IDLE_MS / 2).unref();
  const open = (shard: Shard): Pair => {
    const pair = {
      scan: access.openRaw(shard, 'batch-scan'),
      read: access.openRaw(shard, 'batch-read'),
      idleSinceMs: 0,
    };
    all.add(pair);
    return pair;
  };
  return {
    take(shard, signal) {
      const place = `${shard.id} ${shard.host}:${shard.port}`;
      const pair = idle.get(place)?.pop() ?? open(shard);
      return {
        scan: (commands, replies) => sendAgain({ link: pair.scan, commands, replies, signal }),
        read: (commands, replies) => sendAgain({ link: pair.read, commands, replies, signal }),
        anywhere(commands, replies) {
          if (access.facts.topology !== 'cluster') return this.read(commands, replies);
          pipe ??= access.openPipe('batch-moved');
          return sendAgain({ link: pipe, commands, replies, signal });
        },
        release() {
          pair.idleSinceMs = performance.now();
          idle.set(place, [...(idle.get(place) ?? []), pair]);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(sweep);
      await Promise.all([...all].map(close));
      await pipe?.[Symbol.asyncDispose]();
    },
  };
}

interface Sending {
  readonly link: RawLink | CommandPipe;
  readonly commands: string;
  readonly replies: number;
  readonly signal: AbortSignal;
}

/** Only for commands that read: a lost connection makes them go out once more. */
async function sendAgain({ link, commands, replies, signal }: Sending): Promise<string> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(PlatformError.from(signal.reason, 'RUNTIME_CLOSED'));
  aborted.promise.catch(() => {});
  signal.throwIfAborted();
  signal.addEventListener('abort', onAbort, { once: true });
  const stall = setInterval(() => {
    if ('reset' in link && link.connected) link.reset();
  }, STALL_MS);
  try {
    for (;;) {
      try {
        return await Promise.race([link.send(commands, replies), aborted.promise]);
      } catch (error) {
        if (signal.aborted || !(error instanceof PlatformError) || error.code !== 'REDIS_LINK_LOST') throw error;
      }
    }
  } finally {
    clearInterval(stall);
    signal.removeEventListener('abort', onAbort);
  }
}
