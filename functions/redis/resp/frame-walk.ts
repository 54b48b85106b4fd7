import { PlatformError } from '../../errors.ts';
import type { EntryMarks } from './entry-marks.ts';
import { digitsEnd, numberBetween, stringEnd } from './plain.ts';

/*
 * Framing finds where a reply or a command ends and builds no objects. Text is latin1: one character per byte.
 * One counter of outstanding elements is enough for any nesting: an aggregate of n adds n and takes itself away.
 */
const LINE = 1;
const BULK = 2;
const LIST = 3;
const MAP = 4;
const ATTRIBUTE = 5;

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const COLON = 58;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** A length header never needs more characters than this, an error or status line does. */
const MAX_HEADER_CHARS = 24;
const MAX_LINE_CHARS = 1 << 20;
const MAX_BULK_BYTES = 512 * 1024 * 1024;
const MAX_REPLY_ITEMS = 2 ** 31;
const MAX_COMMAND_ARGS = 1024 * 1024;

const REPLY_KINDS = kindTable({ '+-:,#(_': LINE, '$=!': BULK, '*~>': LIST, '%': MAP, '|': ATTRIBUTE });
const COMMAND_HEAD = kindTable({ '*': LIST });
const COMMAND_ARGS = kindTable({ $: BULK });

function kindTable(kinds: Readonly<Record<string, number>>): Uint8Array {
  const table = new Uint8Array(256);
  for (const [types, kind] of Object.entries(kinds)) {
    for (const type of types) table[type.charCodeAt(0)] = kind;
  }
  return table;
}

/** What may come in; the defaults are those of a Redis server. */
export interface FrameLimits {
  readonly maxBulkBytes?: number;
  /** Arguments of a command, or elements of one aggregate of a reply. */
  readonly maxItems?: number;
}

export interface WalkState {
  kinds: Uint8Array;
  /** Elements whose header is still to come. */
  remaining: number;
  /** Bytes of the present bulk (with its line end) that the next chunk begins with. */
  skip: number;
  /** Where the header of the present element begins. */
  head: number;
  /** Begin of a header that the chunk cut off. */
  carry: string;
  readonly maxBulkBytes: number;
  readonly maxItems: number;
  /** First words of error replies that tell something about the connection, see `notedErrors`. */
  noted: string[] | null;
  /** Of a reply to a stream read: where its entries are. */
  marks: EntryMarks | null;
}

/** State before so many replies. */
export function replyState(remaining: number, limits: FrameLimits = {}): WalkState {
  const { maxBulkBytes = MAX_BULK_BYTES, maxItems = MAX_REPLY_ITEMS } = limits;
  return {
    kinds: REPLY_KINDS,
    remaining,
    skip: 0,
    head: 0,
    carry: '',
    maxBulkBytes,
    maxItems,
    noted: null,
    marks: null,
  };
}

/** State before one command. */
export function commandState(limits: FrameLimits = {}): WalkState {
  const { maxBulkBytes = MAX_BULK_BYTES, maxItems = MAX_COMMAND_ARGS } = limits;
  return {
    kinds: COMMAND_HEAD,
    remaining: 1,
    skip: 0,
    head: 0,
    carry: '',
    maxBulkBytes,
    maxItems,
    noted: null,
    marks: null,
  };
}

/** Walks elements until none is outstanding; keeps in `state` where it stopped. Returns the end, or -1. */
export function walk(text: string, from: number, state: WalkState): number {
  let at = from;
  while (state.remaining > 0) {
    if (atEntry(state)) at = takeEntries(text, at, state);
    else if (at < text.length && state.kinds !== COMMAND_HEAD) {
      at = walkPlain(text, at, state);
      if (atEntry(state)) continue;
    }
    if (state.remaining === 0) break;
    const end = lineEnd(text, at);
    if (end < 0) return suspend(text, at, state);
    state.head = at;
    at = consume(text, end, state);
    if (at > text.length) {
      state.skip = at - text.length;
      return -1;
    }
  }
  return at;
}

function atEntry({ marks, remaining }: WalkState): boolean {
  return marks !== null && marks.due === remaining;
}

function takeEntries(text: string, from: number, state: WalkState): number {
  const { marks } = state;
  if (marks === null) return from;
  marks.outstanding = state.remaining;
  const at = marks.take(text, from);
  state.remaining = marks.outstanding;
  return at;
}

/**
 * Takes whole bulk strings, integers and heads of lists, nearly all there is in the replies of the hot path, without looking at
 * their lines apart. Returns where it stopped; where entries are marked, that is before every list.
 */
function walkPlain(text: string, from: number, state: WalkState): number {
  const { maxBulkBytes, maxItems } = state;
  const isReply = state.kinds === REPLY_KINDS;
  const takesLists = isReply && state.marks === null;
  let { remaining } = state;
  let at = from;
  while (remaining > 0 && at < text.length) {
    const type = isReply ? text.charCodeAt(at) : DOLLAR;
    const isList = type === STAR && takesLists;
    const end = isList || type === COLON ? integerEnd(text, at) : stringEnd(text, at, maxBulkBytes);
    const items = isList && end > 0 ? numberBetween(text, at + 1, end - 2) : 0;
    if (end < 0 || items > maxItems) break;
    remaining += items - 1;
    at = end;
  }
  state.remaining = remaining;
  return at;
}

