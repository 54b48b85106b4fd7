import { compareEntryIds, type LoadableVersion } from '#functions';
import { type ClaimedBatch, sliceBatch } from './batch.ts';
import type { Claimer } from './claimer.ts';
import type { ConsumerLog, NodeIdentity } from './contracts.ts';
import { createGather } from './gather.ts';
import { addLoad, type Lane, modeOf, setParked, workName } from './lane.ts';
import { pause } from './redis-calls.ts';
import { type ConsumedRegistration, capOf } from './registration.ts';
import type { DueEntries, Retries } from './retries.ts';
import { type RoutedPiece, routeBatch } from './routing.ts';
import type { Runner, RunRequest } from './runner.ts';
import type { Settler } from './settler.ts';

/** Decides when what was read runs, as the mode says. */
export interface Dispatcher {
  /** New entries, as read. */
  offer(lane: Lane, batch: ClaimedBatch): void;
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
  readonly runner: () => Runner;
  readonly settler: Settler;
  readonly claimer: Claimer;
  readonly retries: () => Retries;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** Mode `async`: hands ids to the queue. */
  readonly enqueue: (lane: Lane, ids: readonly string[]) => void;
  readonly log: ConsumerLog;
}

/** Interrupted so often in a row, a batch waits before it runs again: whatever kills it may need time to pass. */
const PATIENCE = 3;
const FIRST_REST_MS = 25;
const LONGEST_REST_MS = 1_000;
const LOAD_PAUSE_MS = 500;
const CLAIM_COUNT = 1_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { node, settler, claimer, log } = options;
  const closing = new AbortController();
  const gather = createGather(dispatch);
  /** How often a batch of a backlog was interrupted. */
  const interrupted = new WeakMap<ClaimedBatch, number>();

  function dispatch(lane: Lane, batch: ClaimedBatch): void {
    if (modeOf(lane) !== 'sync') {
      void start(lane, batch, 0);
      return;
    }
    lane.backlog.push(batch);
    pump(lane);
  }

  function pump(lane: Lane): void {
    const first = lane.backlog[0];
    if (first === undefined || lane.runs.size > 0 || !mayRun(lane)) return;
    if (lane.parked && first.origin !== 'retry') {
      if (lane.waiting.size > 0) return;
      setParked(lane, false);
    }
    const restMs = lane.restUntilMs - performance.now();
    if (restMs > 0) {
      lane.restUntilMs = performance.now() + restMs;
      setTimeout(() => pump(lane), restMs).unref();
      return;
    }
    lane.backlog.shift();
    void start(lane, first, interrupted.get(first) ?? 0);
  }

  function mayRun(lane: Lane): boolean {
    return lane.registration.running && lane.state !== 'closed' && lane.holdsLease && node.mayAct();
  }

  /** Runs a batch that counts as load already. */
  async function start(lane: Lane, batch: ClaimedBatch, interruptions: number): Promise<void> {
    const { registration } = lane;
    const { expired, pieces } = routeBatch(registration, batch, Date.now());
    if (expired.length > 0) expire(lane, expired);
    const sync = modeOf(lane) === 'sync';
    const now = sync ? pieces.slice(0, 1) : pieces;
    if (sync) lane.backlog.unshift(...pieces.slice(1).map((piece) => piece.batch));
    if (sync && now.length === 0) queueMicrotask(() => pump(lane));
    await Promise.all(now.map((piece) => runPiece(lane, piece, interruptions)));
  }

  function expire(lane: Lane, expired: readonly string[]): void {
    settler.settle(lane, { expired, noted: expired }).then(
      () => addLoad(lane, -expired.length),
      () => addLoad(lane, -expired.length),
    );
  }

  function runPiece(lane: Lane, piece: RoutedPiece, interruptions: number): Promise<void> {
    const { registration } = lane;
    const { inWork } = registration;
    // Reads over several streams may bring more than may run at once.
    if (inWork > 0 && inWork + piece.batch.ids.length > capOf(registration)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const id of piece.batch.ids) lane.held.add(id);
      registration.overflow.push({
        run: () => {
          for (const id of piece.batch.ids) lane.held.delete(id);
          resolve(runPiece(lane, piece, interruptions));
        },
        drop: () => {
          for (const id of piece.batch.ids) lane.held.delete(id);
          addLoad(lane, -piece.batch.ids.length);
          resolve();
        },
      });
      return promise;
    }
    return runNow(lane, piece, interruptions);
  }

  async function runNow(lane: Lane, piece: RoutedPiece, interruptions: number): Promise<void> {
    const { registration } = lane;
    const { batch, registrationIndex } = piece;
    registration.inWork += batch.ids.length;
    const target = registration.targets.get(piece.version);
    await (target === undefined
      ? loadThenRun(lane, piece, interruptions)
      : options.runner().run({ lane, batch, target, registrationIndex, interruptions }));
    registration.inWork -= batch.ids.length;
    drainOverflow(registration);
  }

  async function loadThenRun(lane: Lane, piece: RoutedPiece, interruptions: number): Promise<void> {
    const { batch, registrationIndex } = piece;
    for (const id of batch.ids) lane.held.add(id);
    const target = await loadTarget(lane.registration, piece.version);
    for (const id of batch.ids) lane.held.delete(id);
    if (target === null) addLoad(lane, -batch.ids.length);
    else await options.runner().run({ lane, batch, target, registrationIndex, interruptions });
  }

  /** A version that is gone hands its entries to the active one. Null when the registration stops meanwhile. */
  async function loadTarget(registration: ConsumedRegistration, version: number): Promise<LoadableVersion | null> {
    const { functionName } = registration.active;
    for (let wanted = version; registration.running && !closing.signal.aborted; ) {
      try {
        const target = await options.loadable(functionName, wanted);
        registration.targets.set(version, target);
        return target;
      } catch (error) {
        log.error({ err: error, function: functionName, version: wanted }, 'a version could not be loaded');
        if (wanted !== registration.active.version) wanted = registration.active.version;
        else await pause(LOAD_PAUSE_MS, closing.signal).catch(() => undefined);
      }
    }
    return null;
  }

  function offerClaimed(lane: Lane, batch: ClaimedBatch): Promise<void> {
    if (!lane.registration.running || lane.state === 'closed') return Promise.resolve();
    addLoad(lane, batch.ids.length);
    if (modeOf(lane) !== 'sync') return start(lane, batch, 0);
    if (batch.origin === 'retry') lane.backlog.unshift(batch);
    else lane.backlog.push(batch);
    pump(lane);
    return Promise.resolve();
  }

  async function retry({ lane, ids, alone }: DueEntries): Promise<void> {
    const wanted = [...ids, ...alone].sort(compareEntryIds);
    const self = node.consumer();
    const work = workName(self);
    const owner = modeOf(lane) === 'async' ? work : self;
    for (let at = 0; at < wanted.length; at += CLAIM_COUNT) {
      const page = wanted.slice(at, at + CLAIM_COUNT);
      const batch = lane.registration.running
        ? await claimer.claim({ lane, ids: page, owner, from: [self, work], origin: 'retry', counts: true })
        : null;
      for (const id of page) if (lane.waiting.delete(id)) lane.registration.waiting -= 1;
      if (batch !== null) for (const part of apart(batch, alone)) void offerClaimed(lane, part);
      else pump(lane);
    }
  }

  function dropLane(lane: Lane): void {
    setParked(lane, false);
    const held = gather.drop(lane);
    const queued = lane.backlog.reduce((sum, batch) => sum + batch.ids.length, 0);
    lane.backlog = [];
    addLoad(lane, -held - queued);
    options.retries().forget(lane);
  }

  function rest(lane: Lane, interruptions: number, then: () => void): void {
    if (interruptions < PATIENCE) return then();
    const restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (interruptions - PATIENCE));
    lane.restUntilMs = performance.now() + restMs;
    setTimeout(then, restMs);
  }

  return {
    pump,
    offerClaimed,
    offer(lane, batch) {
      const { trigger, running } = lane.registration;
      if (!running || lane.state === 'closed') return;
      if (modeOf(lane) === 'async') {
        options.enqueue(lane, batch.ids);
        return;
      }
      addLoad(lane, batch.ids.length);
      if (trigger.durationMs > 0 && trigger.batch > 1) gather.add(lane, batch);
      else dispatch(lane, batch);
    },
    onDue(due) {
      retry(due).catch((error: unknown) => log.debug({ err: error }, 'retries were given up at the end'));
    },
    again({ lane, interruptions }, pieces) {
      const count = interruptions + 1;
      if (modeOf(lane) === 'sync') {
        for (const piece of pieces) interrupted.set(piece, count);
        lane.backlog.unshift(...pieces);
        rest(lane, count, () => pump(lane));
        return;
      }
      const ids = pieces.flatMap((piece) => piece.ids);
      for (const id of ids) lane.held.add(id);
      rest(lane, count, () => {
        for (const id of ids) lane.held.delete(id);
        if (lane.registration.running) for (const piece of pieces) void start(lane, piece, count);
        else addLoad(lane, -ids.length);
      });
    },
    dropLane,
    drop(registration) {
      const { overflow } = registration;
      registration.overflow = [];
      for (const { drop } of overflow) drop();
      for (const lane of registration.lanes.values()) dropLane(lane);
    },
    close() {
      closing.abort();
      gather.close();
    },
  };
}

/** Runs what had to wait because enough was in work. */
function drainOverflow(registration: ConsumedRegistration): void {
  const waiting = registration.overflow;
  if (waiting.length === 0) return;
  registration.overflow = [];
  for (const { run } of waiting) run();
}

/** Entries that are to run alone as batches of one, the others together. */
function apart(batch: ClaimedBatch, alone: readonly string[]): readonly ClaimedBatch[] {
  if (alone.length === 0) return [batch];
  const single = new Set(alone);
  const parts: ClaimedBatch[] = [];
  let from = 0;
  for (let i = 0; i <= batch.ids.length; i += 1) {
    const isAlone = i < batch.ids.length && single.has(batch.ids[i] as string);
    if (i < batch.ids.length && !isAlone) continue;
    if (i > from) parts.push(sliceBatch(batch, from, i));
    if (isAlone) parts.push(sliceBatch(batch, i, i + 1));
    from = i + 1;
  }
  return parts;
}
