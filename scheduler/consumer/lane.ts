import type { DeliveryMode, Shard } from '#functions';
import type { ClaimedBatch } from './batch.ts';
import { type ConsumedRegistration, deliveryModeOf } from './registration.ts';

/**
 * One stream of one registration. `opening` until lease, group and own pending entries are dealt with, `ready` while it may
 * be read; `leaseless`: another node reads it (mode `sync`); `missing`: no stream under this name now; `closed`: never again.
 */
export type LaneState = 'opening' | 'ready' | 'leaseless' | 'missing' | 'closed';

export interface Lane {
  readonly registration: ConsumedRegistration;
  /** Key, latin1. */
  readonly stream: string;
  shard: Shard;
  /** Hash tag of platform keys that share the stream's slot. */
  tag: string;
  state: LaneState;
  /** Counts openings, so that an older one notices that it is out of date. */
  opening: number;
  /** The group is there: what is written from now on will be delivered. */
  hasGroup: boolean;
  holdsLease: boolean;
  /** Given back to another node: nothing new is read, what was read is run to its end. */
  yielding: boolean;
  /** Mode `sync`: read, not yet in work, in order. */
  backlog: ClaimedBatch[];
  /** Batches in the sandbox. */
  readonly runs: Set<LaneRun>;
  /** Ids waiting for a retry. */
  readonly waiting: Set<string>;
  /** Those of them whose time has come; their claim is under way, or could not be had. */
  due: number;
  /** Ids a claim is under way for, and when that is over. */
  readonly claimed: Map<string, Promise<void>>;
  /** Ids held back until their batch is complete, there are tokens or room for it, or its version is loaded. */
  readonly held: Set<string>;
  /** Entries read and neither ended nor waiting. */
  load: number;
  /** Mode `sync`: an entry waits for its retry, the stream stands still. */
  parked: boolean;
  /** Mode `async`: entries in the queue that were read here, as far as known. */
  queued: number;
  /** Reads under way that cover this lane. */
  reading: number;
  /** The last read brought all it asked for: there is more. */
  more: boolean;
  /**
   * Until then (`performance.now()`) entries may come to lie pending under our name without our knowing: a connection was
   * given up whose wait Redis may still serve. When it is over the lane is opened again. 0 = there is no doubt.
   */
  unsureUntilMs: number;
  /** Newest id settled by this node. */
  settledId: string;
  /** When a read last brought an answer, or none was wanted (`performance.now()`). */
  lastReadAtMs: number;
  /** Mode `sync`: a batch has left the backlog and waits for its version to be loaded. */
  starting: boolean;
  /** Mode `sync`: nothing of the stream starts before this time, after repeated interruptions. */
  restUntilMs: number;
}

/** What the lane has to know of a run. */
export interface LaneRun {
  readonly batch: ClaimedBatch;
  readonly startedAtMs: number;
  renewedAtMs: number;
  readonly controller: AbortController;
}

interface LaneOptions {
  readonly registration: ConsumedRegistration;
  readonly stream: string;
  readonly shard: Shard;
  readonly tag: string;
}

export function createLane({ registration, stream, shard, tag }: LaneOptions): Lane {
  return {
    registration,
    stream,
    shard,
    tag,
    state: 'opening',
    opening: 0,
    hasGroup: false,
    holdsLease: false,
    yielding: false,
    backlog: [],
    runs: new Set(),
    waiting: new Set(),
    due: 0,
    claimed: new Map(),
    held: new Set(),
    load: 0,
    parked: false,
    queued: 0,
    reading: 0,
    more: false,
    unsureUntilMs: 0,
    settledId: '',
    lastReadAtMs: performance.now(),
    starting: false,
    restUntilMs: 0,
  };
}

export function modeOf(lane: Lane): DeliveryMode {
  return deliveryModeOf(lane.registration.active.spec);
}

/** Entries of the lane come in hand (positive) or leave it (negative). */
export function addLoad(lane: Lane, entries: number): void {
  lane.load += entries;
  if (!lane.parked) lane.registration.load += entries;
}

/** For so long entries may become pending under our name that nobody here is told of. */
export function doubt(lane: Lane, forMs: number): void {
  lane.unsureUntilMs = Math.max(lane.unsureUntilMs, performance.now() + forMs);
  lane.registration.doubted.add(lane);
}

/** A parked lane's entries do not count, so that streams that stand still never hold up the others. */
export function setParked(lane: Lane, parked: boolean): void {
  if (lane.parked === parked) return;
  lane.parked = parked;
  lane.registration.load += parked ? -lane.load : lane.load;
}

/** Everything of the lane this node has in hand or waits for: what a pass over the pending list must leave alone. */
function knownIds(lane: Lane): ReadonlySet<string> {
  const known = new Set<string>(lane.waiting);
  for (const id of lane.claimed.keys()) known.add(id);
  for (const id of lane.held) known.add(id);
  for (const batch of lane.backlog) for (const id of batch.ids) known.add(id);
  for (const run of lane.runs) for (const id of run.batch.ids) known.add(id);
  return known;
}

/**
 * Those of the ids that nobody here has in hand, when no claim of any of them is under way any more: a claim that is may come
 * back without them. Whoever claims some of them has to do so in the same breath.
 */
export async function unknownIds(lane: Lane, ids: readonly string[]): Promise<readonly string[]> {
  for (;;) {
    const underWay = new Set<Promise<void>>();
    for (const id of ids) {
      const claim = lane.claimed.get(id);
      if (claim !== undefined) underWay.add(claim);
    }
    if (underWay.size === 0) break;
    await Promise.all(underWay);
  }
  const known = knownIds(lane);
  return ids.filter((id) => !known.has(id));
}

/** Entries are in hand and neither in the backlog nor in the sandbox. */
export function hold(lane: Lane, ids: readonly string[]): void {
  for (const id of ids) lane.held.add(id);
}

/** To be called by whoever takes them in hand, in the same breath: a look in between would take them for lost. */
export function letGo(lane: Lane, ids: readonly string[]): void {
  for (const id of ids) lane.held.delete(id);
}

/** True when nothing of the lane is in hand, waits or is being read. */
export function isIdle(lane: Lane): boolean {
  const { runs, backlog, waiting, held } = lane;
  return runs.size === 0 && backlog.length === 0 && waiting.size === 0 && held.size === 0 && lane.reading === 0;
}

/** Suffix of the consumer name under which the entries of a queue job run. */
const WORK_SUFFIX = '~work';

export function workName(consumer: string): string {
  return consumer + WORK_SUFFIX;
}

/** The node's consumer name behind a name that may be a work name. */
export function nodeNameOf(consumer: string): string {
  return consumer.endsWith(WORK_SUFFIX) ? consumer.slice(0, -WORK_SUFFIX.length) : consumer;
}
