import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from '../../../scheduler/config/nearest.ts';

const NAMES = ['resp-port', 'resp-host', 'http-port', 'sandboxes', 'data-dir'];

test.each([
  ['resp-prot', 'resp-port'],
  ['sandbox', 'sandboxes'],
  ['datadir', 'data-dir'],
  ['RESP-PORT', 'resp-port'],
  ['completely-different', undefined],
])('%s most likely means %s', (word, meant) => {
  expect(nearest(word, NAMES)).toBe(meant);
});

test('a known name is its own nearest', () => {
  fc.assert(fc.property(fc.constantFrom(...NAMES), (name) => nearest(name, NAMES) === name));
});
