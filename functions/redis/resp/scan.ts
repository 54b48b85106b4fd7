import { PlatformError } from '../../errors.ts';
import { replyEnd } from './frame.ts';

const CR = 13;
const LF = 10;
const MINUS = 45;
const ZERO = 48;
const DOLLAR = 36;
const STAR = 42;

/** Where the arguments of one command are. Made once and filled again by every `scanCommand`. */
export interface CommandScan {
  count: number;
  /** End of the command in its text. */
  end: number;
  /** Start and end of argument i are at 2i and 2i + 1; only the first `count` pairs are valid. */
  offsets: Int32Array;
}

export function createCommandScan(): CommandScan {
  return { count: 0, end: 0, offsets: new Int32Array(64) };
}

/**
 * Finds the arguments of the command at `from` without building them. Returns `into`, or null when the command is not
 * complete. Throws RESP_MALFORMED on anything but an array of at least one bulk string.
 */
export function scanCommand(text: string, from: number, into: CommandScan = createCommandScan()): CommandScan | null {
  const { length } = text;
  let at = lengthEnd(text, from, STAR);
  if (at < 0) return null;
  const count = lengthBefore(text, from, at);
  if (count < 1 || count > 1024 * 1024) throw malformed('a command has no name or too many arguments', from);
  let { offsets } = into;
  for (let i = 0; i < count; i++) {
    const start = lengthEnd(text, at, DOLLAR);
    if (start < 0) return null;
    const end = start + lengthBefore(text, at, start);
    if (end < start) throw malformed('an argument has a negative length', at);
    if (end + 2 > length) return null;
    if (text.charCodeAt(end) !== CR || text.charCodeAt(end + 1) !== LF) {
      throw malformed('a string is not as long as it says', at);
    }
    if (2 * i + 1 >= offsets.length) {
      offsets = grown(offsets);
      into.offsets = offsets;
    }
    offsets[2 * i] = start;
    offsets[2 * i + 1] = end;
    at = end + 2;
  }
  into.count = count;
  into.end = at;
  return into;
}

/** Text of argument `index` of a scanned command. */
export function argOf(text: string, scan: CommandScan, index: number): string {
  return text.slice(scan.offsets[2 * index], scan.offsets[2 * index + 1]);
}

/** All arguments of a scanned command. */
export function argsOf(text: string, scan: CommandScan): string[] {
  const args: string[] = new Array<string>(scan.count);
  for (let i = 0; i < scan.count; i++) args[i] = argOf(text, scan, i);
  return args;
}

/** Where the entries of an entry array are (XRANGE, XCLAIM, the entries of one stream in XREADGROUP). */
export interface EntryScan {
  /** Ids in order; slices of the text, which stays in memory as long as one of them does. */
  readonly ids: readonly string[];
  /** Where each entry begins in the text; it ends where the next one begins, the last one at `end`. */
  readonly starts: Int32Array;
  readonly end: number;
  /** Positions (in `ids`) of entries without fields: deleted or trimmed while they were pending. */
  readonly missing: readonly number[];
}

/**
 * Finds the entries of the complete entry array at `from` in one pass. A nil array is an empty one; nil entries (as XCLAIM
 * gave before Redis 7) are left out; plain ids (JUSTID) are entries without fields, all of them in `missing`.
 * Throws RESP_MALFORMED.
 */
export function scanEntries(text: string, from = 0): EntryScan {
  let at = expectLength(text, from, STAR);
  const count = Math.max(0, lengthBefore(text, from, at));
  if (count > text.length - at) throw malformed('more entries than bytes', from);
  const ids: string[] = [];
  const starts = new Int32Array(count);
  const missing: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = at;
    const pairStart = text.charCodeAt(at) === STAR ? pairHead(text, at) : at;
    if (pairStart < 0) {
      at = -pairStart;
      continue;
    }
    const idStart = expectLength(text, pairStart, DOLLAR);
    const idEnd = idStart + lengthBefore(text, pairStart, idStart);
    if (idEnd < idStart) {
      at = idStart;
      continue;
    }
    const after = pairStart === start ? -(idEnd + 2) : fieldsEnd(text, idEnd + 2);
    at = Math.abs(after);
    if (after < 0) missing.push(ids.length);
    starts[ids.length] = start;
    ids.push(text.slice(idStart, idEnd));
  }
  if (at > text.length) throw malformed('the text ends within an entry', from);
  return { ids, starts: ids.length === count ? starts : starts.slice(0, ids.length), end: at, missing };
}

