import { decodeReply, encodeCommand, type RawLink, type RedisAccess, type Shard } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import { createStreamNews } from './stream-news.ts';

/** A pattern of stream names; `isPrefix` false = one exact name. latin1. */
export interface StreamPattern {
  readonly pattern: string;
  readonly isPrefix: boolean;
}

export interface StreamFinder extends AsyncDisposable {
  /** What is looked for from now on. */
  look(patterns: readonly StreamPattern[]): void;
  /** Looks at every key once; resolves when all that is there has been reported. Calls join a scan that has not begun. */
  scan(): Promise<void>;
  /** Streams that match, now. */
  list(pattern: StreamPattern): Promise<readonly string[]>;
}

export interface StreamFinderOptions {
  readonly access: RedisAccess;
  readonly scanIntervalMs: number;
  /** Begin of the platform's own keys. */
  readonly ownPrefix: string;
  /** A stream that may interest somebody; `isNew` false = it was found by a scan and may be known for long. */
  readonly onStream: (key: string, isNews: boolean) => void;
  /** The scan is over: a good time for everything else that has to be looked at now and then. */
  readonly onScanned: () => void;
  readonly log: ConsumerLog;
}

const SCAN_COUNT = 1_000;
/** A scan takes at most this share of the time, whatever the number of keys. */
const SHARE = 20;

/** Finds streams: by scanning, and by what the server tells of. */
export function createStreamFinder(options: StreamFinderOptions): StreamFinder {
  const { access, log } = options;
  const links = new Map<string, RawLink>();
  let patterns: readonly StreamPattern[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let running: Promise<void> | null = null;
  let following: Promise<void> | null = null;
  const news = createStreamNews({ access, log, onStream: (key) => report(key, true) });

  function report(key: string, isNews: boolean): void {
    if (!key.startsWith(options.ownPrefix)) options.onStream(key, isNews);
  }

  function linkOf(shard: Shard): RawLink {
    let link = links.get(shard.id);
    if (link === undefined) links.set(shard.id, (link = access.openRaw(shard, 'regears-scan')));
    return link;
  }

  async function scanShard(shard: Shard, prefixes: readonly string[], onKey: (key: string) => void): Promise<void> {
    const match = `${escapeGlob(commonBegin(prefixes))}*`;
    let cursor = '0';
    do {
      const args = ['SCAN', cursor, 'MATCH', match, 'COUNT', String(SCAN_COUNT), 'TYPE', 'stream'];
      const reply = decodeReply(await linkOf(shard).send(encodeCommand(args), 1));
      if (!Array.isArray(reply)) throw new TypeError(`SCAN answered ${JSON.stringify(reply)}`);
      const [next, keys] = reply as [string, string[]];
      for (const key of keys) if (prefixes.some((prefix) => key.startsWith(prefix))) onKey(key);
      cursor = next;
    } while (cursor !== '0' && !closed);
  }

  async function scanAll(): Promise<void> {
    const prefixes = patterns.filter(({ isPrefix }) => isPrefix).map(({ pattern }) => pattern);
    const startedMs = performance.now();
    try {
      if (prefixes.length > 0)
        await Promise.all(access.shards().map((shard) => scanShard(shard, prefixes, (key) => report(key, false))));
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'streams could not be looked for');
    }
    if (!closed) options.onScanned();
    const tookMs = performance.now() - startedMs;
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void scan(), Math.max(options.scanIntervalMs, tookMs * SHARE));
  }

  function scan(): Promise<void> {
    if (running === null) {
      running = scanAll().finally(() => {
        running = null;
      });
      return running;
    }
    following ??= running.then(() => {
      following = null;
      return scan();
    });
    return following;
  }

  return {
    scan,
    async list({ pattern }) {
      const keys: string[] = [];
      const add = (key: string): void => {
        if (!key.startsWith(options.ownPrefix)) keys.push(key);
      };
      await Promise.all(access.shards().map((shard) => scanShard(shard, [pattern], add)));
      return keys;
    },
    look(wanted) {
      patterns = wanted;
      news.follow(wanted.length > 0);
      if (timer === undefined && wanted.length > 0) void scan();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await news[Symbol.asyncDispose]();
      await Promise.all([...links.values()].map((link) => link[Symbol.asyncDispose]()));
    },
  };
}

/** A text as a pattern that matches only itself. */
function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, '\\$&');
}

function commonBegin(texts: readonly string[]): string {
  let common = texts[0] ?? '';
  for (const text of texts) {
    while (!text.startsWith(common)) common = common.slice(0, -1);
  }
  return common;
}
