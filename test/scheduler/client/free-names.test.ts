import { parseExpression } from '@babel/parser';
import { transformSync } from 'esbuild';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findFreeNames } from '../../../scheduler/client/free-names.ts';
import type { SyntaxNode } from '../../../scheduler/client/scope.ts';
import { generatedFunction, NAMES } from './generated-functions.ts';

function freeIn(text: string): readonly string[] {
  const tree = parseExpression(text, { strictMode: true }) as unknown as SyntaxNode;
  return [...findFreeNames(tree).names.keys()].toSorted();
}

function wordsIn(text: string): readonly string[] {
  return [...findFreeNames(parseExpression(text, { strictMode: true }) as unknown as SyntaxNode).words.keys()];
}

/** The names that another reader of JavaScript takes for free: it replaces exactly those. */
function freeForEsbuild(text: string): readonly string[] {
  const define = Object.fromEntries(NAMES.map((name) => [name, `outer_${name}`]));
  const { code } = transformSync(`'use strict'; export default (${text})`, { define, logLevel: 'silent' });
  return NAMES.filter((name) => new RegExp(`\\bouter_${name}\\b`).test(code));
}

test('names that are free in generated functions are those that another parser finds', () => {
  let compared = 0;
  const property = fc.property(generatedFunction, (text) => {
    let expected: readonly string[];
    let found: readonly string[];
    try {
      expected = freeForEsbuild(text);
      found = freeIn(text);
    } catch {
      // Generated without regard to rules such as "declared once".
      return;
    }
    compared += 1;
    expect(found).toEqual(expected);
  });
  fc.assert(property, { numRuns: 1_000 });
  expect(compared).toBeGreaterThan(200);
});

test.each([
  ['(r) => r.value.a + r["b"]', []],
  ['(r) => ({ r, key: limit, [name]: 1, method() { return other; } })', ['limit', 'name', 'other']],
  ['function fold(acc, r) { return r ? fold(acc) : acc; }', []],
  ['(r, most = least) => { var least; return least; }', ['least']],
  ['({ a: { b = c }, ...d }) => [a, b, c, d]', ['a', 'c']],
  ['(r) => { later(); function later() {} { const inner = 1; } return inner; }', ['inner']],
  ['(r) => { x = 1; delete r.x; y++; ({ z } = r); }', ['x', 'y', 'z']],
  ['(r) => { a: for (const b of r) { break a; } }', []],
  ['(r) => class B extends A { #x = B; static y = z; [k]() { return this.#x; } }', ['A', 'k', 'z']],
  ['(r) => { try { throw e; } catch (e) { return e; } }', ['e']],
  [`(r) => tag\`a \${b}\``, ['b', 'tag']],
  ['(r) => r?.a?.[b]?.(c)', ['b', 'c']],
  ['(r) => typeof missing', ['missing']],
  ['function (r) { return arguments.length + new.target; }', []],
  ['(r) => { for (let i = 0; i < 1; i++) {} return i; }', ['i']],
  ['(\\u0061) => a + \\u0062', ['b']],
])('%s takes %j from around', (text, expected) => {
  expect(freeIn(text)).toEqual(expected);
});

test.each([
  ['(r) => this.limit', ['this']],
  ['function (r) { return () => this; }', ['this']],
  ['(r) => arguments[0]', ['arguments']],
  ["(r) => import('node:fs')", ['import']],
  ['(r) => class { [this.x]() {} }', ['this']],
  ['(r) => ({ m() { return this; } })', []],
  ['(r) => class { x = this; static { this.y = super.z; } m() { super.m(); } }', []],
  ['(r) => function () { return [this, arguments]; }', []],
])('%s uses the words %j of what is around', (text, expected) => {
  expect(wordsIn(text)).toEqual(expected);
});