/** Position of the id of an entry; negative (the position behind it) when the entry is nil. */
function pairHead(text: string, from: number): number {
  const at = expectLength(text, from, STAR);
  const size = lengthBefore(text, from, at);
  if (size === -1) return -at;
  if (size !== 2) throw malformed('an entry is not a pair', from);
  return at;
}

/** End of a field list; negative when it is nil. */
function fieldsEnd(text: string, from: number): number {
  if (text.charCodeAt(from) === DOLLAR) return -expectLength(text, from, DOLLAR);
  let at = expectLength(text, from, STAR);
  const count = lengthBefore(text, from, at);
  if (count < 0) return -at;
  const { length } = text;
  for (let i = 0; i < count; i++) {
    // The inner loop of the hot path: header digits are read in place.
    if (text.charCodeAt(at) !== DOLLAR) throw malformed('a field is not a string', at);
    let size = 0;
    let code = text.charCodeAt(++at);
    while (code >= ZERO && code <= 57) {
      size = size * 10 + (code - ZERO);
      code = text.charCodeAt(++at);
    }
    if (code !== CR) throw malformed('a length is not a number', at);
    at += size + 4;
    if (!(at <= length)) throw malformed('the text ends within an entry', from);
  }
  return at;
}

/** Position behind the header line at `from`, which must be of `type`; -1 when the text ends before. */
export function lengthEnd(text: string, from: number, type: number): number {
  const { length } = text;
  if (from >= length) return -1;
  if (text.charCodeAt(from) !== type) throw malformed(`expected ${String.fromCharCode(type)}`, from);
  let at = from + 1;
  if (text.charCodeAt(at) === MINUS) at++;
  const digits = at;
  let code = text.charCodeAt(at);
  while (code >= ZERO && code <= 57) code = text.charCodeAt(++at);
  if (at >= length) return -1;
  if (code !== CR || at === digits || at - digits > 10) throw malformed('a length is not a number', from);
  if (at + 1 >= length) return -1;
  if (text.charCodeAt(at + 1) !== LF) throw malformed('a line end is missing', at);
  return at + 2;
}

/** The number of the header line that begins at `from` and ends at `end`. */
export function lengthBefore(text: string, from: number, end: number): number {
  let at = from + 1;
  const negative = text.charCodeAt(at) === MINUS;
  if (negative) at++;
  let value = 0;
  for (; at < end - 2; at++) value = value * 10 + (text.charCodeAt(at) - ZERO);
  return negative ? -value : value;
}

function expectLength(text: string, from: number, type: number): number {
  const end = lengthEnd(text, from, type);
  if (end < 0) throw malformed('the text ends too early', from);
  return end;
}

/** Start of each of `replies` complete replies, and behind the last one its end. Throws RESP_MALFORMED. */
export function replyStarts(text: string, replies: number): Int32Array {
  const starts = new Int32Array(replies + 1);
  let at = 0;
  for (let i = 0; i < replies; i++) {
    starts[i] = at;
    at = replyEnd(text, at);
    if (at < 0) throw malformed(`only ${i} of ${replies} replies`, text.length);
  }
  starts[replies] = at;
  return starts;
}

function grown(offsets: Int32Array): Int32Array {
  const larger = new Int32Array(offsets.length * 2);
  larger.set(offsets);
  return larger;
}

function malformed(what: string, at: number): PlatformError<'RESP_MALFORMED'> {
  return new PlatformError('RESP_MALFORMED', `malformed RESP: ${what} (at ${at})`, { details: { at } });
}