function integerEnd(text: string, from: number): number {
  const digits = digitsEnd(text, from + 1);
  return digits < 0 ? -1 : digits + 2;
}

/** Goes on in the next chunk where `state` stopped. */
export function resume(chunk: string, from: number, state: WalkState): number {
  let at = from;
  if (state.carry !== '') {
    const lf = chunk.indexOf('\n', at);
    const line = state.carry + (lf < 0 ? chunk.slice(at) : chunk.slice(at, lf + 1));
    state.carry = '';
    // The line holds exactly one header: what is outstanding after it begins right behind it in the chunk.
    const end = walk(line, 0, state);
    if (lf < 0) return -1;
    at = lf + 1;
    if (end >= 0) return at;
  }
  if (state.skip > 0) {
    const here = Math.min(state.skip, chunk.length - at);
    state.skip -= here;
    at += here;
    if (state.skip > 0) return -1;
  }
  return walk(chunk, at, state);
}

/** Position behind the line that begins at `from`, or -1. */
function lineEnd(text: string, from: number): number {
  const { length } = text;
  for (let at = from; at < length; at++) {
    if (text.charCodeAt(at) !== LF) continue;
    if (at === from || text.charCodeAt(at - 1) !== CR) throw malformed('a line end is missing', text, at);
    return at + 1;
  }
  return -1;
}

/** Keeps the begin of a header for the next chunk. */
function suspend(text: string, from: number, state: WalkState): -1 {
  if (from < text.length) {
    const kind = kindAt(text, from, state);
    state.carry = text.slice(from);
    if (state.carry.length > (kind === LINE ? MAX_LINE_CHARS : MAX_HEADER_CHARS)) {
      throw malformed('a line is too long', text, from);
    }
  }
  return -1;
}

function kindAt(text: string, at: number, state: WalkState): number {
  const kind = state.kinds[text.charCodeAt(at)] ?? 0;
  if (kind === 0) throw malformed('no such type', text, at);
  return kind;
}

/** Takes the element whose header line goes from `state.head` to `end`. Returns the position behind it (bulk included). */
function consume(text: string, end: number, state: WalkState): number {
  const at = state.head;
  const kind = kindAt(text, at, state);
  state.remaining--;
  if (kind === LINE) {
    if (text.charCodeAt(at) === MINUS) noteError(text, at, state);
    return end;
  }
  const value = numberOf(text, at, end);
  if (kind === BULK && value > state.maxBulkBytes) {
    throw malformed(`a string is longer than ${state.maxBulkBytes} bytes`, text, at);
  }
  if (kind === BULK) return value < 0 ? nilEnd(text, end, state) : bulkEnd(text, end + value + 2, state);
  state.remaining += itemsOf(kind, value, state);
  if (state.kinds === COMMAND_HEAD) state.kinds = COMMAND_ARGS;
  return end;
}

/** The number between the type and the line end. */
function numberOf(text: string, at: number, end: number): number {
  const last = end - 2;
  let digit = at + 1;
  const negative = text.charCodeAt(digit) === MINUS;
  if (negative) digit++;
  if (digit >= last || last - digit > 10) throw malformed('a length is not a number', text, at);
  let value = 0;
  for (; digit < last; digit++) {
    const code = text.charCodeAt(digit);
    if (code < ZERO || code > NINE) throw malformed('a length is not a number', text, at);
    value = value * 10 + (code - ZERO);
  }
  return negative ? -value : value;
}

function nilEnd(text: string, end: number, state: WalkState): number {
  if (end - state.head !== 5 || text.charCodeAt(state.head + 2) !== 49 || state.kinds === COMMAND_ARGS) {
    throw malformed('a length is negative', text, state.head);
  }
  return end;
}

function bulkEnd(text: string, end: number, state: WalkState): number {
  if (end <= text.length && (text.charCodeAt(end - 2) !== CR || text.charCodeAt(end - 1) !== LF)) {
    throw malformed('a string is not as long as it says', text, state.head);
  }
  return end;
}

/** How many elements an aggregate adds to those outstanding. */
function itemsOf(kind: number, value: number, state: WalkState): number {
  if (state.kinds === COMMAND_HEAD && value < 1) throw malformed('a command has no name', '', 0);
  if (value > state.maxItems) throw malformed(`more than ${state.maxItems} elements`, '', 0);
  if (value < -1) throw malformed('a length is negative', '', 0);
  if (value === -1) return 0;
  if (kind === LIST) return value;
  return kind === MAP ? value * 2 : value * 2 + 1;
}

/** Errors that speak of the server rather than of the command; all others are none of a link's business. */
const NOTED = /^-(READONLY|LOADING|MASTERDOWN|UNBLOCKED|MOVED|CLUSTERDOWN)\b/;
/** First letters of those. */
const NOTED_FIRST = 'RLMUC';

function noteError(text: string, head: number, state: WalkState): void {
  if (!NOTED_FIRST.includes(text.charAt(head + 1))) return;
  const word = NOTED.exec(text.slice(head, head + 16))?.[1];
  if (!word) return;
  state.noted ??= [];
  state.noted.push(word);
}

export function malformed(what: string, text: string, at: number): PlatformError<'RESP_MALFORMED'> {
  const near = JSON.stringify(text.slice(Math.max(0, at - 8), at + 24));
  return new PlatformError('RESP_MALFORMED', `malformed RESP: ${what} (at ${at}, near ${near})`, { details: { at } });
}
