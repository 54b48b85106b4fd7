import type { EndCounts } from '../delivery.ts';
import type { RunCount } from '../journal/journal.ts';
import { bucketOf, createBuckets } from './durations.ts';

/** What one registration has done on this node since the node began. Only grows. */
export interface Totals {
  readonly entries: EndCounts;
  /** Runs that have ended, whether well or not. */
  readonly executions: number;
  readonly errors: number;
  readonly retries: number;
  /** Sum over the executions; each counts as long as the batch in which it ran. */
  readonly durationMs: number;
  /** Counts per bucket, see durations. */
  readonly durations: readonly number[];
}

/** Counts what this node does. Nothing of it leaves the node by itself. */
export interface Meter {
  run(registrationId: string, run: RunCount): void;
  ends(registrationId: string, ends: EndCounts): void;
  /** By registration, also former ones. */
  totals(): ReadonlyMap<string, Totals>;
  /** Over all registrations. */
  sum(): Totals;
}

interface Counter {
  entries: { done: number; filtered: number; dead: number; expired: number };
  executions: number;
  errors: number;
  retries: number;
  durationMs: number;
  durations: number[];
}

export function createMeter(): Meter {
  const counters = new Map<string, Counter>();
  const all = createCounter();
  const counterOf = (registrationId: string): Counter => {
    let counter = counters.get(registrationId);
    if (counter === undefined) {
      counter = createCounter();
      counters.set(registrationId, counter);
    }
    return counter;
  };
  return {
    run(registrationId, run) {
      addRun(counterOf(registrationId), run);
      addRun(all, run);
    },
    ends(registrationId, ends) {
      addEnds(counterOf(registrationId), ends);
      addEnds(all, ends);
    },
    totals: () => counters,
    sum: () => all,
  };
}

function createCounter(): Counter {
  return {
    entries: { done: 0, filtered: 0, dead: 0, expired: 0 },
    executions: 0,
    errors: 0,
    retries: 0,
    durationMs: 0,
    durations: createBuckets(),
  };
}

/** A run may stand for several executions, which took the time together. */
function addRun(counter: Counter, run: RunCount): void {
  const { success = 0, failures = 0, aborted = 0, retries = 0, durationMs } = run;
  const ended = success + failures + aborted;
  counter.executions += ended;
  counter.errors += failures;
  counter.retries += retries;
  if (durationMs === undefined) return;
  const executions = Math.max(1, ended);
  counter.durationMs += durationMs * executions;
  const bucket = bucketOf(durationMs);
  counter.durations[bucket] = (counter.durations[bucket] ?? 0) + executions;
}

function addEnds({ entries }: Counter, { done, filtered, dead, expired }: EndCounts): void {
  entries.done += done;
  entries.filtered += filtered;
  entries.dead += dead;
  entries.expired += expired;
}
