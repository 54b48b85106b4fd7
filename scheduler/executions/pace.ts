/** How many records go to a sandbox at once, so that results of a slow function come early and a fast one is not held up. */
export interface Pace {
  /** Most records of the next piece. */
  size(): number;
  /** A piece of so many records took so long, ms. */
  took(records: number, ms: number): void;
}

/** A piece that is answered sooner may be larger. */
const TARGET_MS = 200;
/** Larger than any piece that readers make. */
const MOST = 10_000;

/**
 * Begins with one record. Grows while pieces are answered soon, and while growing makes records cheaper, as it does where
 * functions wait side by side; stays where a function takes its time for every record.
 */
export function createPace(): Pace {
  let size = 1;
  let lastMsPerRecord = Number.POSITIVE_INFINITY;
  return {
    size: () => size,
    took(records, ms) {
      // Pieces cut before it grew, and last ones, say nothing about this size.
      if (records < size || size >= MOST) return;
      const msPerRecord = ms / records;
      // Nothing is known of the first; where several take as long as one did, they only wait.
      if (ms >= TARGET_MS / 4 && msPerRecord < lastMsPerRecord / 3 && size > 1) size *= 16;
      else if (ms < TARGET_MS / 4 || size === 1) size *= 4;
      else if (ms < TARGET_MS) size *= 2;
      size = Math.min(MOST, size);
      lastMsPerRecord = Math.min(lastMsPerRecord, msPerRecord);
    },
  };
}
