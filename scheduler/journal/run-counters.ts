import type { RunCount } from './journal.ts';

/** What has been counted for one registration since the last flush, as changes of its runs hash. */
export interface CounterChange {
  readonly increments: ReadonlyMap<string, number>;
  readonly texts: ReadonlyMap<string, string>;
  readonly removals: ReadonlySet<string>;
}

/** Counts in memory: as much as there are registrations, however many runs there are. */
export interface RunCounters {
  add(registrationId: string, run: RunCount): void;
  readonly isEmpty: boolean;
  /** Hands over what was counted and begins anew. */
  take(): ReadonlyMap<string, CounterChange>;
}

interface Sum {
  increments: Map<string, number>;
  texts: Map<string, string>;
  removals: Set<string>;
}

/** Times are kept as whole microseconds, so that many short runs do not add up to nothing. */
export function createRunCounters(): RunCounters {
  let sums = new Map<string, Sum>();

  function sumOf(registrationId: string): Sum {
    let sum = sums.get(registrationId);
    if (!sum) {
      sum = { increments: new Map(), texts: new Map(), removals: new Set() };
      sums.set(registrationId, sum);
    }
    return sum;
  }

  return {
    add(registrationId, run) {
      const sum = sumOf(registrationId);
      for (const field of ['triggered', 'success', 'failures', 'aborted', 'retries'] as const) {
        increase(sum, field, run[field] ?? 0);
      }
      setTime(sum, 'RunUs', run.durationMs);
      setTime(sum, 'LagUs', run.lagMs);
      setError(sum, run.lastError);
    },
    get isEmpty() {
      return sums.size === 0;
    },
    take() {
      const taken = sums;
      sums = new Map();
      return taken;
    },
  };
}

function increase(sum: Sum, field: string, by: number): void {
  if (by !== 0) sum.increments.set(field, (sum.increments.get(field) ?? 0) + by);
}

function setTime(sum: Sum, suffix: 'RunUs' | 'LagUs', ms: number | undefined): void {
  if (ms === undefined) return;
  const us = Math.max(0, Math.round(ms * 1_000));
  sum.texts.set(`last${suffix}`, String(us));
  increase(sum, `total${suffix}`, us);
}

function setError(sum: Sum, error: string | null | undefined): void {
  if (error === undefined) return;
  if (error === null) {
    sum.texts.delete('lastError');
    sum.removals.add('lastError');
  } else {
    sum.removals.delete('lastError');
    sum.texts.set('lastError', error);
  }
}

/** Arguments of `add-counters.lua` for one hash. */
export function encodeChange(change: CounterChange): string[] {
  const increments = [...change.increments].flatMap(([field, by]) => [field, String(by)]);
  const texts = [...change.texts].flat();
  return [
    String(change.increments.size),
    ...increments,
    String(change.texts.size),
    ...texts,
    String(change.removals.size),
    ...change.removals,
  ];
}
