import { NativeUint32Array, typedArraySet, typedSubarray } from './primordials.ts';

const INITIAL = 16;
/** Larger lists are given back once they are empty. */
const KEPT = 4_096;

/** A growing list of u32. Fields are open so that the hot path can append without a call that might overflow the stack. */
export interface NumberList {
  items: Uint32Array;
  /** Of `items`, kept here because `length` of a typed array is a getter that user code can replace. */
  capacity: number;
  length: number;
}

export function createNumberList(): NumberList {
  return { items: new NativeUint32Array(INITIAL), capacity: INITIAL, length: 0 };
}

/** Makes room for one more. */
export function reserve(list: NumberList): void {
  if (list.length < list.capacity) return;
  list.capacity *= 2;
  const grown = new NativeUint32Array(list.capacity);
  typedArraySet(grown, list.items);
  list.items = grown;
}

export function append(list: NumberList, value: number): void {
  reserve(list);
  list.items[list.length++] = value;
}

/** Copies the list into `target` and empties it; returns where the next one goes. */
export function moveInto(list: NumberList, target: Uint32Array, at: number): number {
  typedArraySet(target, typedSubarray(list.items, 0, list.length), at);
  const end = at + list.length;
  list.length = 0;
  if (list.capacity > KEPT) {
    list.items = new NativeUint32Array(INITIAL);
    list.capacity = INITIAL;
  }
  return end;
}
