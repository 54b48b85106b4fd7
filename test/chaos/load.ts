import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

export const MODES = ['sync', 'async_local', 'async'] as const;
export type Mode = (typeof MODES)[number];

const STREAMS_PER_MODE = 6;
const CHUNK = 20;
/** Every so-and-so-many-th entry is filtered out, fails for ever. */
const SKIPPED = 13;
const BAD = 97;

export function streamsOf(mode: Mode): readonly string[] {
  return Array.from({ length: STREAMS_PER_MODE }, (_, n) => `${mode}:${n}`);
}

/** What one registration per mode does: leaves a trace of every run, in order. */
export function sourceOf(mode: Mode): string {
  return `new GB('StreamReader')
    .filter((r) => r.value.kind !== 'skip')
    .foreach(async (r) => {
      await execute('RPUSH', 'ran:' + r.key, r.value.n);
      if (r.value.kind === 'bad') throw new Error('bad entry');
    })
    .register({ prefix: '${mode}:*', mode: '${mode}', batch: 20, onFailedPolicy: 'retry', maxAttempts: 3,
      onFailedRetryInterval: 0.05 });`;
}

export interface Load {
  /** Entries that Redis has confirmed. */
  confirmed(): number;
  stop(): Promise<void>;
}

/** Keeps entries coming on all streams, through every outage; what was written is what the streams hold afterwards. */
export function startLoad(redis: Redis, entriesPerSecond: number): Load {
  const streams = MODES.flatMap(streamsOf);
  const everyMs = (1000 * CHUNK * streams.length) / entriesPerSecond;
  let n = 0;
  let confirmed = 0;
  let stopped = false;
  const round = async (): Promise<void> => {
    const pipeline = redis.pipeline();
    for (const stream of streams) {
      for (let i = 0; i < CHUNK; i += 1) pipeline.xadd(stream, '*', 'n', String(n + i), 'kind', kindOf(n + i));
    }
    n += CHUNK;
    const replies = (await pipeline.exec().catch(() => null)) ?? [];
    confirmed += replies.filter(([error]) => error === null).length;
  };
  const running = (async () => {
    while (!stopped) await Promise.all([round(), pause(everyMs)]);
  })();
  return {
    confirmed: () => confirmed,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

function kindOf(n: number): string {
  if (n % BAD === 0) return 'bad';
  return n % SKIPPED === 0 ? 'skip' : 'good';
}
