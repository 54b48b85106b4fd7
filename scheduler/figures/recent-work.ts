import { createBuckets } from './durations.ts';
import type { RegistrationWork } from './figures.ts';
import type { Totals } from './meter.ts';

/** What each registration did in the last seconds on this node, made of counts that only grow. */
export interface RecentWork {
  /** To be called once a beat. Those that did nothing are left out. */
  tick(totals: ReadonlyMap<string, Totals>, nowMs: number): readonly RegistrationWork[];
}

interface Moment {
  readonly atMs: number;
  readonly totals: ReadonlyMap<string, Totals>;
}

/** @param beats how many beats the work is of: long enough for percentiles, short enough to be called now. */
export function createRecentWork(beats: number): RecentWork {
  const moments: Moment[] = [];
  return {
    tick(totals, nowMs) {
      const newest = moments.at(-1)?.totals;
      const now: Moment = { atMs: nowMs, totals: copyChanged(totals, newest) };
      moments.push(now);
      if (moments.length > beats + 1) moments.shift();
      const [oldest = now] = moments;
      return [...now.totals].flatMap(([id, total]) => {
        const before = oldest.totals.get(id);
        // The same copy: nothing has been counted between.
        if (total === before || oldest === now) return [];
        return [difference(id, total, { before, spanMs: Math.round(nowMs - oldest.atMs) })];
      });
    },
  };
}

/** Copies of what has grown; of the rest the copies that are there, so that idle registrations cost nothing. */
function copyChanged(
  totals: ReadonlyMap<string, Totals>,
  copies: ReadonlyMap<string, Totals> | undefined,
): ReadonlyMap<string, Totals> {
  const copied = new Map<string, Totals>();
  for (const [id, total] of totals) {
    const copy = copies?.get(id);
    copied.set(id, copy !== undefined && isSame(total, copy) ? copy : structuredClone(total));
  }
  return copied;
}

function isSame(a: Totals, b: Totals): boolean {
  const { done, filtered, dead, expired } = a.entries;
  const same = done === b.entries.done && filtered === b.entries.filtered;
  const alike = dead === b.entries.dead && expired === b.entries.expired && a.retries === b.retries;
  return same && alike && a.executions === b.executions && a.errors === b.errors && a.durationMs === b.durationMs;
}

interface Since {
  readonly before: Totals | undefined;
  readonly spanMs: number;
}

function difference(id: string, now: Totals, { before, spanMs }: Since): RegistrationWork {
  const none = { done: 0, filtered: 0, dead: 0, expired: 0 };
  const { entries, executions, errors, retries, durations } = before ?? {
    ...{ entries: none, executions: 0, errors: 0, retries: 0, durations: createBuckets() },
  };
  return {
    ...{ id, spanMs },
    entries: {
      done: now.entries.done - entries.done,
      filtered: now.entries.filtered - entries.filtered,
      dead: now.entries.dead - entries.dead,
      expired: now.entries.expired - entries.expired,
    },
    executions: now.executions - executions,
    errors: now.errors - errors,
    retries: now.retries - retries,
    durations: now.durations.flatMap((count, bucket) => {
      const added = count - (durations[bucket] ?? 0);
      return added > 0 ? [[bucket, added] as const] : [];
    }),
  };
}
