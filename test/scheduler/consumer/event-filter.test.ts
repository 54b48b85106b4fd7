import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBulk, type FieldCondition, type FilterPattern, latin1FromUtf8 } from '../../../functions/index.ts';
import { parseFilter } from '../../../functions/model/parse-filter.ts';
import type { TriggerSpec } from '../../../functions/model/plan.ts';
import { createBatch } from '../../../scheduler/consumer/batch.ts';
import { createEventFilter } from '../../../scheduler/consumer/event-filter.ts';
import { screenBatch } from '../../../scheduler/consumer/screen.ts';

const STREAM = { kind: 'stream' } as TriggerSpec;
const NAMES = ['a', 'b', 'ä', '__proto__', 'length'];
const name = fc.constantFrom(...NAMES);
const text = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'abc', 'x y', 'grün', '7', '7.0', '-1', '1e1', '0x7', ' 7', 'NaN', '$3\r\nabc'),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
);
const number = fc.constantFrom(-1, 0, 7, 7.5, 10, 1e9);
const scalar = fc.oneof(text, number, fc.boolean());
const prefix = fc.constantFrom('a', 'ab', 'gr', '7', '-').map((one) => ({ prefix: one }));
const range = fc.record({ gt: number, gte: number, lt: number, lte: number }, { requiredKeys: [] });
const operators = fc
  .record(
    {
      is: scalar,
      prefix: fc.constantFrom('a', 'gr'),
      exists: fc.constant(true),
      not: fc.oneof(scalar, fc.array(fc.oneof(scalar, prefix), { minLength: 1 })),
    },
    { requiredKeys: [] },
  )
  .chain((some) => range.map((limits) => ({ ...some, ...limits })))
  .filter((one) => Object.keys(one).length > 0);
const condition = fc.oneof(scalar, prefix, operators, fc.constant({ exists: false }));
const clause = fc.dictionary(name, fc.oneof(condition, fc.array(condition, { minLength: 1, maxLength: 3 })), {
  minKeys: 1,
  noNullPrototype: true,
});
const pattern = fc.oneof(clause, fc.array(clause, { minLength: 1, maxLength: 3 }));
const entry = fc.array(fc.tuple(name, text), { maxLength: 5 });

type Loose = string | number | boolean | Record<string, unknown>;

/** What the documents say, written down once more and as plainly as can be. */
function plainly(value: string | undefined, asked: Loose): boolean {
  if (typeof asked !== 'object') {
    if (value === undefined) return false;
    if (typeof asked !== 'number') return value === String(asked);
    return isNumber(value) && Number(value) === asked;
  }
  if (asked.exists === false) return value === undefined;
  if (value === undefined) return false;
  const limits: Record<string, (limit: number) => boolean> = {
    gt: (limit) => Number(value) > limit,
    gte: (limit) => Number(value) >= limit,
    lt: (limit) => Number(value) < limit,
    lte: (limit) => Number(value) <= limit,
  };
  return Object.entries(asked).every(([operator, wanted]) => {
    if (operator === 'is') return plainly(value, wanted as Loose);
    if (operator === 'prefix') return value.startsWith(wanted as string);
    if (operator === 'not') return ![wanted].flat().some((one) => plainly(value, one as Loose));
    const limit = limits[operator];
    return limit === undefined || (isNumber(value) && limit(wanted as number));
  });
}

function isNumber(value: string): boolean {
  return /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(value);
}

function matchesPlainly(fields: readonly (readonly [string, string])[], asked: unknown): boolean {
  return [asked].flat().some((one) =>
    Object.entries(one as Record<string, unknown>).every(([field, wanted]) => {
      const value = fields.findLast(([known]) => known === field)?.[1];
      return [wanted].flat().some((each) => plainly(value, each as Loose));
    }),
  );
}

function batchOf(entries: readonly (readonly (readonly [string, string])[])[]) {
  let payload = `*${entries.length}\r\n`;
  const starts = new Int32Array(entries.length);
  entries.forEach((fields, n) => {
    starts[n] = payload.length;
    const texts = fields.flat().map((one) => encodeBulk(latin1FromUtf8(one)));
    payload += `*2\r\n${encodeBulk(`${n}-0`)}*${texts.length}\r\n${texts.join('')}`;
  });
  const ids = entries.map((_, n) => `${n}-0`);
  return createBatch({ registrationId: 'r', stream: 's', origin: 'new', ids, payload, starts });
}

