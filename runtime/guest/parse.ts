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
import { bytesOfString, bytesToArray, valueOfBytes } from './text.ts';

const ERROR = 45;
const SIMPLE = 43;
const INTEGER = 58;
const BULK = 36;
const TEXT = 126;
const BYTES = 33;
const ARRAY = 42;
const MINUS = 45;
const CR = 13;

/** A record of a stream entry, as the reference describes it. */
export interface StreamRecord {
  readonly key: string | Uint8Array;
  readonly id: string;
  readonly value: Record<string, unknown>;
}

/** A record of a key event. Without `readValue` it has neither type nor value. */
export interface KeyRecord {
  readonly key: unknown;
  readonly type?: string;
  readonly value?: unknown;
  readonly event: string;
}

export interface Parser {
  /** Where the next read begins. */
  at: number;
  /**
   * Sets text and place. `ascii`: `$` strings and lines need no look for UTF-8; what is not ASCII comes decoded, as `~<characters>`
   * and the text, or as `!<bytes>` and bytes that are no UTF-8.
   */
  open(text: string, at: number, ascii: boolean): void;
  /** Reads `*n`, returns n; -1 for nil. */
  arrayLength(): number;
  /** Reads one stream entry. */
  streamRecord(key: string | Uint8Array): StreamRecord;
  /** Reads one `[key, event, command | nil, type?, value?]`; the command is left in `lastCommand`. */
  keyRecord(): KeyRecord;
  lastCommand: readonly unknown[] | null;
  /** Reads one array of strings. */
  commandRecord(): unknown[];
  /** True when an array is next. */
  isArray(): boolean;
  /** True when nil is next. */
  isNil(): boolean;
  /** True when this text is next. */
  startsWith(part: string): boolean;
  /** Reads one bulk string as latin1 bytes; null for nil. */
  bytes(): string | null;
  /** Reads an array of names and values in turn as an object. */
  fields(): Record<string, unknown>;
  /** Reads one reply. An error reply at the top comes as `lastError`, with undefined returned. */
  reply(raw: boolean): unknown;
  lastError: string | null;
}

/** Reads RESP2 from latin1 text with one cursor; runs no user code. */
export function createParser(): Parser {
  return new RespParser();
}

class RespParser implements Parser {
  readonly #shapes = createShapes();
  #text = '';
  at = 0;
  lastError: string | null = null;
  lastCommand: readonly unknown[] | null = null;
  #ascii = true;
  #shape: Shape | null = null;
  #values = bareList<unknown>();

