import type { NodeRecord } from './fleet.ts';

/** What a slot key holds: slot and consumer follow from the key. The token comes first, scripts compare it as text. */
export interface StoredRecord extends Omit<NodeRecord, 'slot' | 'consumer'> {
  readonly token: string;
}

export interface LiveNode {
  readonly record: NodeRecord;
  readonly token: string;
}

/** All slots as one heartbeat round found them. */
export interface FleetView {
  /** By consumer name. */
  readonly live: ReadonlyMap<string, LiveNode>;
  /** Consumer names whose slot is known and empty. */
  readonly absent: ReadonlySet<string>;
  /** Until the first heartbeat of `live` would expire, ms; Infinity without one. */
  readonly nextExpiryMs: number;
}

export const EMPTY_VIEW: FleetView = { live: new Map(), absent: new Set(), nextExpiryMs: Number.POSITIVE_INFINITY };

export function consumerOf(slot: number): string {
  return `n${slot}`;
}

/** Slot of a consumer name, or null when it is not one of a fleet. */
export function slotOf(consumer: string): number | null {
  return /^n\d{1,9}$/.test(consumer) ? Number(consumer.slice(1)) : null;
}

/** The part of a stored record that names the lease. */
export function leaseHead(token: string): string {
  return `{"token":"${token}",`;
}

export function encodeRecord(record: StoredRecord): string {
  const { token, ...rest } = record;
  return leaseHead(token) + JSON.stringify(rest).slice(1);
}

/**
 * Reads `[slot, record or nil, remaining ms, …]`.
 * @param except slot whose expiry does not count: one's own.
 */
export function parseView(reply: readonly unknown[], except = -1): FleetView {
  const live = new Map<string, LiveNode>();
  const absent = new Set<string>();
  let nextExpiryMs = Number.POSITIVE_INFINITY;
  for (let at = 0; at + 2 < reply.length; at += 3) {
    const slot = Number(reply[at]);
    const stored = parseRecord(reply[at + 1]);
    if (stored === null) {
      absent.add(consumerOf(slot));
      continue;
    }
    const { token, ...facts } = stored;
    live.set(consumerOf(slot), { token, record: { ...facts, slot, consumer: consumerOf(slot) } });
    const remainingMs = Number(reply[at + 2]);
    if (slot !== except && remainingMs >= 0) nextExpiryMs = Math.min(nextExpiryMs, remainingMs);
  }
  return { live, absent, nextExpiryMs };
}

function parseRecord(text: unknown): StoredRecord | null {
  return typeof text === 'string' ? (JSON.parse(text) as StoredRecord) : null;
}
