import type { LoadableVersion } from '#functions';
import { ageOfId, runsPerRecord } from '#functions';
import type { DeadLetter } from '../delivery.ts';
import { type ClaimedBatch, pickBatch, sliceBatch } from './batch.ts';
import type { ConsumerLog, Count, EndedEntries, Execute, FailedEntry, Invocation, Outcome } from './contracts.ts';
import { type FailedRun, type Failures, smallestPiece } from './failures.ts';
import { addLoad, type Lane, type LaneRun, modeOf } from './lane.ts';
import type { PermitShare } from './permit-share.ts';
import { isLinkLost } from './redis-calls.ts';
import { isKeyed } from './registration.ts';
import type { Settler } from './settler.ts';

/** What to run, and how often it was interrupted before. */
export interface RunRequest {
  readonly lane: Lane;
  readonly batch: ClaimedBatch;
  readonly target: LoadableVersion;
  readonly registrationIndex: number;
  readonly interruptions: number;
  /** Entries of it that count in `registration.inWork`. */
  readonly room: { entries: number };
  /** Permits of its executions; null = they need none. */
  readonly share: PermitShare | null;
}

export interface Runner {
  /**
   * Runs a batch and settles its entries as they end. Resolves when every entry has an end in Redis, waits for a retry, or
   * has been given to `again`. Never rejects.
   */
  run(request: RunRequest): Promise<void>;
}

export interface RunnerOptions {
  readonly execute: Execute;
  readonly settler: Settler;
  readonly failures: Failures;
  readonly count: Count;
  /** Entries that have to run again at once, in order, as they were or in smaller pieces; still in hand. */
  readonly again: (request: RunRequest, pieces: readonly ClaimedBatch[]) => void;
  /** Called when nothing of the run is in work any more and its ends are settled. */
  readonly onOver: (lane: Lane) => void;
  /** The stream's lease was lost. */
  readonly onLeaseLost: (lane: Lane) => void;
  /** Entries were given up without an end; they are pending and nobody knows of them. */
  readonly onForgotten: (lane: Lane) => void;
  readonly log: ConsumerLog;
}

interface Run extends LaneRun {
  readonly request: RunRequest;
  readonly executionSize: number;
  readonly again: number[];
  readonly split: number[];
  readonly settling: Promise<unknown>[];
  failedEntries: number;
  /** Something from outside cut it short; what merely waits behind a failed entry says nothing of that. */
  interrupted: boolean;
  /** Entries not reported yet. */
  left: number;
}

/** A crashed batch is cut into so many pieces. */
const SPLIT_INTO = 10;
/** Code of an entry that was not started because one before it failed, see `Invocation.stopAtFailure`. */
const NOT_STARTED = 'NOT_STARTED';

export function createRunner(options: RunnerOptions): Runner {
  return new BatchRunner(options);
}

class BatchRunner implements Runner {
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  async run(request: RunRequest): Promise<void> {
    const { lane } = request;
    const ordered = modeOf(lane) === 'sync';
    const run = createRun(request);
    lane.runs.add(run);
    try {
      const outcome = await this.#options.execute(this.#invocationOf(run, ordered));
      this.#countRun(run, outcome);
      // In mode sync the stream goes on from here only when all of this is in Redis.
      if (!ordered) this.#rerun(run);
      await Promise.all(run.settling);
      if (ordered) this.#rerun(run);
    } catch (error) {
      const facts = { err: error, registration: lane.registration.id, stream: lane.stream };
      if (!isLinkLost(error)) this.#options.log.error(facts, 'a batch failed to run');
    } finally {
      lane.runs.delete(run);
      if (run.left > 0) {
        addLoad(lane, -run.left);
        this.#options.onForgotten(lane);
      }
      this.#options.onOver(lane);
    }
  }

