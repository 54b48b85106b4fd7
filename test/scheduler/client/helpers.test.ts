import { expect, test } from 'vitest';
import { readFunction, type SentFunction } from '../../../scheduler/client/function-source.ts';
import { writeScript } from '../../../scheduler/client/script.ts';

const step = { number: 1, operation: 'map' };
const read = (fn: (...args: never) => unknown): SentFunction => readFunction(fn, { step, mayGenerate: false });
const helper = (name: string, fn: (...args: never) => unknown): readonly [string, SentFunction] => [
  name,
  readFunction(fn, { step: { number: 0, operation: `with.${name}` }, mayGenerate: true }),
];

function scriptOf(
  functions: readonly ((...args: never) => unknown)[],
  helpers: readonly (readonly [string, SentFunction])[],
  values: Readonly<Record<string, string>> = {},
): ReturnType<typeof writeScript> {
  return writeScript({
    reader: '"KeysReader"',
    calls: [{ step, args: '$regears[0]' }],
    functions: functions.map(read),
    values: new Map(Object.entries(values)),
    helpers: new Map(helpers),
  });
}

declare const rate: number;
declare const gross: (n: number) => number;
declare const factorial: (n: number) => number;

test('helpers find values, each other and themselves', () => {
  const script = scriptOf(
    [(r: number) => gross(r) + factorial(4)],
    [
      helper('gross', (n: number) => n * rate),
      helper('factorial', (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))),
      helper('numbers', function* () {
        yield rate;
      }),
      helper('most', Math.max),
    ],
    { rate: '2' },
  );
  const functions = new Function(`${script.text.slice(0, script.text.indexOf('new GearsBuilder'))} return $regears;`)();
  expect(functions[0](5)).toBe(10 + 24);
});

test('a helper that uses another name is refused with its place', () => {
  expect(() => scriptOf([(r: number) => gross(r)], [helper('gross', (n: number) => n * rate)])).toThrow(
    expect.objectContaining({
      code: 'CLOSURE_REFUSED',
      details: { names: ['rate'] },
      message: expect.stringMatching(/^with\.gross uses rate \(at 1:\d+\)\. .*pass values and functions with/),
    }),
  );
  expect(() => scriptOf([() => 1], [helper('later', () => setTimeout(() => 1, 1))])).toThrow(
    expect.objectContaining({
      code: 'FUNCTION_UNSENDABLE',
      message: expect.stringMatching(/^with\.later: the function at .* uses setTimeout/),
    }),
  );
});

test('lines of helpers are told by their names', () => {
  const script = scriptOf([() => gross(1)], [helper('gross', (n: number) => n * 2)]);
  const lines = script.text.split('\n');
  const at = lines.findIndex((line) => line.includes('n * 2')) + 1;
  expect(script.placeAt(at, 3)).toMatchObject({ step: { operation: 'with.gross' }, position: { line: 1, column: 3 } });
  const own = lines.findIndex((line) => line.includes('gross(1)')) + 1;
  expect(script.placeAt(own, 3)).toMatchObject({ step: { operation: 'map' }, position: { line: 1, column: 3 } });
});