  #malformed(): Error {
    return guestError('GUEST_ERROR', 'The platform sent a text that is not RESP.');
  }

  /** A line's number after its type; leaves the cursor behind the line. */
  #number(): number {
    let n = 0;
    let i = this.at + 1;
    const negative = charCodeAt(this.#text, i) === MINUS;
    if (negative) i++;
    for (let c = charCodeAt(this.#text, i); c !== CR; c = charCodeAt(this.#text, ++i)) {
      if (!(c >= 48 && c <= 57)) throw this.#malformed();
      n = n * 10 + (c - 48);
    }
    this.at = i + 2;
    return negative ? -n : n;
  }

  /** What stands behind a length, as it stands there. */
  #sized(): string | null {
    const length = this.#number();
    if (length < 0) return null;
    const start = this.at;
    this.at = start + length + 2;
    if (this.at > this.#text.length) throw this.#malformed();
    return slice(this.#text, start, start + length);
  }

  #bulkBytes(): string | null {
    switch (charCodeAt(this.#text, this.at)) {
      case BULK:
      case BYTES:
        return this.#sized();
      case TEXT:
        return bytesOfString(this.#sized() ?? '');
      default:
        throw this.#malformed();
    }
  }

  #bulkValue(): unknown {
    switch (charCodeAt(this.#text, this.at)) {
      case BULK: {
        const bytes = this.#sized();
        return this.#ascii || bytes === null ? bytes : valueOfBytes(bytes);
      }
      case TEXT:
        return this.#sized();
      case BYTES:
        return bytesToArray(this.#sized() ?? '');
      default:
        throw this.#malformed();
    }
  }

  arrayLength(): number {
    if (charCodeAt(this.#text, this.at) !== ARRAY) throw this.#malformed();
    return this.#number();
  }

  /** Fields that have the names of the shape used last; null (cursor unmoved) when they have not. */
  #fieldsOfShape(known: Shape): Record<string, unknown> | null {
    const start = this.at;
    const { prefixes } = known;
    for (let i = 0; i < prefixes.length; i++) {
      const prefix = prefixes[i] as string;
      if (!startsWith(this.#text, prefix, this.at)) {
        this.at = start;
        return null;
      }
      this.at += prefix.length;
      this.#values[i] = this.#bulkValue();
    }
    return known.make(this.#values);
  }

  #fields(): Record<string, unknown> {
    const count = this.arrayLength();
    if (count < 0) return {};
    const pairs = count >> 1;
    if (this.#shape !== null && this.#shape.prefixes.length === pairs) {
      const record = this.#fieldsOfShape(this.#shape);
      if (record !== null) return record;
    }
    const prefixes = bareList<string>();
    const names = bareList<string>();
    this.#values = bareList();
    for (let i = 0; i < pairs; i++) {
      const start = this.at;
      names[i] = this.#bulkBytes() ?? '';
      prefixes[i] = slice(this.#text, start, this.at);
      this.#values[i] = this.#bulkValue();
    }
    this.#shape = this.#shapes.of(prefixes, names);
    return this.#shape.make(this.#values);
  }

  #line(): string {
    const end = indexOf(this.#text, '\r\n', this.at);
    if (end < 0) throw this.#malformed();
    const content = slice(this.#text, this.at + 1, end);
    this.at = end + 2;
    return content;
  }

  #lineText(): string {
    const content = this.#line();
    const value = this.#ascii ? content : valueOfBytes(content);
    return typeof value === 'string' ? value : content;
  }

  #integer(): number | bigint {
    const content = this.#line();
    const value = toNumber(content);
    return isSafeInteger(value) ? value : toBigInt(content);
  }

  #arrayReply(raw: boolean): unknown[] | null {
    const count = this.#number();
    if (count < 0) return null;
    const items = bareList<unknown>();
    for (let i = 0; i < count; i++) items[i] = this.#value(raw);
    return ordinaryList(items);
  }

  #value(raw: boolean): unknown {
    switch (charCodeAt(this.#text, this.at)) {
      case BULK:
      case TEXT:
      case BYTES: {
        if (!raw) return this.#bulkValue();
        const bytes = this.#bulkBytes();
        return bytes === null ? null : bytesToArray(bytes);
      }
      case INTEGER:
        return this.#integer();
      case SIMPLE:
      case ERROR:
        return this.#lineText();
      case ARRAY:
        return this.#arrayReply(raw);
      default:
        throw this.#malformed();
    }
  }

  open(text: string, at: number, ascii: boolean): void {
    this.#text = text;
    this.at = at;
    this.#ascii = ascii;
  }

  streamRecord(key: string | Uint8Array): StreamRecord {
    if (this.arrayLength() !== 2) throw this.#malformed();
    const id = this.#bulkBytes() ?? '';
    return { key, id, value: this.#fields() };
  }

  keyRecord(): KeyRecord {
    const count = this.arrayLength();
    const key = this.#bulkValue();
    const event = this.#bulkBytes() ?? '';
    this.lastCommand = charCodeAt(this.#text, this.at) === ARRAY ? this.commandRecord() : this.#noCommand();
    if (count < 4) return { key, event };
    const type = this.#bulkBytes() ?? 'empty';
    if (count < 5) return { key, type, event };
    const value = type === 'hash' && charCodeAt(this.#text, this.at) === ARRAY ? this.#fields() : this.#value(false);
    return { key, value, type, event };
  }

  #noCommand(): null {
    this.#bulkBytes();
    return null;
  }

  commandRecord(): unknown[] {
    const count = this.arrayLength();
    const args = bareList<unknown>();
    for (let i = 0; i < count; i++) args[i] = this.#bulkValue();
    return ordinaryList(args);
  }

  isArray(): boolean {
    return charCodeAt(this.#text, this.at) === ARRAY;
  }

  isNil(): boolean {
    return charCodeAt(this.#text, this.at + 1) === MINUS && charCodeAt(this.#text, this.at) !== INTEGER;
  }

  startsWith(part: string): boolean {
    return startsWith(this.#text, part, this.at);
  }

  bytes(): string | null {
    return this.#bulkBytes();
  }

  fields(): Record<string, unknown> {
    return this.#fields();
  }

  reply(raw: boolean): unknown {
    if (charCodeAt(this.#text, this.at) === ERROR) {
      this.lastError = this.#lineText();
      return undefined;
    }
    this.lastError = null;
    return this.#value(raw);
  }
}
