import type { LoadableVersion } from '#functions';
import type { Permit } from '../fleet/fleet.ts';
import { type ClaimedBatch, cutBatch } from './batch.ts';
import type { ConsumerLog } from './contracts.ts';
import { addLoad, hold, type Lane, letGo, modeOf } from './lane.ts';
import { keepToTheEnd, type PermitShare, shareAsTheyEnd } from './permit-share.ts';
import { type ConsumedRegistration, capOf, isKeyed, runSizeOf } from './registration.ts';
import { type RoutedPiece, routeBatch } from './routing.ts';
import { executionSizeOf, type Runner, type RunRequest } from './runner.ts';
import type { Ends } from './settler.ts';
import { createVersionLoader } from './version-loader.ts';

/** From a batch whose turn it is to runs: what is too old ends, the rest goes to its versions, as much as may be in work. */
export interface Starter {
  /**
   * Starts a batch that counts as load already; mode `sync`: its first piece, the others go back to the backlog. Resolves
   * when what it started is over; then all of the permit has been given back.
   */
  start(request: StartRequest): Promise<void>;
}

export interface StartRequest {
  readonly lane: Lane;
  readonly batch: ClaimedBatch;
  readonly interruptions: number;
  /** What its executions run with; null = they need none. */
  readonly permit: Permit | null;
}

export interface StarterOptions {
  readonly runner: Runner;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** Ends entries that do not run. */
  readonly end: (lane: Lane, ends: Ends) => void;
  /** Mode `sync`: the next batch of the backlog may start. */
  readonly pump: (lane: Lane) => void;
  /** Mode `sync`: the stream is this node's, and the node may act. */
  readonly mayRun: (lane: Lane) => boolean;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

interface How extends Pick<StartRequest, 'lane' | 'interruptions' | 'permit'> {
  /** The permit is needed for what comes afterwards, too. */
  readonly keeps?: boolean;
}

export function createStarter(options: StarterOptions): Starter {
  return new BatchStarter(options);
}

class BatchStarter implements Starter {
  readonly #options: StarterOptions;
  readonly #loadTarget;

  constructor(options: StarterOptions) {
    this.#options = options;
    this.#loadTarget = createVersionLoader(options);
  }

  async start(request: StartRequest): Promise<void> {
    try {
      await this.#start(request);
    } finally {
      request.permit?.release();
    }
  }

  async #start({ lane, batch, interruptions, permit }: StartRequest): Promise<void> {
    const { expired, pieces } = routeBatch(lane.registration, batch, Date.now());
    if (expired.length > 0) {
      addLoad(lane, -expired.length);
      this.#options.end(lane, { expired, noted: expired });
    }
    if (modeOf(lane) !== 'sync') {
      await this.#runPieces(pieces, { lane, interruptions, permit });
      return;
    }
    const [first, ...rest] = pieces;
    lane.backlog.unshift(...rest.map((piece) => piece.batch));
    if (first === undefined) {
      queueMicrotask(() => this.#options.pump(lane));
      return;
    }
    const size = Math.min(first.batch.ids.length, runSizeOf(lane.registration));
    const [now, later] = cutBatch(first.batch, size);
    if (later !== null) lane.backlog.unshift(later);
    await this.#runNow({ ...first, batch: now ?? first.batch }, { lane, interruptions, permit });
  }

  async #runPieces(pieces: readonly RoutedPiece[], how: How): Promise<void> {
    if (how.permit === null) {
      await Promise.all(pieces.map((piece) => this.#runPiece(piece, how)));
      return;
    }
    // Cut by version, a batch has more executions than permits: those of one version after those of the other.
    const { lane } = how;
    for (const { batch } of pieces.slice(1)) hold(lane, batch.ids);
    for (const piece of pieces) {
      const { ids } = piece.batch;
      letGo(lane, ids);
      if (lane.registration.running) await this.#runPiece(piece, { ...how, keeps: pieces.length > 1 });
      else addLoad(lane, -ids.length);
    }
  }

  #runPiece(piece: RoutedPiece, how: How): Promise<void> {
    const { lane } = how;
    const { registration } = lane;
    const { ids } = piece.batch;
    if (hasRoom(registration, ids.length)) return this.#runNow(piece, how);
    // Reads over several streams may bring more than may run at once.
    const { promise, resolve } = Promise.withResolvers<void>();
    hold(lane, ids);
    registration.overflow.push({
      entries: ids.length,
      run: () => {
        letGo(lane, ids);
        resolve(this.#runPiece(piece, how));
      },
      drop: () => {
        letGo(lane, ids);
        addLoad(lane, -ids.length);
        resolve();
      },
    });
    return promise;
  }

  async #runNow(piece: RoutedPiece, how: How): Promise<void> {
    const { lane, interruptions } = how;
    const { registration } = lane;
    const { batch, registrationIndex } = piece;
    const room = { entries: batch.ids.length };
    registration.inWork += room.entries;
    let target = registration.targets.get(piece.version) ?? null;
    const wasLoaded = target === null;
    if (wasLoaded) {
      hold(lane, batch.ids);
      lane.starting = true;
      target = await this.#loadTarget(registration, piece.version);
      lane.starting = false;
      letGo(lane, batch.ids);
    }
    if (target === null) addLoad(lane, -batch.ids.length);
    else if (wasLoaded && modeOf(lane) === 'sync' && !this.#options.mayRun(lane)) this.#putBack(lane, batch);
    else {
      const share = shareOf(how, room.entries);
      await this.#options.runner.run({ lane, batch, target, registrationIndex, interruptions, room, share });
    }
    leaveRoom(registration, room, room.entries);
    drainOverflow(registration);
  }

  /** While its version was loaded the stream may have gone to another node: what waits is dropped then, see `lapses`. */
  #putBack(lane: Lane, batch: ClaimedBatch): void {
    lane.backlog.unshift(batch);
    this.#options.pump(lane);
  }
}

/** Executions that run side by side give back their permits one by one. */
function shareOf({ lane, permit, keeps }: How, entries: number): PermitShare | null {
  if (permit === null) return null;
  const inLine = modeOf(lane) === 'sync' && !isKeyed(lane.registration);
  if (inLine || keeps === true) return keepToTheEnd(permit);
  return shareAsTheyEnd(permit, { entries, executionSize: executionSizeOf(lane) });
}

/** So many entries of a run are not in work any more. */
export function leaveRoom(registration: ConsumedRegistration, room: RunRequest['room'], entries: number): void {
  room.entries -= entries;
  registration.inWork -= entries;
}

function hasRoom(registration: ConsumedRegistration, entries: number): boolean {
  return registration.inWork === 0 || registration.inWork + entries <= capOf(registration);
}

/** Runs what had to wait because enough was in work: as many as there is room for, the others are not touched. */
function drainOverflow(registration: ConsumedRegistration): void {
  for (;;) {
    const [next] = registration.overflow;
    if (next === undefined || !hasRoom(registration, next.entries)) return;
    registration.overflow.shift();
    next.run();
  }
}
