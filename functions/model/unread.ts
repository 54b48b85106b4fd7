import { compareEntryIds, ZERO_ENTRY_ID } from './entry-id.ts';

/** How many entries of a stream a consumer group has not read yet. */
export interface Unread {
  /** Never less than there are. */
  readonly atMost: number;
  /** True when there are exactly so many. */
  readonly exact: boolean;
}

type Fields = ReadonlyMap<unknown, unknown>;

/**
 * Out of the fields of XINFO STREAM and of the group's row in XINFO GROUPS; null when either is missing. Redis' own `lag` is not
 * taken at its word: it is nil after a restart or a deletion, and too high on some servers after those or a trim. Where
 * the group stands before the first or behind the last entry the number is exact; in between it is a bound.
 */
export function unreadEntries(stream: Fields, group: Fields): Unread | null {
  const length = stream.get('length');
  const position = group.get('last-delivered-id');
  if (typeof length !== 'number' || typeof position !== 'string') return null;
  const first = entryIdOf(stream.get('first-entry'));
  const last = entryIdOf(stream.get('last-entry'));
  if (length === 0 || compareEntryIds(position, last) >= 0) return { atMost: 0, exact: true };
  if (compareEntryIds(position, first) < 0) return { atMost: length, exact: true };
  // At least the first has been read, and at least the last has not.
  const lag = group.get('lag');
  const atMost = typeof lag === 'number' ? Math.min(lag, length - 1) : length - 1;
  return { atMost: Math.max(1, atMost), exact: false };
}

function entryIdOf(entry: unknown): string {
  return Array.isArray(entry) ? String(entry[0]) : ZERO_ENTRY_ID;
}
