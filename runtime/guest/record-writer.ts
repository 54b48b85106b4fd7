import { bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import { type Budget, spend } from './json.ts';
import type { KeyedRecord } from './plan.ts';
import {
  bareList,
  dateGetTime,
  getPrototypeOf,
  isArray,
  mapForEach,
  NativeError,
  ownKeys,
  plainPrototype,
  setForEach,
  toText,
} from './primordials.ts';
import { Verbatim } from './stringify.ts';
import { bytesOfString, isAscii } from './text.ts';

/**
 * Records on their way from one stage to the next, as latin1 text that only the guest runtime reads. A record is its key, if it
 * has one (`k<length>:bytes`), and a value:
 * `n` null, `u` undefined, `t`, `f`, `d<number>;`, `b<bigint>;`, `a<length>:ascii`, `s<length>:utf8`, `y<length>:bytes`,
 * `D<ms>;` a date, `v<length>:` text of convertToStr, `l<count>;` and the items, `S<count>;` and the members, `M<count>;`
 * and keys and values in turn, `o<count>;`, all names (`<length>:utf8`), then all values.
 */
const MAX_DEPTH = 200;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function sized(tag: string, bytes: string): string {
  return `${tag}${bytes.length}:${bytes}`;
}

export interface RecordWriter {
  /** Text of a record. Throws for what cannot travel, with the path, and LIMIT_OUTPUT. */
  write(record: KeyedRecord, budget: Budget): string;
}

export function createRecordWriter(): RecordWriter {
  return new TextWriter();
}

class TextWriter implements RecordWriter {
  #budget: Budget = { left: 0, limit: 0 };
  #depth = 0;
  /** Names and positions on the way to the value at hand. */
  readonly #path = bareList<string | number>();

  write(record: KeyedRecord, budget: Budget): string {
    this.#budget = budget;
    this.#depth = 0;
    const value = this.#value(record.value);
    if (record.key === null) return value;
    const key = sized('k', bytesOfString(record.key));
    spend(budget, key.length);
    return key + value;
  }

  #refuse(what: string): Error {
    let path = 'The record';
    for (let i = 0; i < this.#depth; i++) {
      const step = this.#path[i];
      path += typeof step === 'number' ? `[${step}]` : `.${step as string}`;
    }
    return guestError('GUEST_ERROR', `${path} is ${what}, which cannot go on to the next stage of a run.`, 'type');
  }

  #string(text: string): string {
    spend(this.#budget, text.length + 4);
    return isAscii(text) ? sized('a', text) : sized('s', bytesOfString(text));
  }

  #number(value: number): string {
    // Minus zero would lose its sign.
    return value === 0 && 1 / value < 0 ? 'd-0;' : `d${toText(value)};`;
  }

  #value(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        spend(this.#budget, 8);
        return this.#number(value);
      case 'boolean':
        spend(this.#budget, 1);
        return value ? 't' : 'f';
      case 'bigint': {
        const text = `b${toText(value)};`;
        spend(this.#budget, text.length);
        return text;
      }
      case 'object':
        spend(this.#budget, 4);
        return value === null ? 'n' : this.#object(value);
      case 'undefined':
        spend(this.#budget, 1);
        return 'u';
      default:
        throw this.#refuse(`a ${typeof value}`);
    }
  }

  #object(value: object): string {
    if (this.#depth >= MAX_DEPTH) throw this.#refuse(`nested deeper than ${MAX_DEPTH} levels, or within itself,`);
    if (isArray(value)) return this.#list('l', value);
    const prototype = getPrototypeOf(value) as object | null;
    if (prototype === plainPrototype || prototype === null) return this.#properties(value, ownKeys(value));
    if (prototype === Verbatim.prototype) return this.#sized('v', (value as Verbatim).bytes);
    return this.#special(value);
  }

  #sized(tag: string, bytes: string): string {
    spend(this.#budget, bytes.length);
    return sized(tag, bytes);
  }

  #special(value: object): string {
    const bytes = bytesOfBinary(value);
    if (bytes !== undefined) return this.#sized('y', bytes);
    const time = attempt(() => dateGetTime(value as Date));
    if (time !== undefined) return `D${toText(time)};`;
    const members = bareList<unknown>();
    const isSet = attempt(() => {
      setForEach(value as Set<unknown>, (item) => {
        members[members.length] = item;
      });
      return true;
    });
    if (isSet === true) return this.#list('S', members);
    const isMap = attempt(() => {
      mapForEach(value as Map<unknown, unknown>, (item, key) => {
        members[members.length] = key;
        members[members.length] = item;
      });
      return true;
    });
    if (isMap === true) return this.#list('M', members);
    if (typeof (value as { then?: unknown }).then === 'function') throw this.#refuse('a promise (await it)');
    return this.#properties(value, value instanceof NativeError ? ['name', 'message'] : ownKeys(value));
  }

  #list(tag: string, items: readonly unknown[]): string {
    const { length } = items;
    let text = `${tag}${tag === 'M' ? length / 2 : length};`;
    const depth = this.#depth++;
    for (let i = 0; i < length; i++) {
      this.#path[depth] = i;
      text += this.#value(items[i]);
    }
    this.#depth = depth;
    return text;
  }

  #properties(value: object, names: readonly string[]): string {
    let head = `o${names.length};`;
    let text = '';
    const depth = this.#depth++;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      this.#path[depth] = name;
      head += sized('', bytesOfString(name));
      text += this.#value((value as Record<string, unknown>)[name]);
    }
    this.#depth = depth;
    spend(this.#budget, head.length);
    return head + text;
  }
}
