import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type LoadableVersion, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { ExecutionSettings } from '../settings.ts';
import type { Conductor } from './conductor.ts';
import type { ExecutionPlan } from './execution-plan.ts';
import { type ExecutionStore, type StageEnd, stageName } from './execution-store.ts';
import type { ExecutionResults } from './executions.ts';
import { errorsOf } from './read-results.ts';
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

const POLL_MS = 10;

export function createRunHere(options: RunHereOptions): RunHere {
  return new LocalRuns(options);
}

class LocalRuns implements RunHere {
  readonly #options: RunHereOptions;
  readonly #stop = new AbortController();
  readonly #line: (() => void)[] = [];
  #active = 0;

  constructor(options: RunHereOptions) {
    this.#options = options;
  }

  async run(plan: ExecutionPlan, target: LoadableVersion, caller: AbortSignal): Promise<ExecutionResults> {
    const { store, waiting } = this.#options;
    await this.#enter();
    try {
      this.#stop.signal.throwIfAborted();
      return await this.#work(plan, target, caller);
    } catch (error) {
      await store.end(plan.id, 'aborted', error instanceof Error ? error.message : String(error));
      waiting.tell(plan.id);
      throw error;
    } finally {
      this.#leave();
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (this.#active > 0 && performance.now() < deadline) await sleep(POLL_MS);
    const reason = new PlatformError<SchedulerErrorCode>(
      'NODE_DRAINING',
      'this node is stopping, run it on another one',
    );
    this.#stop.abort(reason);
    while (this.#active > 0 && performance.now() < deadline + STOP_MS) await sleep(POLL_MS);
  }

  async #work(plan: ExecutionPlan, target: LoadableVersion, caller: AbortSignal): Promise<ExecutionResults> {
    const { settings, runner, store, waiting } = this.#options;
    let sink: MemorySink = createMemorySink(settings.resultBytes);
    const end = await runner.runHere(plan, target, {
      signal: this.#stop.signal,
      sink: () => {
        sink = createMemorySink(settings.resultBytes);
        return sink;
      },
    });
    const results = end.records === 0 ? [] : sink.results;
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

  async #enter(): Promise<void> {
    if (this.#active >= this.#options.concurrency) await new Promise<void>((resolve) => this.#line.push(resolve));
    else this.#active += 1;
  }

  /** The place goes to the next one in line, if there is one. */
  #leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#active -= 1;
    else next();
  }
}

/** Stages that were told to stop have so long to do so. */
const STOP_MS = 1_000;
