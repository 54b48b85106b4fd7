import type { LoadableVersion } from '#functions';
import { timeOfId } from '#functions';
import type { ClaimedBatch } from './batch.ts';
import { pickBatch, sliceBatch } from './batch.ts';
import type { ConsumerLog, Count, EndedEntries, Execute, FailedEntry, Outcome } from './contracts.ts';
import { type Failures, smallestPiece } from './failures.ts';
import { addLoad, type Lane, type LaneRun, modeOf } from './lane.ts';
import { isLinkLost } from './redis-calls.ts';
import type { Settler } from './settler.ts';

/** What to run, and how often it was interrupted before. */
export interface RunRequest {
  readonly lane: Lane;
  readonly batch: ClaimedBatch;
  readonly target: LoadableVersion;
  readonly registrationIndex: number;
  readonly interruptions: number;
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
  /** Entries not reported yet. */
  left: number;
}

/** A crashed batch is cut into so many pieces. */
const SPLIT_INTO = 10;

export function createRunner(options: RunnerOptions): Runner {
  const { execute, settler, failures, count, log } = options;

  function onEnded(run: Run, ended: EndedEntries): void {
    const { batch, lane } = run.request;
    const done = idsAt(batch, ended.done);
    const filtered = idsAt(batch, ended.filtered);
    run.left -= done.length + filtered.length + ended.failed.length;
    let dead: ReturnType<Failures['handle']>['dead'] = [];
    if (ended.failed.length > 0) {
      run.failedEntries += ended.failed.length;
      const facts = { lane, batch, version: run.request.target.version, executionSize: run.executionSize };
      const actions = failures.handle(facts, ended.failed);
      run.again.push(...actions.again);
      run.split.push(...actions.split);
      dead = actions.dead;
      addLoad(lane, actions.again.length + actions.split.length + dead.length - ended.failed.length);
    }
    const settled = done.length + filtered.length + dead.length;
    if (settled === 0) return;
    const noted = batch.attempts === null ? [] : [...done, ...filtered, ...dead.map(({ entryId }) => entryId)];
    run.settling.push(
      settler.settle(lane, { done, filtered, dead, noted }).then((ours) => settledNow(run, settled, ours)),
    );
  }

  function settledNow({ request: { lane } }: Run, entries: number, ours: boolean): void {
    addLoad(lane, -entries);
    if (!ours) options.onLeaseLost(lane);
  }

  /** What the run left to be done again, in the order of the stream. */
  function rerun(run: Run): void {
    const { batch } = run.request;
    const pieces: ClaimedBatch[] = [];
    if (run.split.length > 0) {
      const suspects = pickBatch(batch, run.split.sort(ascending));
      const least = smallestPiece({
        ...run.request,
        version: run.request.target.version,
        executionSize: run.executionSize,
      });
      const size = Math.max(least, Math.ceil(suspects.ids.length / SPLIT_INTO / least) * least);
      for (let at = 0; at < suspects.ids.length; at += size) {
        pieces.push(sliceBatch(suspects, at, Math.min(at + size, suspects.ids.length)));
      }
    }
    if (run.again.length > 0) pieces.push(pickBatch(batch, run.again.sort(ascending)));
    if (pieces.length > 0) options.again(run.request, pieces);
  }

  function countRun(run: Run, outcome: Outcome): void {
    const { lane, batch } = run.request;
    const failed = Math.min(outcome.executions, run.failedEntries);
    count(lane.registration.id, {
      triggered: outcome.executions,
      success: outcome.executions - failed,
      failures: failed,
      durationMs: outcome.durationMs,
      lagMs: Math.max(0, Date.now() - timeOfId(batch.ids[0] ?? '0-0')),
      ...(failed === 0 ? { lastError: null } : {}),
    });
  }

  async function run(request: RunRequest): Promise<void> {
    const { lane, batch, target } = request;
    const { spec } = lane.registration.active;
    const ordered = modeOf(lane) === 'sync';
    const executionSize = lane.registration.trigger.batch;
    const controller = new AbortController();
    const nowMs = Date.now();
    const run: Run = {
      ...{ request, batch, executionSize, controller, startedAtMs: nowMs, renewedAtMs: nowMs },
      ...{ again: [], split: [], settling: [], failedEntries: 0, left: batch.ids.length },
    };
    lane.runs.add(run);
    try {
      const outcome = await execute({
        target,
        registrationIndex: request.registrationIndex,
        registrationId: spec.id,
        shape: 'stream',
        payload: batch.payload,
        entryCount: batch.ids.length,
        key: lane.stream,
        hashtag: lane.tag,
        executionSize,
        ordered,
        stopAtFailure: ordered && lane.registration.trigger.onFailedPolicy !== 'continue',
        wantResults: false,
        onEnded: (ended) => onEnded(run, ended),
        signal: controller.signal,
      });
      countRun(run, outcome);
      // In mode sync the stream goes on from here only when all of this is in Redis.
      if (!ordered) rerun(run);
      await Promise.all(run.settling);
      if (ordered) rerun(run);
    } catch (error) {
      if (!isLinkLost(error))
        log.error({ err: error, registration: spec.id, stream: lane.stream }, 'a batch failed to run');
    } finally {
      lane.runs.delete(run);
      if (run.left > 0) {
        addLoad(lane, -run.left);
        options.onForgotten(lane);
      }
      options.onOver(lane);
    }
  }

  return { run };
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

export type { FailedEntry };
