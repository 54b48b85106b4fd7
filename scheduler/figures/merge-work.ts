import { createBuckets, percentile } from './durations.ts';
import type { RegistrationRates, RegistrationWork } from './figures.ts';

/** What several nodes did for each registration, per second of the whole fleet. */
export function mergeWork(nodes: readonly (readonly RegistrationWork[])[]): ReadonlyMap<string, RegistrationRates> {
  const byId = Map.groupBy(nodes.flat(), ({ id }) => id);
  return new Map([...byId].map(([id, works]) => [id, ratesOf(works)]));
}

function ratesOf(works: readonly RegistrationWork[]): RegistrationRates {
  const perSecond = (of: (work: RegistrationWork) => number): number =>
    rounded(works.reduce((sum, work) => sum + (of(work) * 1_000) / Math.max(1, work.spanMs), 0));
  return {
    entries: perSecond(({ entries }) => entries.done + entries.filtered + entries.dead + entries.expired),
    executions: perSecond(({ executions }) => executions),
    errors: perSecond(({ errors }) => errors),
    retries: perSecond(({ retries }) => retries),
    durationMs: durationsOf(works),
  };
}

function durationsOf(works: readonly RegistrationWork[]): RegistrationRates['durationMs'] {
  const buckets = createBuckets();
  for (const { durations } of works) {
    for (const [bucket, count] of durations) buckets[bucket] = (buckets[bucket] ?? 0) + count;
  }
  const [p50, p99] = [percentile(buckets, 0.5), percentile(buckets, 0.99)];
  return p50 === null || p99 === null ? null : { p50: rounded(p50), p99: rounded(p99) };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
