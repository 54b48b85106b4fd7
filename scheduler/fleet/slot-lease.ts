import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { defineScript } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import { elapsedAtMost, type FleetClock, type Instant, instantOf } from './clock.ts';
import { encodeRecord, type FleetView, leaseHead, parseView, type StoredRecord } from './fleet-view.ts';

/** What a renewal found: ours, free and taken again, or somebody else's. */
export type Renewal = 'renewed' | 'taken-again' | 'lost';

/** The lease of one slot: the random token in its key says that it is ours. */
export interface SlotLease {
  readonly slot: number;
  readonly token: string;
  /** Takes a slot under a new token. */
  take(facts: Omit<StoredRecord, 'token'>): Promise<void>;
  /** Renews the heartbeat and looks at all slots in one round trip. */
  renew(facts: Omit<StoredRecord, 'token'>): Promise<{ readonly renewal: Renewal; readonly view: FleetView }>;
  /** True while no other node can have found the slot expired, by our own clock. */
  holds(): boolean;
  /** Gives the slot up; `holds` is false from the call on. */
  leave(): Promise<void>;
}

export interface SlotLeaseOptions {
  readonly client: Redis | Cluster;
  readonly keys: SchedulerKeys;
  readonly lifeMs: number;
  readonly clock: FleetClock;
}

const RENEWALS: Readonly<Record<number, Renewal>> = { 0: 'lost', 1: 'renewed', 2: 'taken-again' };

/** Begin of every slot key. */
export function slotPrefix(keys: SchedulerKeys): string {
  return keys.slot(0).slice(0, -1);
}

export function createSlotLease(options: SlotLeaseOptions): SlotLease {
  const { client, keys, lifeMs, clock } = options;
  const leaseScript = defineScript('lease-slot', new URL('./scripts/lease-slot.lua', import.meta.url));
  const renewScript = defineScript('renew-slot', new URL('./scripts/renew-slot.lua', import.meta.url));
  const leaveScript = defineScript('leave-slot', new URL('./scripts/leave-slot.lua', import.meta.url));
  const prefix = slotPrefix(keys);
  let slot = -1;
  let token = '';
  /** When the last successful renewal was sent: the server's timer began later than that. */
  let renewedAt: Instant | null = null;
  return {
    get slot() {
      return slot;
    },
    get token() {
      return token;
    },
    async take(facts) {
      token = randomBytes(12).toString('hex');
      const sentAt = instantOf(clock);
      const record = encodeRecord({ token, ...facts });
      slot = Number(await leaseScript.run(client, [keys.slots], [prefix, record, lifeMs]));
      renewedAt = sentAt;
    },
    async renew(facts) {
      const sentAt = instantOf(clock);
      const args = [prefix, encodeRecord({ token, ...facts }), lifeMs, slot, leaseHead(token).length];
      const reply = (await renewScript.run(client, [keys.slots, keys.slot(slot)], args)) as unknown[];
      const renewal = RENEWALS[Number(reply[0])] ?? 'lost';
      renewedAt = renewal === 'lost' ? null : sentAt;
      return { renewal, view: parseView(reply.slice(1), slot) };
    },
    holds: () => renewedAt !== null && elapsedAtMost(clock, renewedAt) < lifeMs,
    async leave() {
      renewedAt = null;
      await leaveScript.run(client, [keys.slot(slot)], [leaseHead(token)]);
    },
  };
}
