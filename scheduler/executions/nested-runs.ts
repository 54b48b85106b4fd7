import type { Logger } from 'pino';
import type { NestedResults, NestedRun } from '#runtime';
import type { ExecutionSettings } from '../settings.ts';
import type { Conductor } from './conductor.ts';
import type { StagePlan } from './cut-plan.ts';
import { type ExecutionPlan, partitionsOf } from './execution-plan.ts';
import { type ExecutionStore, type StageEnd, type StageRef, stageName } from './execution-store.ts';
import { createBudget } from './pieces.ts';
import { ABORT_ERROR } from './pulse.ts';
import { errorsOf } from './read-results.ts';
import { createRunLine, type RunLine } from './run-line.ts';
import { createMemorySink } from './sinks.ts';
import type { RunHow, StageRunner } from './stage-runner.ts';

export interface NestedRunsOptions {
  readonly settings: Pick<ExecutionSettings, 'resultBytes'>;
  readonly store: ExecutionStore;
  readonly runner: Pick<StageRunner, 'runHere' | 'redisSink'>;
  readonly conductor: Pick<Conductor, 'drop'>;
  /** Makes the plan and its record. */
  readonly plan: (request: NestedRun) => Promise<ExecutionPlan>;
  readonly log: Logger;
}

/** Runs that handlers of this node start and wait for. */
export interface NestedRuns {
  /** See `GuestHost.run`. */
  run(request: NestedRun, signal: AbortSignal): Promise<NestedResults>;
  drain(deadlineMs: number): Promise<void>;
}

/** Of one version, started at one depth. A run waits for deeper ones only, so lines by depth cannot wait for each other. */
const AT_ONCE = 16;

export function createNestedRuns(options: NestedRunsOptions): NestedRuns {
  return new HandlersRuns(options);
}

/** A run on its way through its stages. */
interface Work {
  readonly plan: ExecutionPlan;
  readonly request: NestedRun;
  readonly signal: AbortSignal;
  readonly ends: Map<string, StageEnd>;
  /** Results of each shard. */
  readonly results: Map<number, readonly string[]>;
  readonly spend: (bytes: number) => void;
}

class HandlersRuns implements NestedRuns {
  readonly #options: NestedRunsOptions;
  readonly #line: RunLine = createRunLine(AT_ONCE);

  constructor(options: NestedRunsOptions) {
    this.#options = options;
  }

  async run(request: NestedRun, signal: AbortSignal): Promise<NestedResults> {
    const { target, depth } = request;
    const either = AbortSignal.any([signal, this.#line.stopped]);
    using _ = await this.#line.enter(`${target.functionName}@${target.version}:${depth}`, either);
    either.throwIfAborted();
    const plan = await this.#options.plan(request);
    try {
      return await this.#work(plan, request, either);
    } finally {
      await this.#forget(plan);
    }
  }

  drain(deadlineMs: number): Promise<void> {
    return this.#line.drain(deadlineMs);
  }

  async #work(plan: ExecutionPlan, request: NestedRun, signal: AbortSignal): Promise<NestedResults> {
    const spend = createBudget(this.#options.settings.resultBytes, 'execution-results');
    const work: Work = { plan, request, signal, ends: new Map(), results: new Map(), spend };
    for (const stage of plan.stages) {
      await this.#runStage(work, stage);
      // Somebody has aborted it by its id.
      if ([...work.ends.values()].some(({ errors }) => errors.includes(ABORT_ERROR))) break;
    }
    const inOrder = plan.partitions.flatMap((_, partition) => work.results.get(partition) ?? []);
    return { records: inOrder, errors: errorsOf({ ends: work.ends, error: null }) };
  }

  /** All shards of a stage at once; where one of them cannot go on, the others stop. */
  async #runStage(work: Work, stage: StagePlan): Promise<void> {
    const failed = new AbortController();
    const signal = AbortSignal.any([work.signal, failed.signal]);
    const parts = partitionsOf(work.plan, stage).map(async (partition) => {
      try {
        await this.#runPart({ ...work, signal }, { stage: stage.index, partition });
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
    await Promise.allSettled(parts);
    if (failed.signal.aborted) throw failed.signal.reason;
  }

  async #runPart(work: Work, ref: StageRef): Promise<void> {
    const { plan, request, signal, ends } = work;
    const isLast = ref.stage === plan.stages.length - 1;
    const begin = isLast ? this.#keeper(work, ref) : this.#mover(plan, ref);
    const { target, openStage } = request;
    const end = await this.#options.runner.runHere({ plan, ref, ends, target, openStage }, { begin, signal });
    ends.set(stageName(ref), end);
    await this.#options.store.endStage(plan.id, ref, end);
  }

  /** Results stay in memory. */
  #keeper({ results, spend }: Work, { partition }: StageRef): RunHow['begin'] {
    let attempt = 0;
    return async () => {
      attempt += 1;
      const sink = createMemorySink(spend);
      results.set(partition, sink.results);
      return { attempt, sink };
    };
  }

  /** Records for the next stage go through Redis, as those of all runs. */
  #mover(plan: ExecutionPlan, ref: StageRef): RunHow['begin'] {
    const { store, runner } = this.#options;
    return async () => {
      const attempt = await store.beginAttempt(plan.id, ref);
      return { attempt, sink: runner.redisSink(plan, { ...ref, attempt }) };
    };
  }

  /** What cannot be removed now is found by the sweep. */
  async #forget({ id }: ExecutionPlan): Promise<void> {
    const { store, conductor, log } = this.#options;
    try {
      const record = await store.read(id);
      if (record !== null) await conductor.drop(record);
    } catch (error) {
      log.debug({ err: error, execution: id }, 'a nested run could not be forgotten');
    }
  }
}
