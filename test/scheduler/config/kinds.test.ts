import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytes, duration, integer, pairs } from '../../../scheduler/config/kinds.ts';

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

test('pairs are read from text and from an object, and are shown as they are written', () => {
  const kind = pairs();
  expect(kind.parse('region=eu, tier=a=b')).toEqual({ region: 'eu', tier: 'a=b' });
  expect(kind.parse({ region: 'eu,us' })).toEqual({ region: 'eu,us' });
  expect(kind.parse('')).toEqual({});
  expect(kind.show({ region: 'eu', tier: 'free' })).toBe('region=eu,tier=free');
});

test.each(['region', '=eu', 'a b=c', ['region=eu'], { region: 1 }, { 'a b': 'c' }, null, 5])(
  '%j is no list of pairs',
  (raw) => {
    expect(pairs().parse(raw)).toBeUndefined();
  },
);
