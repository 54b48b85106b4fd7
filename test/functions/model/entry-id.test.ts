import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ageOfId,
  compareEntryIds,
  idFromTime,
  isEntryId,
  nextEntryId,
  parseEntryId,
  previousEntryId,
  timeOfId,
  ZERO_ENTRY_ID,
} from '../../../functions/model/entry-id.ts';

const MAX = 2n ** 64n - 1n;
const part = fc.bigInt({ min: 0n, max: MAX });
const id = fc.tuple(part, part);
const text = ([ms, seq]: [bigint, bigint]): string => `${ms}-${seq}`;

test('ids compare as the pairs of numbers they are', () => {
  fc.assert(
    fc.property(id, id, (a, b) => {
      const expected =
        a[0] === b[0] ? Number(a[1] > b[1]) - Number(a[1] < b[1]) : Number(a[0] > b[0]) - Number(a[0] < b[0]);
      expect(Math.sign(compareEntryIds(text(a), text(b)))).toBe(expected);
    }),
  );
});

test('the next id and the previous id undo each other and are neighbours', () => {
  fc.assert(
    fc.property(id, (pair) => {
      const next = nextEntryId(text(pair));
      if (next === null) {
        expect(text(pair)).toBe(`${MAX}-${MAX}`);
        return;
      }
      expect(compareEntryIds(next, text(pair))).toBeGreaterThan(0);
      expect(previousEntryId(next)).toBe(text(pair));
    }),
  );
  expect(nextEntryId(`5-${MAX}`)).toBe('6-0');
  expect(nextEntryId(`${MAX}-${MAX}`)).toBeNull();
  expect(previousEntryId('6-0')).toBe(`5-${MAX}`);
  expect(previousEntryId(ZERO_ENTRY_ID)).toBeNull();
});

test('parsing gives the canonical text and refuses what is no id', () => {
  expect(parseEntryId('0')).toBe('0-0');
  expect(parseEntryId('007-01')).toBe('7-1');
  expect(parseEntryId('1526919030474-55')).toBe('1526919030474-55');
  for (const bad of ['', '-', '$', '1-', '-1', '1-2-3', 'a', '1.5', `${MAX + 1n}`, `1-${MAX + 1n}`, '1'.repeat(30)]) {
    expect(isEntryId(bad)).toBe(false);
    expect(() => parseEntryId(bad)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  }
});

test('times become the first id of their millisecond and come back', () => {
  expect(idFromTime(1_700_000_000_000)).toBe('1700000000000-0');
  expect(timeOfId('1700000000000-7')).toBe(1_700_000_000_000);
  expect(timeOfId('12')).toBe(12);
  for (const bad of [-1, 1.5, Number.NaN, 2 ** 53]) {
    expect(() => idFromTime(bad)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  }
});

test('the age of an entry is that of its id, and ids that number entries have none', () => {
  expect(ageOfId('1700000000000-7', 1_700_000_000_250)).toBe(250);
  expect(ageOfId('1700000000000-7', 1_699_999_999_000)).toBe(0);
  for (const id of ['1-0', '99999999999-0', '18446744073709551615-0'])
    expect(ageOfId(id, 1_700_000_000_000)).toBe(null);
});
