import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes, duration, integer } from '../../../scheduler/config/kinds.ts';

const RANGE = { min: 0, max: Number.MAX_SAFE_INTEGER };

test.each([
  ['integer', integer(RANGE)],
  ['bytes', bytes(RANGE)],
  ['duration', duration(RANGE)],
])('what a value of kind %s is shown as is read as the same value', (_, kind) => {
  fc.assert(fc.property(fc.nat({ max: 10 ** 12 }), (value) => kind.parse(kind.show(value)) === value));
});

test.each([
  [bytes(RANGE), 1024, '1kb'],
  [bytes(RANGE), 1_073_741_824, '1gb'],
  [bytes(RANGE), 1500, '1500b'],
  [duration(RANGE), 500, '500ms'],
  [duration(RANGE), 60_000, '1m'],
  [duration(RANGE), 0, '0ms'],
] as const)('a value is shown in the largest unit that divides it (%#)', (kind, value, text) => {
  expect(kind.show(value)).toBe(text);
});
