import { elapsedAtMost, type FleetClock, type Instant, instantOf } from './clock.ts';

/**
 * How long this node has been in touch with Redis without a gap. After a gap (an outage, a stopped process) every heartbeat
 * may have expired although its node lives: the others get one heartbeat time-out to come back before anything is
 * concluded from a missing one.
 */
export interface Contact {
  /** A heartbeat round has succeeded. */
  touch(): void;
  /** Ms until a missing heartbeat means a dead node; 0 = it does. */
  graceMs(): number;
}

export interface ContactOptions {
  readonly clock: FleetClock;
  /** Silence of this length is a gap, ms. */
  readonly gapMs: number;
  /** Length of the grace, ms. */
  readonly graceMs: number;
}

export function createContact(options: ContactOptions): Contact {
  const { clock } = options;
  let last: Instant | null = null;
  let sinceMs = 0;
  return {
    touch() {
      if (last === null || elapsedAtMost(clock, last) > options.gapMs) sinceMs = clock.monotonicMs();
      last = instantOf(clock);
    },
    graceMs() {
      if (last === null || elapsedAtMost(clock, last) > options.gapMs) return options.graceMs;
      return Math.max(0, sinceMs + options.graceMs - clock.monotonicMs());
    },
  };
}
