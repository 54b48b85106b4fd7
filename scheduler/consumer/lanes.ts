import type { RedisAccess } from '#functions';
import type { ConsumerLog, LeaseTable } from './contracts.ts';
import type { Groups } from './group.ts';
import { createLane, isIdle, type Lane, modeOf } from './lane.ts';
import type { LaneReader } from './reader.ts';
import { isLinkLost, pause } from './redis-calls.ts';
import type { Recovery } from './recovery.ts';
import type { ConsumedRegistration } from './registration.ts';

/** Opens lanes, closes them, and opens them again when something has happened to them. */
export interface Lanes {
  /** The lane of a stream; a new one begins to open. */
  ensure(registration: ConsumedRegistration, stream: string): Lane;
  /** Opens (again). Resolves when the lane is ready or cannot be for now. */
  open(lane: Lane): Promise<void>;
  /** Opens every lane of a registration that has begun to run. */
  start(registration: ConsumedRegistration): Promise<void>;
  /** Reads of a registration that no longer runs end; resolves when none is left. */
  stop(registration: ConsumedRegistration): Promise<void>;
  /** Tries again what another node reads and what was not there. */
  retryIdle(registrations: Iterable<ConsumedRegistration>): void;
}

export interface LanesOptions {
  readonly access: RedisAccess;
  readonly groups: Groups;
  readonly leases: LeaseTable;
  readonly reader: LaneReader;
  readonly recovery: Recovery;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

const PARALLEL_OPENS = 128;
const FAILED_PAUSE_MS = 250;

export function createLanes(options: LanesOptions): Lanes {
  const { access, groups, leases, reader, recovery, log, signal } = options;
  let opening = 0;
  const waiting: (() => void)[] = [];
  /** Lanes that have been opened in this life of the node. */
  const openedBefore = new WeakSet<Lane>();

  async function open(lane: Lane): Promise<void> {
    if (lane.state === 'closed' || !lane.registration.running) return;
    lane.state = 'opening';
    lane.opening += 1;
    const turn = lane.opening;
    const isCurrent = (): boolean => lane.opening === turn && lane.registration.running && lane.state === 'opening';
    await reader.detach([lane]);
    if (opening >= PARALLEL_OPENS) await new Promise<void>((resolve) => waiting.push(resolve));
    opening += 1;
    try {
      while (isCurrent() && !(await tryOpen(lane, isCurrent))) await pause(FAILED_PAUSE_MS, signal);
    } catch (error) {
      if (!isLinkLost(error)) throw error;
    } finally {
      opening -= 1;
      waiting.shift()?.();
    }
  }

  /** False = try again. */
  async function tryOpen(lane: Lane, isCurrent: () => boolean): Promise<boolean> {
    try {
      await openOnce(lane, isCurrent);
      return true;
    } catch (error) {
      if (isLinkLost(error)) throw error;
      log.warn({ err: error, registration: lane.registration.id, stream: lane.stream }, 'a stream could not be opened');
      return false;
    }
  }

  async function openOnce(lane: Lane, isCurrent: () => boolean): Promise<void> {
    const shard = access.shardOf(lane.stream);
    if (shard.id !== lane.shard.id) {
      lane.shard = shard;
      lane.tag = access.tagOf(lane.stream);
    }
    const sync = modeOf(lane) === 'sync';
    lane.holdsLease = sync && (await leases.acquire(lane.registration.id, lane.stream));
    if (!isCurrent()) return;
    if (sync && !lane.holdsLease) {
      lane.state = 'leaseless';
      return;
    }
    const group = await groups.open(lane);
    if (!isCurrent()) return;
    if (group.state === 'missing' || group.state === 'wrongtype') {
      lane.state = 'missing';
      // Streams of a prefix come and go; one that comes again gets a new lane.
      if (lane.registration.isPrefix && isIdle(lane)) lane.registration.lanes.delete(lane.stream);
      return;
    }
    if (group.pending > 0) await recovery.recoverLane(lane, !openedBefore.has(lane));
    if (!isCurrent()) return;
    openedBefore.add(lane);
    lane.state = 'ready';
    lane.more = true;
    reader.attach(lane);
  }

  function openInBackground(lane: Lane): void {
    open(lane).catch((error: unknown) =>
      log.error({ err: error, stream: lane.stream }, 'a stream could not be opened'),
    );
  }

  return {
    open,
    ensure(registration, stream) {
      const existing = registration.lanes.get(stream);
      if (existing !== undefined) {
        if (existing.state === 'missing') openInBackground(existing);
        return existing;
      }
      // Names come as slices of large replies.
      const name = Buffer.from(stream, 'latin1').toString('latin1');
      const lane = createLane({ registration, stream: name, shard: access.shardOf(name), tag: access.tagOf(name) });
      registration.lanes.set(name, lane);
      openInBackground(lane);
      return lane;
    },
    async start(registration) {
      await Promise.all([...registration.lanes.values()].map(open));
    },
    async stop(registration) {
      const lanes = [...registration.lanes.values()];
      for (const lane of lanes) {
        lane.opening += 1;
        if (lane.state !== 'closed') lane.state = 'opening';
      }
      await reader.detach(lanes);
    },
    retryIdle(registrations) {
      for (const registration of registrations) {
        if (!registration.running) continue;
        for (const lane of registration.lanes.values()) {
          if (lane.state === 'leaseless') openInBackground(lane);
          else if (lane.state === 'missing' && !registration.isPrefix) openInBackground(lane);
        }
      }
    },
  };
}
