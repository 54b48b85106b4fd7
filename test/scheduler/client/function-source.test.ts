import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { checkVariableName, readFunction } from '../../../scheduler/client/function-source.ts';

const USE = { step: { number: 2, operation: 'map' }, mayGenerate: false };
type AnyFunction = (...args: never) => unknown;

/** What is sent, evaluated as a platform would: far from here. */
function sent(fn: AnyFunction): (...args: readonly unknown[]) => unknown {
  return runInNewContext(readFunction(fn, USE).expression) as (...args: readonly unknown[]) => unknown;
}

const shelf = {
  double(n: number): number {
    return n * 2;
  },
  async 'strange name'(n: number): Promise<number> {
    return n;
  },
  __proto__(n: number): number {
    return n + 1;
  },
  arrow: (n: number) => n,
  get size(): number {
    return 1;
  },
  usesThis(): unknown {
    return this;
  },
  usesSuper(): unknown {
    return super.toString();
  },
  [Symbol.iterator](): unknown {
    return 1;
  },
};

class Person {
  older(n: number): number {
    return n + 1;
  }
  static young(n: number): boolean {
    return n < 18;
  }
}

test('functions of every form arrive as what they are', async () => {
  expect(sent((n: number) => n + 1)(1)).toBe(2);
  expect(
    sent(function named(n: number): number {
      return n <= 1 ? 1 : n * named(n - 1);
    })(4),
  ).toBe(24);
  expect(await sent(async (n: number) => n)(3)).toBe(3);
  expect(sent(shelf.double)(4)).toBe(8);
  expect(await sent(shelf['strange name'])(4)).toBe(4);
  expect(sent(Object.getOwnPropertyDescriptor(shelf, '__proto__')?.value as AnyFunction)(4)).toBe(5);
  expect(sent(shelf.arrow)(4)).toBe(4);
  expect(sent(new Person().older)(4)).toBe(5);
  expect(sent(Person.young)(4)).toBe(true);
  expect(sent(({ a: [b = 1] }: { a: number[] }, ...rest: number[]) => b + rest.length)({ a: [] }, 1, 2)).toBe(3);
});

test('functions of the language go by their name', () => {
  expect(readFunction(Math.max, USE).text).toBe('Math.max');
  expect(readFunction(Number, USE).text).toBe('Number');
  expect(readFunction(JSON.parse, USE).text).toBe('JSON.parse');
  expect(sent(Boolean)(0)).toBe(false);
});

test.each<[string, AnyFunction, RegExp]>([
  ['bound', ((n: number) => n).bind(null), /is native or bound/],
  ['a method of a prototype', [].map as AnyFunction, /is native or bound/],
  ['a proxy', new Proxy(() => 1, {}), /is native or bound/],
  ['a class', Person as unknown as AnyFunction, /is a class/],
  ['a getter', Object.getOwnPropertyDescriptor(shelf, 'size')?.get as AnyFunction, /is a getter or setter/],
  ['a method with a computed name', shelf[Symbol.iterator], /computed name/],
  ['using this', shelf.usesThis, /at 2:\d+ uses this, which is nothing there/],
  ['using super', shelf.usesSuper, /uses super/],
  ['a generator', function* () {}, /is a generator/],
  ['importing', () => import('node:fs'), /uses import|__vi/],
])('a function that is %s is refused, with the step', (_, fn, reason) => {
  let error: unknown;
  try {
    // Names that the test's own compiler puts in count as names of the program around.
    const { outer } = readFunction(fn, USE);
    error = new Error([...outer.keys()].join());
  } catch (thrown) {
    error = thrown;
    expect(error).toMatchObject({ code: 'FUNCTION_UNSENDABLE', step: USE.step });
    expect((error as Error).message).toMatch(/^step 2 \(map\): the function /);
  }
  expect((error as Error).message).toMatch(reason);
});

test('a generator may be a source of records', () => {
  const { text } = readFunction(function* () {}, { ...USE, mayGenerate: true });
  expect(text).toMatch(/^function\s?\*/);
});

test('a text that a function only claims to be is not believed', () => {
  const liar = Object.assign((n: number) => n, { toString: () => '(process.exit())' });
  expect(readFunction(liar, USE).text).toBe('(n) => n');
});

test('names of the program around are told with their places', () => {
  const rate = 1;
  const { outer } = readFunction((n: number) => n * rate, USE);
  expect([...outer]).toEqual([['rate', { line: 1, column: 12 }]]);
});

test.each(['rate', '$', '_x', 'größe', 'of', 'async'])('a variable may be called %s', (name) => {
  expect(() => checkVariableName(name)).not.toThrow();
});

test.each([
  '',
  ' ',
  'a b',
  'a,b',
  'a = evil()',
  '{ a }',
  '...a',
  'a) => 0, (b',
  'a /* */',
  '1',
  'class',
  'eval',
  'arguments',
  'let',
  'a\n',
  '__proto__]',
  'a: number',
])('a variable may not be called %j', (name) => {
  expect(() => checkVariableName(name)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
});
