import { expect, test } from 'vitest';
import { createPace } from '../../../scheduler/executions/pace.ts';

/** Sizes of the first pieces where a piece of so many records takes `msOf` of them. */
function sizes(msOf: (records: number) => number): number[] {
  const pace = createPace();
  return Array.from({ length: 12 }, () => {
    const size = pace.size();
    pace.took(size, msOf(size));
    return size;
  });
}

test('a quick function soon gets pieces as large as readers make them', () => {
  expect(sizes((records) => records * 0.001).slice(0, 7)).toEqual([1, 4, 16, 64, 256, 1_024, 4_096]);
});

test('a function that waits for something else gets more records at once, although each piece takes long', () => {
  expect(sizes(() => 1_000).at(-1)).toBeGreaterThan(1_000);
});

test('a function that works on each record for long keeps small pieces', () => {
  expect(Math.max(...sizes((records) => records * 1_000))).toBe(4);
  expect(Math.max(...sizes((records) => records * 20))).toBeLessThanOrEqual(16);
});

test('pieces that are smaller than allowed say nothing', () => {
  const pace = createPace();
  pace.took(1, 1);
  pace.took(1, 1);
  expect(pace.size()).toBe(4);
});
