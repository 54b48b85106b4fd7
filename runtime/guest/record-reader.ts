import { guestError } from './errors.ts';
import type { KeyedRecord } from './plan.ts';
import {
  bareList,
  charCodeAt,
  indexOf,
  mapSet,
  NativeDate,
  NativeMap,
  NativeSet,
  ordinaryList,
  setAdd,
  slice,
  startsWith,
  toBigInt,
  toNumber,
} from './primordials.ts';
import { createShapes, type Shape } from './record-shape.ts';
import { Verbatim } from './stringify.ts';
import { bytesToArray, valueOfBytes } from './text.ts';

const KEY = 107;

/** The names of an object as text, with which it begins, and how many they are. */
interface Head {
  readonly text: string;
  readonly count: number;
  readonly shape: Shape;
}

export interface RecordReader {
  /** The record of a text that `RecordWriter` made. */
  read(text: string): KeyedRecord;
}

/** Reads what record-writer.ts writes; the format is described there. */
export function createRecordReader(): RecordReader {
  return new TextReader();
}

class TextReader implements RecordReader {
  readonly #shapes = createShapes();
  #text = '';
  #at = 0;
  #depth = 0;
  /** Of the object read last at each depth. */
  readonly #heads = bareList<Head | undefined>();
  readonly #values = bareList<unknown[]>();

  read(text: string): KeyedRecord {
    this.#text = text;
    this.#at = 0;
    this.#depth = 0;
    const key = charCodeAt(text, 0) === KEY ? this.#utf8() : null;
    return { key, value: this.#value() };
  }

  #malformed(): Error {
    return guestError('GUEST_ERROR', 'The platform sent a record that this version of the runtime did not write.');
  }

  /** What stands between the tag and `end`; leaves the cursor behind it. */
  #until(end: string): string {
    const found = indexOf(this.#text, end, this.#at);
    if (found < 0) throw this.#malformed();
    const text = slice(this.#text, this.#at + 1, found);
    this.#at = found + 1;
    return text;
  }

  #sized(): string {
    const length = toNumber(this.#until(':'));
    const start = this.#at;
    this.#at = start + length;
    return slice(this.#text, start, this.#at);
  }

  #utf8(): string {
    const bytes = this.#sized();
    const value = valueOfBytes(bytes);
    return typeof value === 'string' ? value : bytes;
  }

  #value(): unknown {
    const tag = this.#text[this.#at];
    switch (tag) {
      case 'n':
      case 'u':
      case 't':
      case 'f':
        this.#at++;
        return this.#constant(tag);
      case 'd':
        return toNumber(this.#until(';'));
      case 'a':
        return this.#sized();
      case 's':
        return this.#utf8();
      case 'l':
        return ordinaryList(this.#items(1));
      case 'o':
        return this.#object();
      default:
        return this.#special(tag);
    }
  }

  #constant(tag: string): unknown {
    if (tag === 't' || tag === 'f') return tag === 't';
    return tag === 'n' ? null : undefined;
  }

  #special(tag: string | undefined): unknown {
    switch (tag) {
      case 'b':
        return toBigInt(this.#until(';'));
      case 'y':
        return bytesToArray(this.#sized());
      case 'v':
        return new Verbatim(this.#sized());
      case 'D':
        return new NativeDate(toNumber(this.#until(';')));
      case 'S':
        return this.#set();
      case 'M':
        return this.#map();
      default:
        throw this.#malformed();
    }
  }

  #items(perElement: number): unknown[] {
    const count = toNumber(this.#until(';')) * perElement;
    const items = bareList<unknown>();
    this.#depth++;
    for (let i = 0; i < count; i++) items[i] = this.#value();
    this.#depth--;
    return items;
  }

  #set(): unknown {
    const set = new NativeSet<unknown>();
    const items = this.#items(1);
    for (let i = 0; i < items.length; i++) setAdd(set, items[i]);
    return set;
  }

  #map(): unknown {
    const map = new NativeMap<unknown, unknown>();
    const items = this.#items(2);
    for (let i = 0; i < items.length; i += 2) mapSet(map, items[i], items[i + 1]);
    return map;
  }

  #head(): Head {
    const start = this.#at;
    const count = toNumber(this.#until(';'));
    const prefixes = bareList<string>();
    const names = bareList<string>();
    for (let i = 0; i < count; i++) {
      const from = this.#at;
      // The length of a name has no tag before it.
      this.#at--;
      names[i] = this.#sized();
      prefixes[i] = slice(this.#text, from, this.#at);
    }
    return { text: slice(this.#text, start, this.#at), count, shape: this.#shapes.of(prefixes, names) };
  }

  #object(): unknown {
    const depth = this.#depth;
    let head = this.#heads[depth];
    if (head !== undefined && startsWith(this.#text, head.text, this.#at)) this.#at += head.text.length;
    else {
      head = this.#head();
      this.#heads[depth] = head;
    }
    let values = this.#values[depth];
    if (values === undefined) {
      values = bareList<unknown>();
      this.#values[depth] = values;
    }
    this.#depth = depth + 1;
    for (let i = 0; i < head.count; i++) values[i] = this.#value();
    this.#depth = depth;
    return head.shape.make(values);
  }
}
