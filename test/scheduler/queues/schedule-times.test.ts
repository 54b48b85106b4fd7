import { expect, test } from 'vitest';
import type { Schedule } from '../../../functions/index.ts';
import { checkSchedule, nextTimeMs, nextTimeOfPattern, patternOf } from '../../../scheduler/queues/schedule-times.ts';

const schedule = (part: Partial<Schedule>): Schedule => ({
  cron: null,
  timeZone: 'UTC',
  everyMs: null,
  atMs: null,
  ...part,
});

test('cron follows the clocks of its time zone through the change to summer time', () => {
  const berlin = schedule({ cron: '30 6 * * *', timeZone: 'Europe/Berlin' });
  const winter = nextTimeMs(berlin, Date.UTC(2026, 2, 27, 12));
  expect(new Date(winter ?? 0).toISOString()).toBe('2026-03-28T05:30:00.000Z');
  const summer = nextTimeMs(berlin, winter ?? 0);
  expect(new Date(summer ?? 0).toISOString()).toBe('2026-03-29T04:30:00.000Z');
});

test('six fields begin with seconds', () => {
  expect(nextTimeMs(schedule({ cron: '*/10 * * * * *' }), 1_000)).toBe(10_000);
});

test('intervals are due at full multiples since the epoch', () => {
  expect(nextTimeMs(schedule({ everyMs: 300_000 }), 300_001)).toBe(600_000);
  expect(nextTimeMs(schedule({ everyMs: 300_000 }), 600_000)).toBe(900_000);
});

test('a single time is due once', () => {
  expect(nextTimeMs(schedule({ atMs: 5_000 }), 4_999)).toBe(5_000);
  expect(nextTimeMs(schedule({ atMs: 5_000 }), 5_000)).toBeNull();
});

test('a schedule that BullMQ has kept means the same', () => {
  for (const one of [{ cron: '0 4 * * 1', timeZone: 'Asia/Tokyo' }, { everyMs: 7_000 }, { atMs: 9_000_000_000_000 }]) {
    const kept = patternOf(schedule(one));
    expect(nextTimeOfPattern(kept, 1_000_000)).toBe(nextTimeMs(schedule(one), 1_000_000));
  }
});

test('what means nothing is refused with its name and value', () => {
  const refused: [Partial<Schedule>, RegExp][] = [
    [{ cron: '61 * * * *' }, /cron "61 \* \* \* \*" is not understood/],
    [{ cron: '* * *' }, /has 3 fields/],
    [{ cron: 'soon' }, /has 1 fields/],
    [{ cron: '0 0 31 2 *' }, /cron "0 0 31 2 \*" is n/],
    [{ cron: '0 * * * *', timeZone: 'Europe/Atlantis' }, /timeZone "Europe\/Atlantis" is not known/],
  ];
  for (const [part, message] of refused) {
    expect(() => checkSchedule(schedule(part))).toThrow(message);
  }
  expect(() => checkSchedule(schedule({ cron: '@hourly' }))).not.toThrow();
});
