/**
 * The word all parts of the scheduler share: a delivery is a batch of entries of one stream, claimed for one registration
 * by this node, and the way to settle it.
 */

/** Where the entries of a delivery came from. */
export type DeliveryOrigin = 'new' | 'own-pending' | 'retry' | 'takeover' | 'queue';

export interface Delivery {
  readonly registrationId: string;
  /** Stream key, latin1. */
  readonly stream: string;
  readonly origin: DeliveryOrigin;
  /** Entry ids in the order of the payload. */
  readonly ids: readonly string[];
  /** One RESP array of entries `[[id, [field, value, …]], …]`, latin1. */
  readonly payload: string;
  /** How often each entry has been delivered, this time included; null = all for the first time. */
  readonly attempts: readonly number[] | null;
}

/** The four ends of an entry. Their sum is what was read. */
export const ENTRY_ENDS = ['done', 'filtered', 'dead', 'expired'] as const;
export type EntryEnd = (typeof ENTRY_ENDS)[number];

/** How many entries have come to which end. */
export type EndCounts = Readonly<Record<EntryEnd, number>>;

/** An entry given up on, as it is kept in the dead-letter stream. */
export interface DeadLetter {
  readonly entryId: string;
  readonly stream: string;
  readonly registrationId: string;
  readonly functionName: string;
  readonly version: number;
  readonly attempts: number;
  readonly reason: 'attempts' | 'policy' | 'quarantine' | 'lost_to_trim';
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly errorStack: string;
  /** RESP array of the entry's fields and values, latin1. */
  readonly payload: string;
  readonly diedAtMs: number;
}