  #invocationOf(run: Run, ordered: boolean): Invocation {
    const { lane, batch, target, registrationIndex, share } = run.request;
    const { id } = lane.registration;
    return {
      ...{ target, registrationIndex, registrationId: id, shape: 'stream' },
      payload: batch.payload,
      entryCount: batch.ids.length,
      attempts: batch.attempts,
      key: lane.stream,
      hashtag: lane.tag,
      executionSize: run.executionSize,
      ordered,
      stopAtFailure: stopsAtFailure(lane),
      keyed: isKeyed(lane.registration),
      wantResults: false,
      onEnded: (ended) => this.#onEnded(run, ended),
      signal: share === null ? run.controller.signal : AbortSignal.any([run.controller.signal, share.signal]),
    };
  }

  #onEnded(run: Run, ended: EndedEntries): void {
    const { batch, lane, share } = run.request;
    share?.ended(ended);
    const done = idsAt(batch, ended.done);
    const filtered = idsAt(batch, ended.filtered);
    run.left -= done.length + filtered.length + ended.failed.length;
    const dead = ended.failed.length > 0 ? this.#onFailed(run, ended.failed) : [];
    const count = done.length + filtered.length + dead.length;
    if (count === 0) return;
    const noted = batch.attempts === null ? [] : [...done, ...filtered, ...dead.map(({ entryId }) => entryId)];
    const settled = this.#options.settler
      .settle(lane, { done, filtered, dead, noted, more: run.left > 0 })
      .finally(() => addLoad(lane, -count))
      .then((ours) => {
        if (!ours) this.#options.onLeaseLost(lane);
      });
    // Whoever waits for all of them hears of a failure; until then it must not count as unheard.
    settled.catch(() => undefined);
    run.settling.push(settled);
  }

  #onFailed(run: Run, failed: readonly FailedEntry[]): readonly DeadLetter[] {
    const { lane, target } = run.request;
    run.failedEntries += failed.length;
    run.interrupted ||= failed.some(wasInterrupted);
    const actions = this.#options.failures.handle(failedRunOf(run, target.version), failed);
    run.again.push(...actions.again);
    run.split.push(...actions.split);
    addLoad(lane, actions.again.length + actions.split.length + actions.dead.length - failed.length);
    return actions.dead;
  }

  /** What the run left to be done again, in the order of the stream. */
  #rerun(run: Run): void {
    const { batch, target } = run.request;
    const pieces: ClaimedBatch[] = [];
    if (run.split.length > 0) {
      pieces.push(...cut(pickBatch(batch, run.split.sort(ascending)), smallestPiece(failedRunOf(run, target.version))));
    }
    if (run.again.length > 0) pieces.push(pickBatch(batch, run.again.sort(ascending)));
    if (pieces.length === 0) return;
    const { lane } = run.request;
    if (!lane.registration.running) {
      // Halted meanwhile: should it go on, it begins with the pending list.
      addLoad(lane, -run.again.length - run.split.length);
      return;
    }
    this.#options.again(run.interrupted ? run.request : { ...run.request, interruptions: -1 }, pieces);
  }

  #countRun(run: Run, outcome: Outcome): void {
    const { lane, batch } = run.request;
    const failed = Math.min(outcome.executions, run.failedEntries);
    this.#options.count(lane.registration.id, {
      triggered: outcome.executions,
      success: outcome.executions - failed,
      failures: failed,
      durationMs: outcome.durationMs,
      lagMs: ageOfId(batch.ids[0] ?? '0-0', Date.now()) ?? 0,
      ...(failed === 0 ? { lastError: null } : {}),
    });
  }
}

function createRun(request: RunRequest): Run {
  const { batch, lane } = request;
  const nowMs = Date.now();
  return {
    request,
    batch,
    executionSize: executionSizeOf(lane),
    controller: new AbortController(),
    startedAtMs: nowMs,
    renewedAtMs: nowMs,
    again: [],
    split: [],
    settling: [],
    failedEntries: 0,
    interrupted: false,
    left: batch.ids.length,
  };
}

/** Mode `sync`, and an entry that failed is to run again before those behind it. */
function stopsAtFailure(lane: Lane): boolean {
  return modeOf(lane) === 'sync' && lane.registration.trigger.onFailedPolicy !== 'continue';
}

/** Entries of one execution start together; where none may overtake another, each is an execution of its own. */
export function executionSizeOf(lane: Lane): number {
  const { active, trigger } = lane.registration;
  return modeOf(lane) === 'sync' && runsPerRecord(active.spec.steps) ? 1 : trigger.batch;
}

function failedRunOf({ request: { lane, batch }, executionSize }: Run, version: number): FailedRun {
  return { lane, batch, version, executionSize };
}

function wasInterrupted({ kind, error }: FailedEntry): boolean {
  return kind === 'crash' || (kind === 'interrupted' && error.code !== NOT_STARTED);
}

/** Pieces that find a culprit quickly; none cuts through what has to run together. */
function cut(suspects: ClaimedBatch, least: number): ClaimedBatch[] {
  const pieces: ClaimedBatch[] = [];
  const size = Math.max(least, Math.ceil(suspects.ids.length / SPLIT_INTO / least) * least);
  for (let at = 0; at < suspects.ids.length; at += size) {
    pieces.push(sliceBatch(suspects, at, Math.min(at + size, suspects.ids.length)));
  }
  return pieces;
}

function idsAt(batch: ClaimedBatch, positions: ArrayLike<number>): readonly string[] {
  const { length } = positions;
  if (length === 0) return [];
  const { ids } = batch;
  // Usually all of them, in order.
  if (length === ids.length) return ids;
  const found = new Array<string>(length);
  for (let i = 0; i < length; i += 1) found[i] = ids[positions[i] as number] as string;
  return found;
}

function ascending(a: number, b: number): number {
  return a - b;
}
