import { decodeReply, encodeCommand, type RawLink, type RedisAccess, type Shard, unlessError } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import { createStreamNews, type StreamNews } from './stream-news.ts';

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
  /** A stream that may interest somebody; `isNews` false = it was found by a scan and may be known for long. */
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
  return new KeyScanner(options);
}

class KeyScanner implements StreamFinder {
  readonly #options: StreamFinderOptions;
  readonly #news: StreamNews;
  readonly #links = new Map<string, RawLink>();
  #patterns: readonly StreamPattern[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #running: Promise<void> | null = null;
  #following: Promise<void> | null = null;

  constructor(options: StreamFinderOptions) {
    const { access, log } = options;
    this.#options = options;
    this.#news = createStreamNews({ access, log, onStream: (key) => this.#report(key, true) });
  }

  look(patterns: readonly StreamPattern[]): void {
    this.#patterns = patterns;
    this.#news.follow(patterns.length > 0);
    if (this.#timer === undefined && patterns.length > 0) void this.scan();
  }

  scan(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#scanAll().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#following ??= this.#running.then(() => {
      this.#following = null;
      return this.scan();
    });
    return this.#following;
  }

  async list({ pattern }: StreamPattern): Promise<readonly string[]> {
    const keys: string[] = [];
    const add = (key: string): void => {
      if (!key.startsWith(this.#options.ownPrefix)) keys.push(key);
    };
    await Promise.all(this.#options.access.shards().map((shard) => this.#scanShard(shard, [pattern], add)));
    return keys;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#news[Symbol.asyncDispose]();
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()));
  }

  #report(key: string, isNews: boolean): void {
    if (!key.startsWith(this.#options.ownPrefix)) this.#options.onStream(key, isNews);
  }

  #linkOf(shard: Shard): RawLink {
    const link = this.#links.get(shard.id) ?? this.#options.access.openRaw(shard, 'regears-scan');
    this.#links.set(shard.id, link);
    return link;
  }

  async #scanAll(): Promise<void> {
    const { access, log, scanIntervalMs } = this.#options;
    const prefixes = this.#patterns.filter(({ isPrefix }) => isPrefix).map(({ pattern }) => pattern);
    const startedMs = performance.now();
    const found = (key: string): void => this.#report(key, false);
    try {
      if (prefixes.length > 0) {
        await Promise.all(access.shards().map((shard) => this.#scanShard(shard, prefixes, found)));
      }
    } catch (error) {
      if (!this.#closed) log.warn({ err: error }, 'streams could not be looked for');
    }
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#options.onScanned();
    const pauseMs = Math.max(scanIntervalMs, (performance.now() - startedMs) * SHARE);
    this.#timer = setTimeout(() => void this.scan(), pauseMs);
  }

  async #scanShard(shard: Shard, prefixes: readonly string[], onKey: (key: string) => void): Promise<void> {
    const match = `${escapeGlob(commonBegin(prefixes))}*`;
    let cursor = '0';
    do {
      const args = ['SCAN', cursor, 'MATCH', match, 'COUNT', String(SCAN_COUNT), 'TYPE', 'stream'];
      const reply = decodeReply(await this.#linkOf(shard).send(encodeCommand(args), 1));
      const [next, keys] = unlessError(reply) as [string, string[]];
      for (const key of keys) if (prefixes.some((prefix) => key.startsWith(prefix))) onKey(key);
      cursor = next;
    } while (cursor !== '0' && !this.#closed);
  }
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
