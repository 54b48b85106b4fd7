import type { MissedPolicy } from '#functions';

export interface DueRequest {
  /** First due time behind a time, ms; null = none. */
  readonly next: (afterMs: number) => number | null;
  readonly missed: MissedPolicy;
  /** Ticks up to this time have been dealt with. */
  readonly sinceMs: number;
  /** Ticks up to this time are due. */
  readonly untilMs: number;
}

export interface DueTicks {
  /** Ticks that run, ascending, ms. */
  readonly ticks: readonly number[];
  /** All ticks up to this time are dealt with when these are written; null = nothing was due. */
  readonly reachedMs: number | null;
  /** There may be more: ask again from `reachedMs`. */
  readonly more: boolean;
}

/** A tick that is taken up later than this has been missed. */
export const LATE_MS = 30_000;
/** Ticks given at once. */
const MOST_TICKS = 500;
/** How far back the newest due tick is looked for, step by step. */
const WINDOWS_MS = [60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000, Number.MAX_SAFE_INTEGER];

const NONE: DueTicks = { ticks: [], reachedMs: null, more: false };

/** Which ticks run of those that are due: what the missed policy says. */
export function decideDueTicks(request: DueRequest): DueTicks {
  if (request.missed === 'all') return everyTick(request);
  const newest = newestTick(request);
  if (newest === null) return NONE;
  const runs = request.missed === 'once' || request.untilMs - newest <= LATE_MS;
  return { ticks: runs ? [newest] : [], reachedMs: newest, more: false };
}

function everyTick({ next, sinceMs, untilMs }: DueRequest): DueTicks {
  const ticks: number[] = [];
  for (let at = next(sinceMs); at !== null && at <= untilMs && ticks.length < MOST_TICKS; at = next(at)) ticks.push(at);
  return { ticks, reachedMs: ticks.at(-1) ?? null, more: ticks.length === MOST_TICKS };
}

/** Steps through no more ticks than the smallest window with one has. */
function newestTick({ next, sinceMs, untilMs }: DueRequest): number | null {
  for (const windowMs of WINDOWS_MS) {
    const fromMs = Math.max(sinceMs, untilMs - windowMs);
    let newest: number | null = null;
    for (let at = next(fromMs); at !== null && at <= untilMs; at = next(at)) newest = at;
    if (newest !== null || fromMs === sinceMs) return newest;
  }
  return null;
}
