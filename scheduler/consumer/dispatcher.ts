import { compareEntryIds, type LoadableVersion } from '#functions';
import { type Admission, admitAll, isRated } from './admission.ts';
import { apart, type ClaimedBatch, entriesOf } from './batch.ts';
import type { Claimer } from './claimer.ts';
import type { ConsumerLog, NodeIdentity } from './contracts.ts';
import { createGate, type Gate } from './gate.ts';
import { createGather } from './gather.ts';
import { addLoad, doubt, hold, type Lane, letGo, modeOf, setParked, workName } from './lane.ts';
import type { ConsumedRegistration } from './registration.ts';
import type { DueEntries, Retries } from './retries.ts';
import type { Runner, RunRequest } from './runner.ts';
import { screenBatch } from './screen.ts';
import type { Ends, Settler } from './settler.ts';
import { createStarter, leaveRoom } from './starter.ts';

/** Decides when what was read runs, as the mode says. */
export interface Dispatcher {
  /** New entries, as read. */
  offer(lane: Lane, batch: ClaimedBatch): void;
  /** Mode `async`: makes jobs of entries, in their time. */
  enqueue(lane: Lane, ids: readonly string[]): void;
  /** Entries that were pending before; they run at once (in mode `sync` in their turn). Resolves when that is over. */
  offerClaimed(lane: Lane, batch: ClaimedBatch): Promise<void>;
  /** Mode `sync`: starts the next batch if the stream may go on. */
  pump(lane: Lane): void;
  /** Entries whose back-off is over. */
  onDue(due: DueEntries): void;
  /** What a run left to be done again. */
  again(request: RunRequest, pieces: readonly ClaimedBatch[]): void;
  /** Forgets what has not started; it stays pending. */
  drop(registration: ConsumedRegistration): void;
  dropLane(lane: Lane): void;
  close(): void;
}

export interface DispatcherOptions {
  readonly node: NodeIdentity;
  readonly runner: Runner;
  readonly settler: Settler;
  readonly claimer: Claimer;
  readonly retries: Retries;
  readonly admission: Admission;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** Entries of the lane have ended without running: there may be room. */
  readonly onEnded: (lane: Lane) => void;
  /** Mode `async`: hands ids to the queue. */
  readonly enqueue: (lane: Lane, ids: readonly string[]) => void;
  readonly log: ConsumerLog;
}

/** Interrupted so often in a row, a batch waits before it runs again. */
const PATIENCE = 3;
const FIRST_REST_MS = 25;
const LONGEST_REST_MS = 1_000;
const CLAIM_COUNT = 1_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new ModeDispatcher(options);
}

class ModeDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #closing = new AbortController();
  readonly #gather = createGather((lane, batch) => this.#dispatch(lane, batch));
  /** How often a batch of a backlog was interrupted. */
  readonly #interrupted = new WeakMap<ClaimedBatch, number>();

  readonly #gate: Gate;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const end = (lane: Lane, ends: Ends): void => this.#end(lane, ends);
    const pump = (lane: Lane): void => this.pump(lane);
    const mayRun = (lane: Lane): boolean => this.#mayRun(lane);
    const starter = createStarter({ ...options, end, pump, mayRun, signal: this.#closing.signal });
    this.#gate = createGate({ ...options, starter, end, pump, mayRun });
  }

  offer(lane: Lane, read: ClaimedBatch): void {
    const { trigger, running } = lane.registration;
    if (!running || lane.state === 'closed') return;
    // In mode sync what a read brings while the lane is being opened waits there for its turn, pending.
    if (modeOf(lane) === 'sync' && lane.state !== 'ready') {
      doubt(lane, 0);
      return;
    }
    const batch = this.#screen(lane, read);
    if (batch === null) return;
    if (modeOf(lane) === 'async') this.enqueue(lane, batch.ids);
    else {
      addLoad(lane, batch.ids.length);
      if (trigger.durationMs > 0 && trigger.batch > 1) this.#gather.add(lane, batch);
      else this.#dispatch(lane, batch);
    }
  }

  enqueue(lane: Lane, ids: readonly string[]): void {
    const { enqueue, admission } = this.#options;
    if (isRated(lane)) void admitAll(admission, { lane, ids, each: (part) => enqueue(lane, part) });
    else enqueue(lane, ids);
  }

  offerClaimed(lane: Lane, claimed: ClaimedBatch): Promise<void> {
    if (!lane.registration.running || lane.state === 'closed') return Promise.resolve();
    const batch = this.#screen(lane, claimed);
    if (batch === null) return Promise.resolve();
    addLoad(lane, batch.ids.length);
    if (modeOf(lane) !== 'sync') return this.#gate.start(lane, batch, 0);
    if (batch.origin === 'retry') lane.backlog.unshift(batch);
    else lane.backlog.push(batch);
    this.pump(lane);
    return Promise.resolve();
  }

  pump(lane: Lane): void {
    const first = lane.backlog[0];
    if (first === undefined || lane.runs.size > 0 || lane.starting || !this.#mayRun(lane)) return;
    if (lane.parked && first.origin !== 'retry') {
      if (lane.waiting.size > 0) return;
      setParked(lane, false);
    }
    const restMs = lane.restUntilMs - performance.now();
    if (restMs > 0) {
      setTimeout(() => this.pump(lane), restMs).unref();
      return;
    }
    lane.backlog.shift();
    void this.#gate.start(lane, first, this.#interrupted.get(first) ?? 0);
  }

  onDue(due: DueEntries): void {
    this.#retry(due).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'retries were given up at the end');
    });
  }

  again({ lane, interruptions, room }: RunRequest, pieces: readonly ClaimedBatch[]): void {
    const count = interruptions + 1;
    const restMs = restOf(count);
    if (modeOf(lane) === 'sync') {
      for (const piece of pieces) this.#interrupted.set(piece, count);
      lane.backlog.unshift(...pieces);
      lane.restUntilMs = performance.now() + restMs;
      return;
    }
    if (restMs === 0) {
      // In the room they have: behind everything that waits for room they would be late.
      leaveRoom(lane.registration, room, entriesOf(pieces));
      this.#startAgain(lane, pieces, count);
    } else {
      const ids = pieces.flatMap((piece) => piece.ids);
      hold(lane, ids);
      setTimeout(() => {
        letGo(lane, ids);
        this.#startAgain(lane, pieces, count);
      }, restMs);
    }
  }

  drop(registration: ConsumedRegistration): void {
    const { overflow } = registration;
    registration.overflow = [];
    for (const { drop } of overflow) drop();
    for (const lane of registration.lanes.values()) this.dropLane(lane);
  }

  dropLane(lane: Lane): void {
    setParked(lane, false);
    const held = this.#gather.drop(lane);
    const queued = entriesOf(lane.backlog);
    lane.backlog = [];
    this.#options.admission.drop(lane);
    addLoad(lane, -held - queued);
    this.#options.retries.forget(lane);
  }

  close(): void {
    this.#closing.abort();
    this.#gather.close();
  }

  #dispatch(lane: Lane, batch: ClaimedBatch): void {
    if (modeOf(lane) === 'sync') {
      lane.backlog.push(batch);
      this.pump(lane);
    } else void this.#gate.start(lane, batch, 0);
  }

  #mayRun(lane: Lane): boolean {
    return lane.registration.running && lane.state !== 'closed' && lane.holdsLease && this.#options.node.mayAct();
  }

  #startAgain(lane: Lane, pieces: readonly ClaimedBatch[], count: number): void {
    for (const piece of pieces) {
      if (lane.registration.running) void this.#gate.start(lane, piece, count);
      else addLoad(lane, -piece.ids.length);
    }
  }

  /** What of a batch the registration's filter lets through; the rest ends here. Null: nothing. */
  #screen(lane: Lane, batch: ClaimedBatch): ClaimedBatch | null {
    const { filter } = lane.registration;
    if (filter === null) return batch;
    const { passed, refused } = screenBatch(filter, batch);
    if (refused.length > 0) this.#end(lane, { filtered: refused, noted: batch.attempts === null ? [] : refused });
    return passed;
  }

  /** Ends entries that do not run; until Redis has it they count as load. */
  #end(lane: Lane, ends: Ends): void {
    const count = (ends.filtered ?? ends.expired ?? []).length;
    addLoad(lane, count);
    this.#options.settler
      .settle(lane, ends)
      .finally(() => addLoad(lane, -count))
      .then(() => this.#options.onEnded(lane))
      // The settler has said so; the entries are pending.
      .catch(() => undefined);
  }

  async #retry({ lane, ids, alone }: DueEntries): Promise<void> {
    const wanted = [...ids, ...alone].sort(compareEntryIds);
    for (let at = 0; at < wanted.length; at += CLAIM_COUNT) {
      const page = wanted.slice(at, at + CLAIM_COUNT);
      const batch = await this.#claimAgain(lane, page);
      for (const id of page) {
        if (!lane.waiting.delete(id)) continue;
        lane.registration.waiting -= 1;
        lane.due = Math.max(0, lane.due - 1);
      }
      for (const part of batch === null ? [] : apart(batch, alone)) void this.offerClaimed(lane, part);
      this.pump(lane);
    }
  }

  #claimAgain(lane: Lane, ids: readonly string[]): Promise<ClaimedBatch | null> {
    if (!lane.registration.running) return Promise.resolve(null);
    const self = this.#options.node.consumer();
    const work = workName(self);
    const owner = modeOf(lane) === 'async' ? work : self;
    return this.#options.claimer.claim({ lane, ids, owner, from: [self, work], origin: 'retry', counts: true });
  }
}

/** Whatever kills a batch may need time to pass. */
function restOf(interruptions: number): number {
  return interruptions < PATIENCE ? 0 : Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (interruptions - PATIENCE));
}
