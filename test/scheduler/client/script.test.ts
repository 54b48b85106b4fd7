import { expect, test } from 'vitest';
import { readFunction, type SentFunction } from '../../../scheduler/client/function-source.ts';
import { type ScriptParts, writeScript } from '../../../scheduler/client/script.ts';

const step = { number: 1, operation: 'map' };
const read = (fn: (...args: never) => unknown): SentFunction => readFunction(fn, { step, mayGenerate: false });
const partsOf = (functions: readonly SentFunction[], values: Readonly<Record<string, string>> = {}): ScriptParts => ({
  reader: '"KeysReader"',
  calls: [{ step, args: '$regears[0]' }],
  functions,
  values: new Map(Object.entries(values)),
  helpers: new Map(),
});

test('lines of the script are told by step and by line of the function, whatever ends a line', () => {
  const text = '(r) => {\r\n  return `\u2028` +\r    r.missing.field;\n}';
  const script = writeScript(partsOf([read(() => 1), { ...read(() => 2), expression: `(\n${text}\n)`, text }]));
  const lines = script.text.split(/\r\n|[\n\r\u2028\u2029]/);
  const at = lines.findIndex((line) => line.includes('r.missing.field')) + 1;
  expect(script.placeAt(at, 15)).toEqual({ step, position: { line: 4, column: 15 }, source: 'r.missing.field;' });
  const call = lines.indexOf('.map($regears[0])') + 1;
  expect(script.placeAt(call, 2)).toEqual({ step, position: undefined, source: '' });
  expect(script.placeAt(1, 1)).toBeUndefined();
  expect(script.text).toContain(text);
});

test.each<[(...args: never) => unknown, string]>([
  [() => setTimeout(() => 1, 1), 'step 1 (map): the function at 1:7 uses setTimeout: functions have no timers'],
  [() => fetch('http://localhost'), 'uses fetch: functions have no network'],
  [() => process.pid, 'uses process: functions have no process'],
  [() => Buffer.alloc(1), 'uses Buffer: functions have Uint8Array'],
])('%s is refused: names of Node are not there', (fn, message) => {
  expect(() => writeScript(partsOf([read(fn)]))).toThrow(
    expect.objectContaining({ code: 'FUNCTION_UNSENDABLE', step, message: expect.stringContaining(message) }),
  );
});

test('a value may have a name that means something in Node', () => {
  const script = writeScript(partsOf([read(() => process.pid)], { process: '{ ["pid"]: 1 }' }));
  expect(script.text).toContain('((process) => {');
});
