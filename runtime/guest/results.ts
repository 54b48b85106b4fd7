import type { Piece } from './batch.ts';
import { bulk, bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import { type Budget, createJsonWriter, type Path, readAt, showPath, spend } from './json.ts';
import { charCodeAt, fromCharCode, isArray, isSafeInteger, slice, toText } from './primordials.ts';
import { bytesOfString } from './text.ts';

const MAX_DEPTH = 100;
const PLUS = 43;
const MINUS = 45;
const INT64_END = 9_223_372_036_854_775_807n;

/** A line of a simple string or error must not contain line ends; they become spaces. */
function oneLine(bytes: string): string {
  let text = '';
  let from = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = charCodeAt(bytes, i);
    if (code !== 13 && code !== 10) continue;
    text += `${slice(bytes, from, i)}${fromCharCode(32)}`;
    from = i + 1;
  }
  return from === 0 ? bytes : text + slice(bytes, from);
}

/** The rule of RedisGears: `+text` is a simple string, `-text` an error, everything else a bulk string. */
function encodeString(value: string, budget: Budget): string {
  spend(budget, value.length + 8);
  const bytes = bytesOfString(value);
  if (bytes.length > 1) {
    const first = charCodeAt(bytes, 0);
    if (first === PLUS || first === MINUS) return `${oneLine(bytes)}\r\n`;
  }
  return bulk(bytes);
}

function encodeNumber(value: number | bigint, asText: boolean): string {
  const whole = typeof value === 'bigint' ? value <= INT64_END && value >= -INT64_END - 1n : isSafeInteger(value);
  return whole && !asText ? `:${toText(value)}\r\n` : bulk(toText(value));
}

function encodeJson(value: object, budget: Budget, path: Path | null): string {
  const json = createJsonWriter(budget).write(value, path);
  return json === undefined ? '$-1\r\n' : bulk(bytesOfString(json));
}

function encodeBinary(value: object, budget: Budget): string | undefined {
  const bytes = bytesOfBinary(value);
  if (bytes === undefined) return undefined;
  spend(budget, bytes.length + 8);
  return bulk(bytes);
}

/** With `convertToStr`: strings and bytes stay, everything else becomes its text, objects, arrays and null their JSON. */
function encodeAsText(value: unknown, budget: Budget): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value, budget);
    case 'number':
    case 'bigint':
    case 'boolean':
      spend(budget, 8);
      return bulk(toText(value));
    case 'object':
      if (value === null) return bulk('null');
      return encodeBinary(value, budget) ?? encodeJson(value, budget, null);
    default:
      return bulk('null');
  }
}

interface Place {
  readonly path: Path | null;
  readonly depth: number;
}

function encodeList(list: readonly unknown[], budget: Budget, place: Place): string {
  if (place.depth >= MAX_DEPTH) {
    throw guestError('GUEST_ERROR', `${showPath(place.path)} is nested deeper than ${MAX_DEPTH} lists.`, 'type');
  }
  const length = readAt(() => list.length, place.path);
  spend(budget, 8);
  let text = `*${length}\r\n`;
  for (let i = 0; i < length; i++) {
    const path = { up: place.path, step: `[${i}]` };
    const item = readAt(() => list[i], path);
    text += encodeValue(item, budget, { path, depth: place.depth + 1 });
  }
  return text;
}

/** Without `convertToStr`: the types of the reference where RESP has them, JSON for objects. */
function encodeValue(value: unknown, budget: Budget, place: Place): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value, budget);
    case 'number':
    case 'bigint':
      spend(budget, 8);
      return encodeNumber(value, false);
    case 'boolean':
      spend(budget, 4);
      return value ? ':1\r\n' : ':0\r\n';
    case 'object':
      if (value === null) break;
      if (isArray(value)) return encodeList(value, budget, place);
      return encodeBinary(value, budget) ?? encodeJson(value, budget, place.path);
  }
  spend(budget, 5);
  return '$-1\r\n';
}

/** RESP2 text of one result, with the types RESP has. Throws LIMIT_OUTPUT and errors that name the path within the result. */
export function encodeResult(value: unknown, budget: Budget): string {
  return encodeValue(value, budget, { path: null, depth: 0 });
}

/** RESP2 array of the kept records of a list. Throws LIMIT_OUTPUT and errors that name the path within the result. */
export function encodeResults(first: Piece | null, convertToStr: boolean, budget: Budget): string {
  let text = '';
  let count = 0;
  for (let piece = first; piece !== null; piece = piece.next) {
    if (!piece.kept) continue;
    text += convertToStr
      ? encodeAsText(piece.value, budget)
      : encodeValue(piece.value, budget, { path: null, depth: 0 });
    count++;
  }
  return `*${count}\r\n${text}`;
}