test('a pattern lets through what its plain reading says, and the rest of the batch stays as it is', () => {
  fc.assert(
    fc.property(pattern, fc.array(entry, { minLength: 1, maxLength: 6 }), (asked, entries) => {
      const filter = createEventFilter(parseFilter(JSON.parse(JSON.stringify(asked)), 'filter', STREAM));
      const wanted = entries.flatMap((fields, n) => (matchesPlainly(fields, asked) ? [n] : []));
      const { passed, refused } = screenBatch(filter, batchOf(entries));
      expect(passed?.ids ?? []).toEqual(wanted.map((n) => `${n}-0`));
      expect([...(passed?.ids ?? []), ...refused].sort()).toEqual(entries.map((_, n) => `${n}-0`).sort());
      const { payload } = batchOf(wanted.map((n) => entries[n] as (typeof entries)[number]));
      expect(passed?.payload.replaceAll(/\$\d+\r\n\d+-0\r\n/g, '')).toBe(
        wanted.length === 0 ? undefined : payload.replaceAll(/\$\d+\r\n\d+-0\r\n/g, ''),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('members of a JSON message are seen by their path, and what is no such message has none', () => {
  const accepts = (asked: unknown, value: string): boolean =>
    createEventFilter(parseFilter(asked, 'filter', { kind: 'list' } as TriggerSpec), 'value').accepts([
      latin1FromUtf8(value),
    ]);
  const message = JSON.stringify({ kind: 'grün', user: { age: 30, mail: null, tags: [] }, paid: true });
  expect(accepts({ 'value.kind': 'grün' }, message)).toBe(true);
  expect(accepts({ 'value.user.age': { gte: 30 }, 'value.paid': true }, message)).toBe(true);
  expect(accepts({ 'value.user.age': '30' }, message)).toBe(true);
  expect(accepts({ 'value.user.age': { gt: 30 } }, message)).toBe(false);
  expect(accepts({ 'value.user.mail': { exists: true } }, message)).toBe(true);
  expect(accepts({ 'value.user.mail': 'null' }, message)).toBe(false);
  expect(accepts({ 'value.user.tags': { not: 'a' } }, message)).toBe(true);
  expect(accepts({ 'value.constructor': { exists: true } }, message)).toBe(false);
  expect(accepts({ 'value.kind': { exists: false } }, 'no JSON')).toBe(true);
  expect(accepts({ 'value.kind': 'x' }, '[1]')).toBe(false);
});

test('a pattern that means nothing is refused with its place and its value', () => {
  const refusal = (asked: unknown, kind: TriggerSpec['kind'] = 'stream'): string => {
    try {
      return JSON.stringify(parseFilter(asked, 'filter', { kind } as TriggerSpec) satisfies FilterPattern);
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal({})).toMatch(/^filter is \{\}; it must be an object of 1 to 100 names/);
  expect(refusal([])).toMatch(/^filter is \[\]; it must be a list of at least one pattern/);
  expect(refusal('click')).toMatch(/^filter is "click"/);
  expect(refusal({ a: null })).toMatch(/^filter\.a is null; it must be a text, a number/);
  expect(refusal({ a: [] })).toMatch(/^filter\.a is \[\]/);
  expect(refusal({ a: ['x', {}] })).toMatch(/^filter\.a\[1\] is \{\}/);
  expect(refusal({ a: { prefx: 'x' } })).toMatch(/^filter\.a\.prefx is "x"; it must be left out: known are is, prefix/);
  expect(refusal({ a: { gte: '1' } })).toMatch(/^filter\.a\.gte is "1"; it must be a number/);
  expect(refusal({ a: { exists: 'yes' } })).toMatch(/^filter\.a\.exists is "yes"; it must be true or false/);
  expect(refusal({ a: { exists: false, is: 'x' } })).toMatch(/^filter\.a\.exists is false; it must be alone/);
  expect(refusal({ a: { not: [] } })).toMatch(/^filter\.a\.not is \[\]/);
  expect(refusal({ a: { not: [{ gt: 1 }] } })).toMatch(/^filter\.a\.not\[0\]\.gt is 1/);
  expect(refusal([{ a: 'x' }, 5])).toMatch(/^filter\[1\] is 5/);
  expect(refusal({ type: 'x' }, 'keys')).toMatch(
    /^filter\.type is "x"; it must be left out: a pattern sees key, event here/,
  );
  expect(refusal({ status: 'x' }, 'list')).toMatch(/a pattern sees key, value, value\.<member> here/);
  expect(refusal({ user: 'x' }, 'command')).toMatch(/under the position of an argument/);
  const found: readonly FieldCondition[] | undefined = parseFilter({ a: true }, 'filter', STREAM)[0]?.[0]?.anyOf;
  expect(found).toEqual([{ is: 'true' }]);
});
