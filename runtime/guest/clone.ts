import { bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import {
  bareList,
  dateGetTime,
  defineProperty,
  isArray,
  mapForEach,
  mapGet,
  mapSet,
  NativeArray,
  NativeDate,
  NativeMap,
  NativeSet,
  ownKeys,
  setAdd,
  setForEach,
} from './primordials.ts';
import { bytesToArray } from './text.ts';

type Seen = Map<unknown, unknown>;

function refuse(what: string): Error {
  return guestError('GUEST_ERROR', `structuredClone: ${what} cannot be cloned.`);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function cloneMap(source: Map<unknown, unknown>, seen: Seen): unknown {
  const copy = new NativeMap();
  mapSet(seen, source, copy);
  const keys = bareList<unknown>();
  const values = bareList<unknown>();
  mapForEach(source, (value, key) => {
    keys[keys.length] = key;
    values[values.length] = value;
  });
  for (let i = 0; i < keys.length; i++) mapSet(copy, cloneValue(keys[i], seen), cloneValue(values[i], seen));
  return copy;
}

function cloneSet(source: Set<unknown>, seen: Seen): unknown {
  const copy = new NativeSet();
  mapSet(seen, source, copy);
  setForEach(source, (value) => {
    setAdd(copy, cloneValue(value, seen));
  });
  return copy;
}

function put(target: object, key: PropertyKey, value: unknown): void {
  defineProperty(target, key, {
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  } as never);
}

function cloneObject(source: object, seen: Seen): unknown {
  const time = attempt(() => dateGetTime(source as Date));
  if (time !== undefined) return new NativeDate(time);
  const bytes = bytesOfBinary(source);
  if (bytes !== undefined) return bytesToArray(bytes);
  if (attempt(() => mapForEach(source as Map<unknown, unknown>, () => undefined) === undefined) === true) {
    return cloneMap(source as Map<unknown, unknown>, seen);
  }
  if (attempt(() => setForEach(source as Set<unknown>, () => undefined) === undefined) === true) {
    return cloneSet(source as Set<unknown>, seen);
  }
  const copy: object = isArray(source) ? new NativeArray(source.length) : {};
  mapSet(seen, source, copy);
  const keys = ownKeys(source);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    put(copy, key, cloneValue((source as Record<string, unknown>)[key], seen));
  }
  return copy;
}

function cloneValue(value: unknown, seen: Seen): unknown {
  if (typeof value === 'function') throw refuse('a function');
  if (typeof value === 'symbol') throw refuse('a symbol');
  if (typeof value !== 'object' || value === null) return value;
  return mapGet(seen, value) ?? cloneObject(value, seen);
}

/** A small `structuredClone`: plain objects, arrays, Map, Set, Date and bytes (as Uint8Array), cycles included. */
export function structuredClone(value: unknown): unknown {
  return cloneValue(value, new NativeMap());
}
