import { PlatformError } from '#functions';
import type { SourcesSpec } from '#runtime';

/** A point in time: a Date, ms since the epoch, or a text that `Date` reads. */
export type Instant = Date | number | string;

/** What `Date`, `performance.now()` and formats of no date show inside a function. */
export interface TestClock {
  /** ms since the epoch; null while it is the machine's clock. */
  readonly now: number | null;
  /** Stops the clock at a point in time. Errors: ARGUMENT_INVALID. */
  set(instant: Instant): void;
  /** Moves it on; a running clock is stopped first. */
  advance(ms: number): void;
  /** The machine's clock again. */
  release(): void;
}

/**
 * What `Math.random()` gives: one value for ever; values in turn, from the first again with each delivery; or the endless
 * sequence that belongs to a seed, which goes on from delivery to delivery.
 */
export type RandomSource = number | readonly number[] | { readonly seed: number };

export interface TestRandom {
  /** Null while it is chance. */
  readonly source: RandomSource | null;
  /** Errors: ARGUMENT_INVALID for values that are not from 0 to below 1. */
  set(source: RandomSource): void;
  /** Chance again. */
  release(): void;
}

/** Both, and what of them the sandbox is told. */
export interface Sources {
  readonly clock: TestClock;
  readonly random: TestRandom;
  /** For the next batch. */
  next(): SourcesSpec;
  /** A seed begins anew. */
  rewind(): void;
}

export function createSources(): Sources {
  let nowMs: number | null = null;
  let source: RandomSource | null = null;
  let drawn = 0;
  return {
    clock: {
      get now() {
        return nowMs;
      },
      set(instant) {
        nowMs = msOf(instant);
      },
      advance(ms) {
        if (!Number.isFinite(ms)) throw invalid(`a clock advances by milliseconds, not by ${String(ms)}`);
        nowMs = (nowMs ?? Date.now()) + ms;
      },
      release() {
        nowMs = null;
      },
    },
    random: {
      get source() {
        return source;
      },
      set(wanted) {
        checkRandom(wanted);
        source = wanted;
        drawn = 0;
      },
      release() {
        source = null;
      },
    },
    next() {
      drawn += 1;
      return { nowMs, random: randomOf(source, drawn) };
    },
    rewind() {
      drawn = 0;
    },
  };
}

function randomOf(source: RandomSource | null, drawn: number): SourcesSpec['random'] {
  if (source === null) return null;
  if (typeof source === 'number') return [source];
  return 'seed' in source ? { seed: mixed(source.seed, drawn) } : source;
}

/** A seed for each batch: near seeds must not give near sequences. */
function mixed(seed: number, drawn: number): number {
  let bits = Math.imul((seed ^ (drawn * 0x9e37_79b1)) | 0, 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 1;
}

function msOf(instant: Instant): number {
  const ms = new Date(instant).getTime();
  if (Number.isNaN(ms)) throw invalid(`"${String(instant)}" is no point in time`);
  return ms;
}

function checkRandom(source: RandomSource): void {
  if (typeof source === 'object' && 'seed' in source) {
    if (!Number.isSafeInteger(source.seed)) throw invalid(`a seed is a whole number, not ${String(source.seed)}`);
    return;
  }
  const values = typeof source === 'number' ? [source] : source;
  const wrong = values.find((value) => !(value >= 0 && value < 1));
  if (values.length === 0) throw invalid('a list of random values must not be empty');
  if (wrong !== undefined) throw invalid(`Math.random() gives numbers from 0 to below 1, not ${String(wrong)}`);
}

function invalid(message: string): PlatformError {
  return new PlatformError('ARGUMENT_INVALID', message);
}
