import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUCKET_BOUNDS_MS, bucketOf, createBuckets, percentile } from '../../../scheduler/figures/durations.ts';
import type { NodeSample } from '../../../scheduler/figures/figures.ts';
import { mergeAll, mergeAt, probeAt } from '../../../scheduler/figures/merge-samples.ts';
import { mergeWork } from '../../../scheduler/figures/merge-work.ts';
import { createMeter } from '../../../scheduler/figures/meter.ts';
import { createRecentWork } from '../../../scheduler/figures/recent-work.ts';

describe('durations', () => {
  test('lie in the bucket whose bounds are around them', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (ms) => {
        const bucket = bucketOf(ms);
        const upper = BUCKET_BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY;
        const lower = bucket === 0 ? -1 : (BUCKET_BOUNDS_MS[bucket - 1] ?? 0);
        expect(ms).toBeLessThanOrEqual(upper * 1.000_001);
        expect(ms).toBeGreaterThan(lower * 0.999_999);
      }),
    );
  });

  test('have percentiles that are at most a quarter too high', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.05, max: 1e5, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const buckets = createBuckets();
          for (const value of values) buckets[bucketOf(value)] = (buckets[bucketOf(value)] ?? 0) + 1;
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(values.length * share)) - 1] ?? 0;
          const found = percentile(buckets, share) ?? 0;
          expect(found).toBeGreaterThanOrEqual(exact * 0.999_999);
          expect(found).toBeLessThanOrEqual(exact * 1.250_001);
        },
      ),
    );
  });

  test('of nothing have none', () => {
    expect(percentile(createBuckets(), 0.5)).toBeNull();
  });
});

describe('the meter', () => {
  test('counts runs and ends by registration, and all together', () => {
    const meter = createMeter();
    meter.run('a', { triggered: 2, success: 1, failures: 1, durationMs: 3 });
    meter.run('b', { aborted: 1, retries: 4 });
    meter.ends('a', { done: 5, filtered: 1, dead: 2, expired: 0 });
    expect(meter.totals().get('a')).toMatchObject({ executions: 2, errors: 1, entries: { done: 5, dead: 2 } });
    expect(meter.sum()).toMatchObject({
      executions: 3,
      errors: 1,
      retries: 4,
      durationMs: 6,
      entries: { done: 5, filtered: 1 },
    });
    expect(meter.sum().durations.reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});

const sample = (atMs: number, more: Partial<NodeSample> = {}): NodeSample => ({
  atMs,
  spanMs: 1_000,
  entries: { done: 10, filtered: 0, dead: 0, expired: 0 },
  executions: 10,
  errors: 1,
  retries: 0,
  durations: [[10, 10]],
  sandboxes: { processes: 2, isolates: 1, residentBytes: 100, largestBytes: 60 },
  nodeResidentBytes: 50,
  loopDelayMs: 1,
  probe: null,
  ...more,
});
const probe = { lag: { ageMs: 5, unread: 1, pending: 2, waiting: 0 }, deadLetters: 3 };

describe('samples of several nodes', () => {
  test('are added up per second, the slowest loop and the largest sandbox stand out', () => {
    const slow = sample(10_200, {
      spanMs: 2_000,
      loopDelayMs: 9,
      sandboxes: { processes: 2, isolates: 1, residentBytes: 100, largestBytes: 99 },
    });
    const merged = mergeAt([[sample(10_000)], [slow]], 10_300, probe);
    expect(merged).toMatchObject({
      nodes: 2,
      entries: { done: 15 },
      executions: 15,
      loopDelayMs: 9,
      sandboxes: { processes: 4, residentBytes: 200, largestBytes: 99 },
      deadLetters: 3,
      lag: { ageMs: 5 },
    });
    expect(merged?.durationMs?.p50).toBe(merged?.durationMs?.p99);
  });

  test('a node that has said nothing for long does not count any more', () => {
    expect(mergeAt([[sample(10_000)], [sample(1_000)]], 10_100, null)?.nodes).toBe(1);
    expect(mergeAt([[sample(1_000)]], 10_100, null)).toBeNull();
  });

  test('make a history of one sample a second, with the measurement that was known then', () => {
    const first = [sample(1_000), sample(2_000, { probe }), sample(3_000)];
    const second = [sample(1_500), sample(2_500), sample(3_500)];
    const merged = mergeAll([first, second], 1_000);
    expect(merged.map(({ atMs, nodes }) => [atMs, nodes])).toEqual([
      [1_500, 2],
      [2_500, 2],
      [3_500, 2],
    ]);
    expect(merged.map(({ deadLetters }) => deadLetters)).toEqual([null, 3, 3]);
    expect(probeAt([first], 1_999)).toBeNull();
    expect(mergeAll([[], []], 1_000)).toEqual([]);
  });
});

describe('the work of a registration', () => {
  test('is what it did in the last beats, and nothing when it did nothing', () => {
    const meter = createMeter();
    const recent = createRecentWork(2);
    meter.run('a', { success: 5, durationMs: 1 });
    expect(recent.tick(meter.totals(), 0)).toEqual([]);
    meter.run('a', { success: 2, failures: 1, durationMs: 3 });
    meter.ends('b', { done: 4, filtered: 0, dead: 0, expired: 0 });
    const [a, b] = recent.tick(meter.totals(), 1_000);
    expect(a).toMatchObject({ id: 'a', spanMs: 1_000, executions: 3, errors: 1, durations: [[bucketOf(3), 3]] });
    expect(b).toMatchObject({ id: 'b', entries: { done: 4 }, executions: 0, durations: [] });
    expect(recent.tick(meter.totals(), 2_000).map(({ id, spanMs }) => [id, spanMs])).toEqual([
      ['a', 2_000],
      ['b', 2_000],
    ]);
    expect(recent.tick(meter.totals(), 3_000)).toEqual([]);
  });

  test('of several nodes is added up per second, and has percentiles of all of them', () => {
    const none = { done: 0, filtered: 0, dead: 0, expired: 0 };
    const work = {
      id: 'a',
      spanMs: 2_000,
      entries: none,
      executions: 2,
      errors: 0,
      retries: 2,
      durations: [[3, 99]],
    } as const;
    const rates = mergeWork([
      [work],
      [{ ...work, spanMs: 1_000, entries: { ...none, done: 5 }, durations: [[9, 1]] }],
      [],
    ]);
    expect(rates.get('a')).toMatchObject({ entries: 5, executions: 3, errors: 0, retries: 3 });
    expect(rates.get('a')?.durationMs?.p50).toBeCloseTo(BUCKET_BOUNDS_MS[3] ?? 0, 2);
    expect(mergeWork([[{ ...work, durations: [] }]]).get('a')?.durationMs).toBeNull();
  });
});
