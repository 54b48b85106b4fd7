import { expect, test } from 'vitest';
import { nextTimeMs } from '../../../scheduler/queues/schedule-times.ts';
import { type DueRequest, decideDueTicks } from '../../../scheduler/triggers/due-ticks.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 5, 1, 12);

const hourly = (request: Omit<DueRequest, 'next'>) =>
  decideDueTicks({
    next: (after) => nextTimeMs({ cron: '0 * * * *', timeZone: 'UTC', everyMs: null, atMs: null }, after),
    ...request,
  });

test('nothing is due before its time', () => {
  expect(hourly({ missed: 'all', sinceMs: NOON, untilMs: NOON + HOUR - 1 })).toEqual({
    ticks: [],
    reachedMs: null,
    more: false,
  });
});

test('a tick on time runs under every policy', () => {
  for (const missed of ['skip', 'once', 'all'] as const) {
    const due = hourly({ missed, sinceMs: NOON, untilMs: NOON + HOUR + 5 });
    expect(due).toMatchObject({ ticks: [NOON + HOUR], reachedMs: NOON + HOUR });
  }
});

test('of three missed ticks all run, the newest one, or none', () => {
  const request = { sinceMs: NOON, untilMs: NOON + 3 * HOUR + 60_000 };
  expect(hourly({ missed: 'all', ...request }).ticks).toEqual([NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]);
  expect(hourly({ missed: 'once', ...request }).ticks).toEqual([NOON + 3 * HOUR]);
  expect(hourly({ missed: 'skip', ...request })).toEqual({ ticks: [], reachedMs: NOON + 3 * HOUR, more: false });
});

test('the newest tick is found after years', () => {
  const years = { sinceMs: Date.UTC(2019, 0), untilMs: NOON + 60_000 };
  expect(hourly({ missed: 'once', ...years }).ticks).toEqual([NOON]);
  const next = (after: number): number | null =>
    nextTimeMs({ cron: '0 0 1 1 *', timeZone: 'UTC', everyMs: null, atMs: null }, after);
  expect(decideDueTicks({ next, missed: 'once', ...years }).ticks).toEqual([Date.UTC(2026, 0, 1)]);
});

test('many missed ticks come in pieces that leave none out', () => {
  const next = (after: number): number | null =>
    nextTimeMs({ cron: null, timeZone: 'UTC', everyMs: 1_000, atMs: null }, after);
  const ticks: number[] = [];
  let sinceMs = NOON;
  for (let more = true; more; ) {
    const due = decideDueTicks({ next, missed: 'all', sinceMs, untilMs: NOON + 1_234_000 });
    ticks.push(...due.ticks);
    sinceMs = due.reachedMs ?? sinceMs;
    ({ more } = due);
  }
  expect(ticks).toEqual(Array.from({ length: 1_234 }, (_, n) => NOON + (n + 1) * 1_000));
});
