/** Where the fleet reads the time; tests hand in their own. */
export interface FleetClock {
  /** Never goes back, ms; goes on while the process is stopped. */
  monotonicMs(): number;
  /** Time of day, ms since the epoch; also goes on while the whole machine sleeps. */
  wallMs(): number;
}

export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const SYSTEM_CLOCK: FleetClock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export function instantOf(clock: FleetClock): Instant {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/**
 * The longest time that can have passed since `then`: the monotonic clock stands still while a machine sleeps, the wall
 * clock can be set back, so the greater of both counts.
 */
export function elapsedAtMost(clock: FleetClock, then: Instant): number {
  return Math.max(clock.monotonicMs() - then.monotonicMs, clock.wallMs() - then.wallMs);
}
