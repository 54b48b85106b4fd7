import { type LoadableVersion, latin1FromUtf8, PlatformError } from '#functions';
import type { Runtime, RuntimeErrorCode, StageRun } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';
import { driveStage } from './drive-stage.ts';
import { createErrorList, type ErrorList } from './error-list.ts';
import { type ExecutionPlan, isFollowed } from './execution-plan.ts';
import type { StageEnd, StageProgress, StageRef } from './execution-store.ts';
import { inputOf, openSource, type SourceParts, type SourceRequest } from './open-source.ts';
import { createPace } from './pace.ts';
import { readAhead } from './readers/reader.ts';
import type { StageSink } from './sinks.ts';

export interface StageParts extends SourceParts {
  readonly openStage: Runtime['openStage'];
}

export interface StageTask extends SourceRequest {
  readonly plan: ExecutionPlan;
  readonly ref: StageRef;
  readonly target: LoadableVersion;
  /** A new sink, and the number of the attempt it is for. */
  readonly begin: () => Promise<{ readonly attempt: number; readonly sink: StageSink }>;
  /** Kept up to date while the stage runs. */
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface Progress {
  read: number;
  /** How much of what there is has been looked at, 0 to 1; null where nobody knows. */
  part: number | null;
  readonly startedAtMs: number;
}

/** How often a stage is begun anew because its sandbox died; the last death is an error of the execution. */
const ATTEMPTS = 3;

/** Trouble that another attempt on this node or another one can mend. */
const REPEATABLE: ReadonlySet<string> = new Set<RuntimeErrorCode>(['SANDBOX_DIED', 'SANDBOX_PROTOCOL']);
/** Nobody's fault: this node cannot go on, others can. */
const ELSEWHERE: ReadonlySet<string> = new Set<RuntimeErrorCode | SchedulerErrorCode>([
  'RUNTIME_CLOSED',
  'NODE_DRAINING',
]);

/**
 * Runs one stage on one shard from its beginning to its end, again when its sandbox dies. What functions do wrong, and limits
 * they cross, are errors in the end; rejects only when this node cannot go on, or `signal` is aborted.
 */
export async function runStage(parts: StageParts, task: StageTask): Promise<StageEnd> {
  let died: string | undefined;
  for (let attempts = 1; ; attempts += 1) {
    const { attempt, sink: opened } = await task.begin().catch((error: unknown) => {
      throw becauseOf(died, error);
    });
    using sink = opened;
    const errors = createErrorList();
    task.progress.read = 0;
    task.progress.part = null;
    const begin = performance.now();
    try {
      const times = await tryStage(parts, task, { sink, errors });
      const runMs = Math.round(performance.now() - begin);
      return { attempt, ...sink.summary(), errors: errors.texts, read: task.progress.read, runMs, ...times };
    } catch (error) {
      task.signal.throwIfAborted();
      const known = PlatformError.from(error, 'INTERNAL');
      if (ELSEWHERE.has(known.code) || isConnection(known)) throw error;
      died = `${known.code}: ${known.message}`;
      if (REPEATABLE.has(known.code) && attempts < ATTEMPTS) continue;
      errors.addText(died);
      const runMs = Math.round(performance.now() - begin);
      return { ...NOTHING, attempt, errors: errors.texts, read: task.progress.read, runMs };
    }
  }
}

/** A part that may not begin again tells why it would have had to. */
function becauseOf(died: string | undefined, error: unknown): unknown {
  if (died === undefined || !(error instanceof PlatformError) || error.code !== 'EXECUTION_PART_LOST') return error;
  return new PlatformError(error.code, `${error.message}. Its end was: ${died}`, { details: error.details });
}

const NOTHING = { pieces: [], records: 0, bytes: 0, readMs: 0, stepMs: [] };

/** Errors of ioredis, which are no PlatformErrors, and retryable ones of ours. */
function isConnection(error: PlatformError): boolean {
  return error.code === 'INTERNAL' || (error.retryable && error.code.startsWith('REDIS_'));
}

async function tryStage(
  parts: StageParts,
  task: StageTask,
  { sink, errors }: { readonly sink: StageSink; readonly errors: ErrorList },
): Promise<Pick<StageEnd, 'readMs' | 'stepMs'>> {
  const isPulled = inputOf(task.plan, task.ref.stage) === 'generator';
  const onPart = (part: number): void => {
    task.progress.part = part;
  };
  // The first records are on their way while the sandbox gets ready.
  const pace = isFollowed(task.plan, task.ref.stage) ? createPace() : null;
  const pieces = pace === null ? {} : { pieceSize: () => pace.size() };
  await using source = isPulled ? null : readAhead(openSource(parts, { ...task, onPart, ...pieces }));
  await using stage = await openStage(parts, task);
  const readMs = await driveStage({
    stage,
    source,
    sink,
    errors,
    pace,
    onRead: (records) => {
      task.progress.read += records;
    },
    signal: task.signal,
  });
  await sink.flush();
  return { readMs: Math.round(readMs), stepMs: [...stage.stepTimes()] };
}

function openStage({ openStage: open }: StageParts, { plan, ref, target, signal }: StageTask): Promise<StageRun> {
  const stage = plan.stages[ref.stage];
  const partition = plan.partitions[ref.partition];
  if (stage === undefined || partition === undefined) {
    throw new PlatformError<SchedulerErrorCode>('EXECUTION_ABORTED', `execution ${plan.id} has no such stage`);
  }
  return open({
    target,
    runIndex: plan.run.index,
    executionId: plan.id,
    firstStep: stage.firstStep,
    endStep: stage.endStep,
    input: inputOf(plan, stage.index),
    key: plan.run.reader === 'StreamReader' ? latin1FromUtf8(plan.run.arg) : '',
    hashtag: partition.tag,
    output: stage.output,
    profile: plan.profile,
    signal,
  });
}

export function progressOf({ read, part, startedAtMs }: Progress): StageProgress {
  return { read, part, startedAtMs, atMs: Date.now() };
}
