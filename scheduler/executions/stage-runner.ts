import type { Logger } from 'pino';
import type { SchedulerErrorCode } from '../errors.ts';
import type { StageContext, StageJob } from '../queues/stage-queue.ts';
import type { ExecutionSettings } from '../settings.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { ExecutionPlan } from './execution-plan.ts';
import {
  type ExecutionRecord,
  type ExecutionStore,
  type StageEnd,
  type StageRef,
  stageName,
} from './execution-store.ts';
import { ABORT_ERROR, createPulse, type Pulse, stopReason } from './pulse.ts';
import { runStage, type StageParts, type StageTask } from './run-stage.ts';
import { createRedisSink, type StageSink } from './sinks.ts';

export interface StageRunnerOptions extends StageParts {
  readonly store: ExecutionStore;
  readonly artifacts: Pick<ArtifactCache, 'load'>;
  readonly settings: Pick<ExecutionSettings, 'keepMs' | 'storedBytes'>;
  readonly log: Logger;
}

/** A stage of an execution on one shard. */
export type StagePart = Pick<StageTask, 'plan' | 'ref' | 'ends' | 'target'> & {
  /** Where its sandbox is; left out = wherever there is room. */
  readonly openStage?: StageParts['openStage'];
};

export interface RunHow {
  readonly begin: StageTask['begin'];
  /** Aborted when this node stops; `runHere` rejects with its reason. */
  readonly signal: AbortSignal;
}

/** Stages in work on this node. */
export interface StageRunner {
  /** A stage that came by the queue. */
  runJob(job: StageJob, context: StageContext): Promise<void>;
  /** A stage whose caller waits here. Resolves with its end, also when it was aborted. */
  runHere(part: StagePart, how: RunHow): Promise<StageEnd>;
  /** Where an attempt puts records for the next stage, or results that are kept. */
  redisSink(plan: ExecutionPlan, from: StageRef & { readonly attempt: number }): StageSink;
  /** Stops what runs of an execution on this node. */
  stop(id: string): void;
}

const NOTHING = { pieces: [], records: 0, bytes: 0, read: 0, readMs: 0, runMs: 0, stepMs: [] };

export function createStageRunner(options: StageRunnerOptions): StageRunner {
  return new PulsedRunner(options);
}

type Work = StagePart & Pick<StageTask, 'begin'>;

class PulsedRunner implements StageRunner {
  readonly #options: StageRunnerOptions;
  readonly #pulses = new Map<string, Set<Pulse>>();

  constructor(options: StageRunnerOptions) {
    this.#options = options;
  }

  async runJob({ executionId, stage, partition }: StageJob, context: StageContext): Promise<void> {
    const { store, log } = this.#options;
    const record = await store.read(executionId);
    const ref = { stage, partition };
    const isOver = record === null || record.status === 'done' || record.status === 'aborted';
    if (isOver || record.ends.has(stageName(ref))) return;
    log.debug({ execution: executionId, stage, partition }, 'a stage begins');
    await this.#runQueued(record, ref, context);
  }

  async runHere(part: StagePart, { begin, signal }: RunHow): Promise<StageEnd> {
    const end = await this.#runWithPulse({ ...part, begin }, signal);
    return end ?? { ...NOTHING, attempt: 1, errors: [ABORT_ERROR] };
  }

  stop(id: string): void {
    for (const pulse of this.#pulses.get(id) ?? []) pulse.stop();
  }

  async #runQueued(record: ExecutionRecord, ref: StageRef, { signal, isLastAttempt }: StageContext): Promise<void> {
    const { store, artifacts } = this.#options;
    const { plan, ends } = record;
    let attempt = 0;
    const begin = async () => {
      attempt = await store.beginAttempt(plan.id, ref);
      return { attempt, sink: this.redisSink(plan, { ...ref, attempt }) };
    };
    try {
      const target = await artifacts.load(plan);
      const end = await this.#runWithPulse({ plan, ref, ends, target, begin }, signal);
      if (end !== null) await store.endStage(plan.id, ref, end);
    } catch (error) {
      if (!isLastAttempt && !isFinal(error)) throw error;
      const text = textOf(error);
      await store.endStage(plan.id, ref, { ...NOTHING, attempt, errors: [text] });
    }
  }

  redisSink(plan: ExecutionPlan, from: StageRef & { readonly attempt: number }): StageSink {
    const { access, keys, settings } = this.#options;
    const { keepMs: lifeMs, storedBytes: limitBytes } = settings;
    return createRedisSink({ access, keys, plan, from, lifeMs, limitBytes });
  }

  /** An abort that was asked for is an end with an error; null when the execution is over anyway. */
  async #runWithPulse(work: Work, outer: AbortSignal): Promise<StageEnd | null> {
    const { store, log } = this.#options;
    const { id } = work.plan;
    const progress = { read: 0, part: null, startedAtMs: Date.now() };
    using pulse = createPulse({ store, id, ref: work.ref, progress, log });
    using _ = enter(this.#pulses, id, pulse);
    let attempt = 1;
    const stopped = (): StageEnd | null => {
      if (stopReason(pulse.signal) === 'over') return null;
      const runMs = Date.now() - progress.startedAtMs;
      return { ...NOTHING, attempt, runMs, read: progress.read, errors: [ABORT_ERROR] };
    };
    if (!(await pulse.beat())) return stopped();
    const begin: StageTask['begin'] = async () => {
      const begun = await work.begin();
      attempt = begun.attempt;
      return begun;
    };
    try {
      const signal = AbortSignal.any([outer, pulse.signal]);
      const { openStage = this.#options.openStage } = work;
      return await runStage({ ...this.#options, openStage }, { ...work, begin, progress, signal });
    } catch (error) {
      if (stopReason(pulse.signal) === null) throw error;
      return stopped();
    }
  }
}

const FINAL: ReadonlySet<unknown> = new Set<SchedulerErrorCode>(['EXECUTION_ABORTED', 'EXECUTION_PART_LOST']);

/** Another attempt would fail for the same reason. */
function isFinal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FINAL.has(error.code);
}

/** Who reads results as they come has to know this one from errors of functions. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'EXECUTION_PART_LOST' ? `${error.code}: ${error.message}` : error.message;
}

function enter(pulses: Map<string, Set<Pulse>>, id: string, pulse: Pulse): Disposable {
  const set = pulses.get(id) ?? new Set();
  pulses.set(id, set.add(pulse));
  return {
    [Symbol.dispose]() {
      set.delete(pulse);
      if (set.size === 0) pulses.delete(id);
    },
  };
}
