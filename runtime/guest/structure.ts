import { bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import { arraySort, bareList, dateGetTime, isArray, mapForEach, ownKeys, setForEach, toText } from './primordials.ts';

const MAX_DEPTH = 200;

/** Places of the kinds of values in the natural order. */
const RANK = { nothing: 0, boolean: 1, number: 2, text: 3, bytes: 4, date: 5, list: 6, object: 7 } as const;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function rankOfObject(value: object): number {
  if (isArray(value)) return RANK.list;
  if (bytesOfBinary(value) !== undefined) return RANK.bytes;
  return attempt(() => dateGetTime(value as Date)) === undefined ? RANK.object : RANK.date;
}

function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return RANK.text;
    case 'number':
    case 'bigint':
      return RANK.number;
    case 'boolean':
      return RANK.boolean;
    case 'object':
      return value === null ? RANK.nothing : rankOfObject(value);
    default:
      return RANK.nothing;
  }
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // NaN stands behind all other numbers.
  // biome-ignore lint/suspicious/noSelfCompare: Number.isNaN can be replaced by user code.
  const aIsNaN = a !== a;
  // biome-ignore lint/suspicious/noSelfCompare: the same.
  const bIsNaN = b !== b;
  if (aIsNaN === bIsNaN) return 0;
  return aIsNaN ? 1 : -1;
}

function compareTexts(a: string, b: string): number {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/** Names of an object's own properties in the order of their texts. */
export function sortedKeys(value: object): readonly string[] {
  const keys = ownKeys(value);
  const sorted = bareList<string>();
  for (let i = 0; i < keys.length; i++) sorted[i] = keys[i] as string;
  arraySort(sorted, compareTexts as never);
  return sorted;
}

function compareLists(a: readonly unknown[], b: readonly unknown[], depth: number): number {
  const shorter = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < shorter; i++) {
    const order = compareAt(a[i], b[i], depth);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** An object as the list of its names and values. */
function flattened(value: object): readonly unknown[] {
  const list = bareList<unknown>();
  const keys = sortedKeys(value);
  for (let i = 0; i < keys.length; i++) {
    list[2 * i] = keys[i];
    list[2 * i + 1] = (value as Record<string, unknown>)[keys[i] as string];
  }
  return list;
}

function compareAt(a: unknown, b: unknown, depth: number): number {
  if (depth > MAX_DEPTH) throw guestError('GUEST_ERROR', `sort: a record is nested deeper than ${MAX_DEPTH} levels.`);
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  switch (rank) {
    case RANK.nothing:
      return 0;
    case RANK.boolean:
    case RANK.number:
      return compareNumbers(a as number, b as number);
    case RANK.text:
      return compareTexts(a as string, b as string);
    case RANK.bytes:
      return compareTexts(bytesOfBinary(a as object) ?? '', bytesOfBinary(b as object) ?? '');
    case RANK.date:
      return compareNumbers(dateGetTime(a as Date), dateGetTime(b as Date));
    case RANK.list:
      return compareLists(a as unknown[], b as unknown[], depth + 1);
    default:
      return compareLists(flattened(a as object), flattened(b as object), depth + 1);
  }
}

/**
 * The order of `sort`: null and undefined, booleans, numbers (NaN last), texts by their code units, bytes, dates, lists item by
 * item, objects by their properties. Total over all values, so that mixed records sort as well.
 */
export function compareNaturally(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b);
  return compareAt(a, b, 0);
}

function sized(tag: string, text: string): string {
  return `${tag}${text.length}:${text}`;
}

function joined(tag: string, parts: readonly string[]): string {
  let text = `${tag}${parts.length}:`;
  for (let i = 0; i < parts.length; i++) text += parts[i];
  return text;
}

function collectionText(value: object, depth: number): string | undefined {
  const parts = bareList<string>();
  const isMap = attempt(() => {
    mapForEach(value as Map<unknown, unknown>, (item, key) => {
      parts[parts.length] = textAt(key, depth) + textAt(item, depth);
    });
    return true;
  });
  const isSet =
    isMap ??
    attempt(() => {
      setForEach(value as Set<unknown>, (item) => {
        parts[parts.length] = textAt(item, depth);
      });
      return true;
    });
  if (isSet === undefined) return undefined;
  arraySort(parts, compareTexts as never);
  return joined(isMap === true ? 'M' : 'S', parts);
}

function objectText(value: object, depth: number): string {
  const bytes = bytesOfBinary(value);
  if (bytes !== undefined) return sized('y', bytes);
  const time = attempt(() => dateGetTime(value as Date));
  if (time !== undefined) return sized('D', toText(time));
  const collection = collectionText(value, depth + 1);
  if (collection !== undefined) return collection;
  const list = isArray(value);
  const items = list ? value : flattened(value);
  const parts = bareList<string>();
  for (let i = 0; i < items.length; i++) parts[i] = textAt(items[i], depth + 1);
  return joined(list ? 'l' : 'o', parts);
}

function textAt(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) {
    throw guestError(
      'GUEST_ERROR',
      `distinct: a record is nested deeper than ${MAX_DEPTH} levels, or contains itself.`,
    );
  }
  switch (typeof value) {
    case 'string':
      return sized('s', value);
    case 'number':
      return sized('d', toText(value));
    case 'bigint':
      return sized('b', toText(value));
    case 'boolean':
      return value ? 't' : 'f';
    case 'object':
      return value === null ? 'n' : objectText(value, depth);
    case 'undefined':
      return 'u';
    default:
      throw guestError('GUEST_ERROR', `distinct: a ${typeof value} cannot be compared by what it holds.`, 'type');
  }
}

/** Text that is the same for two values exactly if they hold the same, whatever the order of their properties. */
export function structuralText(value: unknown): string {
  return textAt(value, 0);
}
