import { bareList, defineProperty, mapGet, mapSet, mapSize, NativeFunction, NativeMap, quote } from './primordials.ts';
import { valueOfBytes } from './text.ts';

/** Most fields of an entry that get an object maker of their own. */
const MAX_FIELDS = 64;
const MAX_SHAPES = 256;

type Make = (values: readonly unknown[]) => Record<string, unknown>;

/**
 * The field names of a stream entry, in their order. Entries of a stream mostly have the same names, so a shape knows what
 * stands before each value as text and makes the object from a literal: own properties whatever the names are (`__proto__`
 * too) and whatever user code did to Object.prototype.
 */
export interface Shape {
  /** RESP text of each name, with its length before it. */
  readonly prefixes: readonly string[];
  readonly make: Make;
}

export interface Shapes {
  /** The shape of these names (latin1 RESP texts with their names beside them). */
  of(prefixes: readonly string[], names: readonly string[]): Shape;
}

function nameOf(bytes: string): string {
  const name = valueOfBytes(bytes);
  return typeof name === 'string' ? name : bytes;
}

function compile(names: readonly string[]): Make {
  let fields = '';
  for (let i = 0; i < names.length; i++) fields += `[${quote(nameOf(names[i] as string))}]:v[${i}],`;
  return new NativeFunction('v', `"use strict";return {${fields}}`) as Make;
}

function slowMake(names: readonly string[]): Make {
  return (values) => {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) {
      const property = { __proto__: null, value: values[i], writable: true, enumerable: true, configurable: true };
      defineProperty(object, nameOf(names[i] as string), property as never);
    }
    return object;
  };
}

export function createShapes(): Shapes {
  const known = new NativeMap<string, Shape>();
  return {
    of(prefixes, names) {
      let key = '';
      for (let i = 0; i < prefixes.length; i++) key += prefixes[i];
      const found = mapGet(known, key);
      if (found !== undefined) return found;
      const keep = names.length <= MAX_FIELDS && mapSize(known) < MAX_SHAPES;
      const ownPrefixes = bareList<string>();
      for (let i = 0; i < prefixes.length; i++) ownPrefixes[i] = prefixes[i] as string;
      const shape: Shape = { prefixes: ownPrefixes, make: keep ? compile(names) : slowMake(names) };
      if (keep) mapSet(known, key, shape);
      return shape;
    },
  };
}
