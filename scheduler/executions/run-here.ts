import type { Logger } from 'pino';
import type { LoadableVersion, RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { ExecutionSettings } from '../settings.ts';
import type { Conductor } from './conductor.ts';
import type { ExecutionPlan } from './execution-plan.ts';
import { type ExecutionStore, type StageEnd, stageName } from './execution-store.ts';
import type { ExecutionResults } from './executions.ts';
import { createBudget } from './pieces.ts';
import { errorsOf } from './read-results.ts';
import { createRunLine, type RunLine } from './run-line.ts';
import { createMemorySink, createRedisSink, type MemorySink } from './sinks.ts';
import type { StageRunner } from './stage-runner.ts';
import type { Waiting } from './waiting.ts';

export interface RunHereOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly settings: ExecutionSettings;
  readonly concurrency: number;
  readonly store: ExecutionStore;
  readonly runner: StageRunner;
  readonly conductor: Pick<Conductor, 'end'>;
  readonly waiting: Waiting;
  readonly log: Logger;
}

/** Executions of one stage whose callers wait on this node: results never leave its memory. */
export interface RunHere {
  run(plan: ExecutionPlan, target: LoadableVersion, caller: AbortSignal): Promise<ExecutionResults>;
  /** Waits for those in work, then stops them. */
  drain(deadlineMs: number): Promise<void>;
}

export function createRunHere(options: RunHereOptions): RunHere {
  return new LocalRuns(options);
}

const NEVER = new AbortController().signal;

class LocalRuns implements RunHere {
  readonly #options: RunHereOptions;
  readonly #line: RunLine;

  constructor(options: RunHereOptions) {
    this.#options = options;
    this.#line = createRunLine(options.concurrency);
  }

  async run(plan: ExecutionPlan, target: LoadableVersion, caller: AbortSignal): Promise<ExecutionResults> {
    const { store, waiting } = this.#options;
    try {
      using _ = await this.#line.enter('', NEVER);
      this.#line.stopped.throwIfAborted();
      return await this.#work(plan, target, caller);
    } catch (error) {
      await store.end(plan.id, 'aborted', error instanceof Error ? error.message : String(error));
      waiting.tell(plan.id);
      throw error;
    }
  }

  drain(deadlineMs: number): Promise<void> {
    return this.#line.drain(deadlineMs);
  }

  async #work(plan: ExecutionPlan, target: LoadableVersion, caller: AbortSignal): Promise<ExecutionResults> {
    const { settings, runner, store, waiting } = this.#options;
    let sink: MemorySink | undefined;
    let attempt = 0;
    const begin = async () => {
      attempt += 1;
      sink = createMemorySink(createBudget(settings.resultBytes, TOO_LARGE));
      return { attempt, sink };
    };
    const ref = { stage: 0, partition: plan.readers[0] ?? 0 };
    const part = { plan, ref, ends: new Map(), target };
    const end = await runner.runHere(part, { begin, signal: this.#line.stopped });
    const results = end.records === 0 ? [] : (sink?.results ?? []);
    if (caller.aborted) await this.#keep(plan, end, results);
    else await store.forget(plan.id);
    waiting.tell(plan.id);
    const ends = new Map([[stageName({ stage: 0, partition: 0 }), end]]);
    return { results: `*${results.length}\r\n${results.join('')}`, errors: errorsOf({ ends, error: null }) };
  }

  /** The caller has gone: what came of it can be fetched. */
  async #keep(plan: ExecutionPlan, end: StageEnd, results: readonly string[]): Promise<void> {
    const { access, keys, settings, store, conductor } = this.#options;
    const ref = { stage: 0, partition: plan.readers[0] ?? 0 };
    const { keepMs: lifeMs, storedBytes: limitBytes } = settings;
    const sink = createRedisSink({ access, keys, plan, from: { ...ref, attempt: end.attempt }, lifeMs, limitBytes });
    await sink.push({ records: results, keys: [] });
    await sink.flush();
    await store.endStage(plan.id, ref, { ...end, ...sink.summary() });
    const record = await store.read(plan.id);
    if (record !== null) await conductor.end(record, 'done');
  }
}

const TOO_LARGE = 'execution-results; or use UNBLOCKING and RG.GETRESULTS … CURSOR';
