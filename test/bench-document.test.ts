import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GOALS, type Goal } from './bench/goals.ts';
import { failsRun, rowOf } from './bench/row.ts';

const text = readFileSync(new URL('../docs/benchmarks.md', import.meta.url), 'utf8');
const goals = Object.entries(GOALS).flatMap(([suite, all]) =>
  Object.values(all as Readonly<Record<string, Goal>>).map((goal) => ({ suite, goal })),
);

function aim({ kind, unit, atLeast, atMost }: Goal): string {
  const figure = kind === 'ratio' || unit === 'x' ? 'x' : ` ${unit}`;
  if (atLeast !== undefined) return `>= ${atLeast}${figure}`;
  return atMost === undefined ? '' : `<= ${atMost}${figure}`;
}

describe('docs/benchmarks.md', () => {
  test.each(goals)('has the line of suite $suite: $goal.what', ({ suite, goal }) => {
    const cells = `| ${suite} | ${goal.what} | ${aim(goal)} |`.replace('|  |', '| |');
    expect(text).toContain(cells);
  });

  test('describes every suite', () => {
    for (const suite of Object.keys(GOALS)) expect(text).toContain(`| \`${suite}\` |`);
  });
});

describe('a row of the benchmark', () => {
  const rate = { kind: 'ratio', what: 'ours / theirs', unit: 'entries/s', atLeast: 1.5 } as const;

  test('compares figures of the same round', () => {
    // Twice as fast in every round, on a machine that became ten times slower in between.
    const row = rowOf(rate, { ours: [200, 20, 180], peer: [100, 10, 90] });
    expect(row.ratio).toEqual({ median: 2, least: 2, greatest: 2 });
    expect(row.judgement).toBe('reached');
  });

  test('fails the run when a ratio misses its goal', () => {
    expect(failsRun(rowOf(rate, { ours: [140], peer: [100] }))).toBe(true);
  });

  test('does not fail the run when a time does', () => {
    const row = rowOf({ kind: 'time', what: 'p99', unit: 'ms', atMost: 1 }, { ours: [20] });
    expect(row.judgement).toBe('missed');
    expect(failsRun(row)).toBe(false);
  });
});
