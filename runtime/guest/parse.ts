import { guestError } from './errors.ts';
import {
  bareList,
  charCodeAt,
  indexOf,
  isSafeInteger,
  ordinaryList,
  slice,
  startsWith,
  toBigInt,
  toNumber,
} from './primordials.ts';
import { createShapes, type Shape } from './record-shape.ts';
import { bytesToArray, valueOfBytes } from './text.ts';

const ERROR = 45;
const SIMPLE = 43;
const INTEGER = 58;
const BULK = 36;
const ARRAY = 42;
const MINUS = 45;
const CR = 13;

/** A record of a stream entry, as the reference describes it. */
export interface StreamRecord {
  readonly key: string | Uint8Array;
  readonly id: string;
  readonly value: Record<string, unknown>;
}

export interface Parser {
  /** Where the next read begins. */
  at: number;
  /** Sets text and place. `ascii`: the whole text is known to be ASCII, so values need no look for UTF-8. */
  open(text: string, at: number, ascii: boolean): void;
  /** Reads `*n`, returns n; -1 for nil. */
  arrayLength(): number;
  /** Reads one stream entry. */
  streamRecord(key: string | Uint8Array): StreamRecord;
  /** Reads one array of strings. */
  commandRecord(): unknown[];
  /** Reads one reply. An error reply at the top comes as `lastError`, with undefined returned. */
  reply(raw: boolean): unknown;
  lastError: string | null;
}

/** Reads RESP2 from latin1 text with one cursor; runs no user code. */
export function createParser(): Parser {
  const shapes = createShapes();
  let text = '';
  let at = 0;
  let ascii = true;
  let shape: Shape | null = null;
  let values = bareList<unknown>();

  function malformed(): Error {
    return guestError('GUEST_ERROR', 'The platform sent a text that is not RESP.');
  }

  /** A line's number after its type; leaves the cursor behind the line. */
  function number(): number {
    let n = 0;
    let i = at + 1;
    const negative = charCodeAt(text, i) === MINUS;
    if (negative) i++;
    for (let c = charCodeAt(text, i); c !== CR; c = charCodeAt(text, ++i)) {
      if (!(c >= 48 && c <= 57)) throw malformed();
      n = n * 10 + (c - 48);
    }
    at = i + 2;
    return negative ? -n : n;
  }

  function bulkBytes(): string | null {
    if (charCodeAt(text, at) !== BULK) throw malformed();
    const length = number();
    if (length < 0) return null;
    const start = at;
    at = start + length + 2;
    if (at > text.length) throw malformed();
    return slice(text, start, start + length);
  }

  function bulkValue(): unknown {
    const bytes = bulkBytes();
    return ascii || bytes === null ? bytes : valueOfBytes(bytes);
  }

  function arrayLength(): number {
    if (charCodeAt(text, at) !== ARRAY) throw malformed();
    return number();
  }

  /** Fields that have the names of the shape used last; null (cursor unmoved) when they have not. */
  function fieldsOfShape(known: Shape): Record<string, unknown> | null {
    const start = at;
    const { prefixes } = known;
    for (let i = 0; i < prefixes.length; i++) {
      const prefix = prefixes[i] as string;
      if (!startsWith(text, prefix, at)) {
        at = start;
        return null;
      }
      at += prefix.length;
      values[i] = bulkValue();
    }
    return known.make(values);
  }

  function fields(): Record<string, unknown> {
    const count = arrayLength();
    if (count < 0) return {};
    const pairs = count >> 1;
    if (shape !== null && shape.prefixes.length === pairs) {
      const record = fieldsOfShape(shape);
      if (record !== null) return record;
    }
    const prefixes = bareList<string>();
    const names = bareList<string>();
    values = bareList();
    for (let i = 0; i < pairs; i++) {
      const start = at;
      names[i] = bulkBytes() ?? '';
      prefixes[i] = slice(text, start, at);
      values[i] = bulkValue();
    }
    shape = shapes.of(prefixes, names);
    return shape.make(values);
  }

  function line(): string {
    const end = indexOf(text, '\r\n', at);
    if (end < 0) throw malformed();
    const content = slice(text, at + 1, end);
    at = end + 2;
    return content;
  }

  function lineText(): string {
    const content = line();
    const value = ascii ? content : valueOfBytes(content);
    return typeof value === 'string' ? value : content;
  }

  function integer(): number | bigint {
    const content = line();
    const value = toNumber(content);
    return isSafeInteger(value) ? value : toBigInt(content);
  }

  function arrayReply(raw: boolean): unknown[] | null {
    const count = number();
    if (count < 0) return null;
    const items = bareList<unknown>();
    for (let i = 0; i < count; i++) items[i] = value(raw);
    return ordinaryList(items);
  }

  function value(raw: boolean): unknown {
    switch (charCodeAt(text, at)) {
      case BULK: {
        if (!raw) return bulkValue();
        const bytes = bulkBytes();
        return bytes === null ? null : bytesToArray(bytes);
      }
      case INTEGER:
        return integer();
      case SIMPLE:
      case ERROR:
        return lineText();
      case ARRAY:
        return arrayReply(raw);
      default:
        throw malformed();
    }
  }

  return {
    get at() {
      return at;
    },
    set at(next) {
      at = next;
    },
    lastError: null,
    open(nextText, nextAt, nextAscii) {
      text = nextText;
      at = nextAt;
      ascii = nextAscii;
    },
    arrayLength,
    streamRecord(key) {
      if (arrayLength() !== 2) throw malformed();
      const id = bulkBytes() ?? '';
      return { key, id, value: fields() };
    },
    commandRecord() {
      const count = arrayLength();
      const args = bareList<unknown>();
      for (let i = 0; i < count; i++) args[i] = bulkValue();
      return ordinaryList(args);
    },
    reply(raw) {
      if (charCodeAt(text, at) === ERROR) {
        this.lastError = lineText();
        return undefined;
      }
      this.lastError = null;
      return value(raw);
    },
  };
}
