import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { literalOf } from '../../../scheduler/client/literal.ts';
import { pack, unpack } from '../../../scheduler/client/transfer.ts';

const plain = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: false }),
  fc.uint8Array(),
);
const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '$', 'v', 'constructor', 'toString'));
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    plain,
    fc.array(tie('tree')),
    fc.array(fc.tuple(key, tie('tree'))).map((entries) => Object.fromEntries(entries)),
  ),
}));

const here = { Uint8Array, Date, atob };

test('a literal makes the value it was made of', () => {
  fc.assert(
    fc.property(tree, (value) => {
      const text = literalOf(value, { what: 'it' });
      expect(text).not.toContain('\n');
      expect(new Function(...Object.keys(here), `'use strict'; return (${text})`)(...Object.values(here))).toEqual(
        value,
      );
    }),
    { numRuns: 500 },
  );
});

test('literals that end lines, strings or comments stay text', () => {
  const text = `'"\`\${x}*/ </script>\u2028\u2029\r\n\\`;
  expect(runInNewContext(literalOf(text, { what: 'it' }))).toBe(text);
});

test.each([
  [{ a: [() => 1] }, 'it.a[0] is a function'],
  [new Map(), 'it is a Map'],
  [{ a: new (class Own {})() }, 'it.a is a Own'],
  [Symbol('x'), 'it is a symbol'],
  [/a/, 'it is a RegExp'],
])('%o cannot be a literal', (value, message) => {
  expect(() => literalOf(value, { what: 'it' })).toThrow(
    expect.objectContaining({ code: 'VALUE_UNSENDABLE', message: expect.stringContaining(message) }),
  );
});

test('a value within itself cannot be sent in either direction', () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  expect(() => literalOf(loop, { what: 'it' })).toThrow(/nested deeper than 200 levels, or within itself/);
  expect(() => pack(loop)).toThrow(/nested deeper than 200 levels, or within itself/);
});

test('results arrive as they left', () => {
  const results = fc.oneof(
    tree,
    fc.array(fc.tuple(tree, tree)).map((pairs) => new Map(pairs)),
    fc.array(tree).map((items) => new Set(items)),
    fc.constant(undefined),
  );
  fc.assert(
    fc.property(results, (value) => {
      const text = pack(value);
      expect(text).toMatch(/^ [^\n\r]*$/);
      expect(unpack(text)).toEqual(value);
    }),
    { numRuns: 500 },
  );
});

test('what JSON leaves out is left out, instances are plain objects, errors have name and message', () => {
  class Own {
    readonly x = undefined;
    readonly y = [undefined];
  }
  expect(unpack(pack(new Own()))).toEqual({ y: [null] });
  expect(unpack(pack(new RangeError('far')))).toEqual({ name: 'RangeError', message: 'far' });
  expect(() => pack([Promise.resolve(1)])).toThrow('the result[0] is a promise');
});
