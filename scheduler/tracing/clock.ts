/** Now, ms since the epoch with fractions: spans are shorter than a millisecond, and the wall clock may jump. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
