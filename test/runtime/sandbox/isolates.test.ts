import { expect, test } from 'vitest';
import { versionKey } from '../../../runtime/sandbox/isolates.ts';
import { versionOf } from '../scripted/invocations.ts';

test('a script has an isolate for each set of settings; a version has one', () => {
  const keyOf = (version: number, settings: Readonly<Record<string, string>>): string =>
    versionKey({ ...versionOf({ code: '' }), version, settings });
  expect(keyOf(0, { a: '1', b: '2' })).toBe(keyOf(0, { b: '2', a: '1' }));
  expect(keyOf(0, { a: '1' })).not.toBe(keyOf(0, { a: '2' }));
  expect(keyOf(1, { a: '1' })).toBe(keyOf(1, { a: '2' }));
});
