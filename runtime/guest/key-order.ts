import { showValue } from './describe.ts';
import { guestError } from './errors.ts';
import { isFiniteNumber, NativeSet, setAdd, setHas, toText } from './primordials.ts';

/** Of a batch in which order is kept per key. Records begin in order; one whose key is in work holds up what is behind it. */
export interface KeyOrder<Piece> {
  /** Keys of records that have begun and not ended; null until there was one. */
  inWork: Set<unknown> | null;
  /** The record that waits until its key is free. */
  heldBack: { readonly piece: Piece; readonly key: string } | null;
  /** An entry has failed, or was given up: of its key nothing may begin. */
  hasFailed: boolean;
}

export function createKeyOrder<Piece>(): KeyOrder<Piece> {
  return { inWork: null, heldBack: null, hasFailed: false };
}

export function isInWork(order: KeyOrder<unknown>, key: string): boolean {
  return order.inWork !== null && setHas(order.inWork, key);
}

export function takeKey(order: KeyOrder<unknown>, key: string): void {
  order.inWork ??= new NativeSet();
  setAdd(order.inWork, key);
}

/** Key of a record as a text, of what the `key` callback gave. Throws GUEST_ARGUMENT for what names nothing. */
export function orderKeyOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (isFiniteNumber(value) || typeof value === 'bigint' || typeof value === 'boolean') return toText(value);
  throw guestError('GUEST_ARGUMENT', `key must give a text or a number, not ${showValue(value)}.`, 'type');
}
