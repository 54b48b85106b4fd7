import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** What a stream looks like to every competitor. */
export interface StreamLoad {
  readonly stream: string;
  readonly entries: number;
}

/** Fills a stream with click-like entries (4 fields, about 60 bytes), as fast as the server takes them. */
export async function fillStream(redis: Redis, load: StreamLoad): Promise<void> {
  for (let first = 0; first < load.entries; first += 1000) {
    const pipeline = redis.pipeline();
    for (let n = first; n < Math.min(first + 1000, load.entries); n += 1) {
      const fields = ['user', `u${n % 5000}`, 'action', 'click', 'amount', String(n % 1000), 'ts', '1700000000000'];
      pipeline.xadd(load.stream, '*', ...fields);
    }
    await pipeline.exec();
  }
}

interface GroupState {
  readonly read: number;
  readonly pending: number;
}

async function groupState(redis: Redis, stream: string, group: string): Promise<GroupState> {
  const groups = (await redis.xinfo('GROUPS', stream)) as unknown[][];
  for (const row of groups) {
    const facts = new Map<unknown, unknown>();
    for (let n = 0; n < row.length; n += 2) facts.set(row[n], row[n + 1]);
    if (facts.get('name') === group) {
      return { read: Number(facts.get('entries-read') ?? 0), pending: Number(facts.get('pending')) };
    }
  }
  return { read: 0, pending: 0 };
}

export interface DrainWatch extends StreamLoad {
  readonly redis: Redis;
  readonly group: string;
  readonly deadlineMs: number;
  /** Stop early after this many entries (for slow peers). */
  readonly stopAfter?: number;
}

/**
 * Entries per second a group reaches, seen from the server, the same way for every competitor: from the first look that
 * shows entries read to the look that shows them all read and acknowledged.
 */
export async function measureDrain(watch: DrainWatch): Promise<number> {
  const target = Math.min(watch.stopAfter ?? watch.entries, watch.entries);
  const giveUp = performance.now() + watch.deadlineMs;
  let begin: { readonly at: number; readonly done: number } | null = null;
  for (;;) {
    const { read, pending } = await groupState(watch.redis, watch.stream, watch.group);
    const now = performance.now();
    const done = read - pending;
    if (begin === null && read > 0) begin = { at: now, done };
    if (begin !== null && done >= target) return ((done - begin.done) / (now - begin.at)) * 1000;
    if (now > giveUp) throw new Error(`Group ${watch.group} stands at ${done} of ${target} entries.`);
    await pause(4);
  }
}
