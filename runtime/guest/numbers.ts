import { NativeUint32Array, typedArraySet, typedSubarray } from './primordials.ts';

const INITIAL = 16;
/** Up to so many are moved one by one: views of lists cost more. */
const FEW = 32;
/** Of every list that has never held anything: most of a small batch's. */
const NO_ITEMS = new NativeUint32Array(0);
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
  return { items: NO_ITEMS, capacity: 0, length: 0 };
}

/** Makes room for one more. */
export function reserve(list: NumberList): void {
  if (list.length < list.capacity) return;
  const capacity = list.capacity === 0 ? INITIAL : list.capacity * 2;
  const grown = new NativeUint32Array(capacity);
  if (list.length > 0) typedArraySet(grown, list.items);
  list.items = grown;
  list.capacity = capacity;
}

export function append(list: NumberList, value: number): void {
  reserve(list);
  list.items[list.length++] = value;
}

/** Copies the list into `target` and empties it; returns where the next one goes. */
export function moveInto(list: NumberList, target: Uint32Array, at: number): number {
  const { items, length } = list;
  if (length <= FEW) for (let i = 0; i < length; i++) target[at + i] = items[i] as number;
  else typedArraySet(target, typedSubarray(items, 0, length), at);
  list.length = 0;
  if (list.capacity > KEPT) {
    list.items = NO_ITEMS;
    list.capacity = 0;
  }
  return at + length;
}
