/**
 * Durations as counts per bucket, each a quarter longer than the one before: a percentile is at most so much off, however
 * many there are, and the buckets of several nodes can be added.
 */
const LEAST_MS = 0.05;
const FACTOR = 1.25;
const BUCKETS = 80;
const STEP = Math.log(FACTOR);

/** Upper bounds of the buckets, ms; the last one has none. */
export const BUCKET_BOUNDS_MS: readonly number[] = Array.from(
  { length: BUCKETS - 1 },
  (_, bucket) => LEAST_MS * FACTOR ** bucket,
);

export function createBuckets(): number[] {
  return new Array<number>(BUCKETS).fill(0);
}

export function bucketOf(ms: number): number {
  if (!(ms > LEAST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LEAST_MS) / STEP - 1e-9));
}

/** The value below which `share` of the durations lie, ms; null when there are none. */
export function percentile(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = Math.max(1, Math.ceil(total * share));
  const bucket = buckets.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
  return BUCKET_BOUNDS_MS[bucket] ?? BUCKET_BOUNDS_MS.at(-1) ?? null;
}
