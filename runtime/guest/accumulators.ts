import { guestError } from './errors.ts';
import type { Compare, KeyedRecord, Step, UserFunction } from './plan.ts';
import { arraySort, bareList, mapDelete, mapForEach, mapGet, mapSet, NativeMap, ordinaryList } from './primordials.ts';

/** What an accumulator held: values in order; with keyed ones the key of each. */
export interface Drained {
  readonly values: unknown[];
  readonly keys: (string | null)[];
}

/**
 * What a binding step gathers over its records. Records are given one by one: `begin`, and `put` with what that returned, or
 * what its promise came to.
 */
export interface Fold {
  begin(record: KeyedRecord): unknown;
  put(record: KeyedRecord, value: unknown): void;
  /** Something failed with this record: what was gathered so far is lost, of keyed ones that of its key. */
  discard(record: KeyedRecord): void;
  /** Everything gathered; afterwards there is nothing. Nothing gathered, nothing drained. */
  drain(): Drained;
}

interface Cell {
  value: unknown;
}

function keyOf(record: KeyedRecord): string {
  if (record.key !== null) return record.key;
  throw guestError('GUEST_ERROR', 'A keyed step got a record without a key.');
}

/** A value that stands for "nothing yet" is replaced by the seed; only null and undefined do. */
function seeded(value: unknown, step: Step): unknown {
  if (value !== null && value !== undefined) return value;
  return step.seed === null ? null : step.seed();
}

class SingleFold implements Fold {
  readonly #step: Step;
  #filled = false;
  #value: unknown = null;

  constructor(step: Step) {
    this.#step = step;
  }

  begin(record: KeyedRecord): unknown {
    return (this.#step.fn as UserFunction)(seeded(this.#value, this.#step), record.value);
  }

  put(_record: KeyedRecord, value: unknown): void {
    this.#filled = true;
    this.#value = value;
  }

  discard(): void {
    this.#filled = false;
    this.#value = null;
  }

  drain(): Drained {
    const values = bareList<unknown>();
    const keys = bareList<string | null>();
    if (this.#filled) {
      values[0] = this.#value;
      keys[0] = null;
    }
    this.discard();
    return { values, keys };
  }
}

class SortFold implements Fold {
  readonly #compare: Compare;
  #values = bareList<unknown>();

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  begin(): unknown {
    return undefined;
  }

  put(record: KeyedRecord): void {
    this.#values[this.#values.length] = record.value;
  }

  discard(): void {
    this.#values = bareList();
  }

  drain(): Drained {
    const values = this.#values;
    this.discard();
    arraySort(values, this.#compare as never);
    const keys = bareList<string | null>();
    for (let i = 0; i < values.length; i++) keys[i] = null;
    return { values, keys };
  }
}

class KeyedFold implements Fold {
  readonly #step: Step;
  #cells = new NativeMap<string, Cell>();
  #current: Cell | undefined;

  constructor(step: Step) {
    this.#step = step;
  }

  begin(record: KeyedRecord): unknown {
    const key = keyOf(record);
    this.#current = mapGet(this.#cells, key);
    const known = this.#current === undefined ? null : this.#current.value;
    return (this.#step.fn as UserFunction)(key, seeded(known, this.#step), record.value);
  }

  put(record: KeyedRecord, value: unknown): void {
    if (this.#current === undefined) mapSet(this.#cells, keyOf(record), { value });
    else this.#current.value = value;
  }

  discard(record: KeyedRecord): void {
    if (record.key !== null) mapDelete(this.#cells, record.key);
  }

  drain(): Drained {
    const values = bareList<unknown>();
    const keys = bareList<string | null>();
    mapForEach(this.#cells, (cell, key) => {
      keys[keys.length] = key;
      values[values.length] = cell.value;
    });
    this.#cells = new NativeMap();
    this.#current = undefined;
    return { values, keys };
  }
}

class GroupFold implements Fold {
  #lists = new NativeMap<string, unknown[]>();

  begin(): unknown {
    return undefined;
  }

  put(record: KeyedRecord): void {
    const key = keyOf(record);
    let list = mapGet(this.#lists, key);
    if (list === undefined) {
      list = bareList();
      mapSet(this.#lists, key, list);
    }
    list[list.length] = record.value;
  }

  discard(record: KeyedRecord): void {
    if (record.key !== null) mapDelete(this.#lists, record.key);
  }

  drain(): Drained {
    const values = bareList<unknown>();
    const keys = bareList<string | null>();
    mapForEach(this.#lists, (list, key) => {
      keys[keys.length] = key;
      values[values.length] = ordinaryList(list);
    });
    this.#lists = new NativeMap();
    return { values, keys };
  }
}

/** The accumulator of an accumulate, accumulatebykey or group step. */
export function createFold(step: Step): Fold {
  if (step.type === 'group') return new GroupFold();
  if (step.type === 'accumulatebykey') return new KeyedFold(step);
  return step.compare === null ? new SingleFold(step) : new SortFold(step.compare);
}
