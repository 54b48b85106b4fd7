import type { RedisAccess } from '#functions';
import type { ConsumerLog, LeaseTable } from './contracts.ts';
import type { Groups } from './group.ts';
import { createLane, isIdle, type Lane, modeOf } from './lane.ts';
import type { LaneReader } from './reader.ts';
import type { Recovery } from './recovery.ts';
import { isLinkLost, pause } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

/** Opens lanes, closes them, and opens them again when something has happened to them. */
export interface Lanes {
  /** The lane of a stream; a new one begins to open. */
  ensure(registration: ConsumedRegistration, stream: string): Lane;
  /** Begins to open it (again). */
  open(lane: Lane): void;
  /** Opens every lane of a registration that has begun to run. */
  start(registration: ConsumedRegistration): void;
  /** Reads of a registration that no longer runs end; resolves when none is left. */
  stop(registration: ConsumedRegistration): Promise<void>;
  /** Tries again what another node reads and what was not there. */
  retryIdle(registration: ConsumedRegistration): void;
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
  return new LaneKeeper(options);
}

class LaneKeeper implements Lanes {
  readonly #options: LanesOptions;
  readonly #gate = createGate(PARALLEL_OPENS);
  /** Lanes that have been opened in this life of the node. */
  readonly #openedBefore = new WeakSet<Lane>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  ensure(registration: ConsumedRegistration, stream: string): Lane {
    const { access } = this.#options;
    const existing = registration.lanes.get(stream);
    if (existing !== undefined) {
      if (existing.state === 'missing') this.open(existing);
      return existing;
    }
    // Names come as slices of large replies.
    const name = Buffer.from(stream, 'latin1').toString('latin1');
    const lane = createLane({ registration, stream: name, shard: access.shardOf(name), tag: access.tagOf(name) });
    registration.lanes.set(name, lane);
    this.open(lane);
    return lane;
  }

  open(lane: Lane): void {
    this.#open(lane).catch((error: unknown) => {
      const facts = { err: error, registration: lane.registration.id, stream: lane.stream };
      if (!isLinkLost(error)) this.#options.log.error(facts, 'a stream could not be opened');
    });
  }

  start(registration: ConsumedRegistration): void {
    for (const lane of registration.lanes.values()) this.open(lane);
  }

  async stop(registration: ConsumedRegistration): Promise<void> {
    const lanes = [...registration.lanes.values()];
    for (const lane of lanes) {
      lane.opening += 1;
      if (lane.state !== 'closed') lane.state = 'opening';
    }
    await this.#options.reader.detach(lanes);
  }

  retryIdle(registration: ConsumedRegistration): void {
    if (!registration.running) return;
    for (const lane of registration.lanes.values()) {
      const isIdle = lane.state === 'leaseless' || (lane.state === 'missing' && !registration.isPrefix);
      if (isIdle) this.open(lane);
    }
  }

  async #open(lane: Lane): Promise<void> {
    const { reader, signal } = this.#options;
    if (lane.state === 'closed' || !lane.registration.running) return;
    lane.state = 'opening';
    lane.hasGroup = false;
    lane.opening += 1;
    const turn = lane.opening;
    const isCurrent = (): boolean => lane.opening === turn && lane.registration.running && lane.state === 'opening';
    await reader.detach([lane]);
    // What a wait that was given up is still served would be overtaken by what comes after it.
    if (modeOf(lane) === 'sync') await pause(Math.max(0, lane.unsureUntilMs - performance.now()), signal);
    await this.#gate.enter();
    try {
      while (isCurrent() && !(await this.#tryOpen(lane, isCurrent))) await pause(FAILED_PAUSE_MS, signal);
    } finally {
      this.#gate.leave();
    }
  }

  /** False = try again. */
  async #tryOpen(lane: Lane, isCurrent: () => boolean): Promise<boolean> {
    try {
      if (!(await this.#holdsLease(lane))) {
        if (isCurrent()) lane.state = 'leaseless';
      } else if (isCurrent()) await this.#openGroup(lane, isCurrent);
      return true;
    } catch (error) {
      if (isLinkLost(error)) throw error;
      const facts = { err: error, registration: lane.registration.id, stream: lane.stream };
      this.#options.log.warn(facts, 'a stream could not be opened');
      return false;
    }
  }

  /** Mode `sync` needs the lease, the others do not. */
  async #holdsLease(lane: Lane): Promise<boolean> {
    if (modeOf(lane) !== 'sync') {
      lane.holdsLease = false;
      return true;
    }
    lane.holdsLease = await this.#options.leases.acquire(lane.registration.id, lane.stream);
    lane.yielding &&= lane.holdsLease;
    return lane.holdsLease;
  }

  async #openGroup(lane: Lane, isCurrent: () => boolean): Promise<void> {
    const { access, groups, recovery, reader } = this.#options;
    lane.shard = access.shardOf(lane.stream);
    lane.tag = access.tagOf(lane.stream);
    if (performance.now() >= lane.unsureUntilMs) lane.unsureUntilMs = 0;
    const group = await groups.open(lane);
    if (!isCurrent()) return;
    if (group.state === 'missing' || group.state === 'wrongtype') {
      lane.state = 'missing';
      // Streams of a prefix come and go; one that comes again gets a new lane.
      if (lane.registration.isPrefix && isIdle(lane)) lane.registration.lanes.delete(lane.stream);
      return;
    }
    lane.hasGroup = true;
    if (group.pending > 0) await recovery.recoverLane(lane, !this.#openedBefore.has(lane));
    if (!isCurrent()) return;
    this.#openedBefore.add(lane);
    lane.state = 'ready';
    lane.more = true;
    reader.attach(lane);
  }
}

/** Lets so many in at once; the others wait in line. */
function createGate(size: number): { enter(): Promise<void>; leave(): void } {
  let inside = 0;
  const line: (() => void)[] = [];
  return {
    async enter() {
      if (inside >= size) await new Promise<void>((resolve) => line.push(resolve));
      inside += 1;
    },
    leave() {
      inside -= 1;
      line.shift()?.();
    },
  };
}
