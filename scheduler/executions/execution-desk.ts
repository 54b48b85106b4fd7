import type { Logger } from 'pino';
import { PlatformError, type RedisAccess } from '#functions';
import type { NestedResults, NestedRun } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { StageQueue } from '../queues/stage-queue.ts';
import type { ExecutionSettings } from '../settings.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import type { Conductor } from './conductor.ts';
import type { ExecutionPlan } from './execution-plan.ts';
import { type ExecutionRecord, type ExecutionStore, notFound } from './execution-store.ts';
import type {
  ExecutionDetail,
  ExecutionResults,
  ExecutionSummary,
  Executions,
  ResultsPage,
  RunRequest,
} from './executions.ts';
import { followResults } from './follow-results.ts';
import { createNestedRuns, type NestedRuns } from './nested-runs.ts';
import type { Options } from './options.ts';
import type { Layouts } from './partitions.ts';
import { type PlanFacts, planRun } from './plan-run.ts';
import { readAllResults, readResultPage } from './read-results.ts';
import { evictOldest } from './retention.ts';
import { createRunHere, type RunHere } from './run-here.ts';
import { runOptionsOf } from './run-options.ts';
import type { StageRunner } from './stage-runner.ts';
import { summaryOf, viewOf } from './view.ts';
import type { Waiting } from './waiting.ts';

export interface DeskOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'self' | 'isAlive'>;
  readonly queue: Pick<StageQueue, 'addStage'>;
  readonly options: Pick<Options, 'read'>;
  readonly settings: ExecutionSettings;
  readonly concurrency: number;
  readonly store: ExecutionStore;
  readonly artifacts: ArtifactCache;
  readonly runner: StageRunner;
  readonly waiting: Waiting;
  readonly layouts: Layouts;
  readonly conductor: Conductor;
  readonly log: Logger;
}

/** The part of `Executions` that callers see. */
export type ExecutionDesk = Omit<Executions, typeof Symbol.asyncDispose>;

const NEVER = new AbortController().signal;

export function createExecutionDesk(options: DeskOptions): ExecutionDesk {
  return new Desk(options);
}

class Desk implements ExecutionDesk {
  readonly #options: DeskOptions;
  readonly #here: RunHere;
  readonly #nested: NestedRuns;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#here = createRunHere(options);
    this.#nested = createNestedRuns({ ...options, plan: (request) => this.#plan(request, 'a handler') });
  }

  async run(request: RunRequest, signal: AbortSignal): Promise<ExecutionResults> {
    const { waiting, settings, conductor } = this.#options;
    const plan = await this.#plan(request, 'a caller');
    if (plan.direct) return this.#here.run(plan, request.target, signal);
    await this.#enqueue(plan, request);
    await waiting.forEnd(plan.id, signal);
    const record = await this.#ended(plan.id);
    const results = await readAllResults(this.#options, record, settings.resultBytes);
    await conductor.drop(record);
    return results;
  }

  runNested(request: NestedRun, signal: AbortSignal): Promise<NestedResults> {
    return this.#nested.run(request, signal);
  }

  async start(request: RunRequest, { followed } = { followed: false }): Promise<string> {
    const plan = await this.#plan(request, followed ? 'a follower' : 'nobody');
    await this.#enqueue(plan, request);
    return plan.id;
  }

  async list(): Promise<readonly ExecutionSummary[]> {
    const { store } = this.#options;
    const ids = await store.ids();
    const records = await Promise.all(ids.map((id) => store.read(id)));
    const expired = ids.filter((_, at) => records[at] === null);
    await Promise.all(expired.map((id) => store.forget(id)));
    return records.filter((record) => record !== null).map(summaryOf);
  }

  async view(id: string): Promise<ExecutionDetail> {
    return viewOf(await this.#known(id));
  }

  async results(id: string): Promise<ExecutionResults> {
    return readAllResults(this.#options, await this.#ended(id), this.#options.settings.resultBytes);
  }

  async page(id: string, cursor: string): Promise<ResultsPage> {
    const record = await this.#known(id);
    if (record.plan.followed === true) return followResults(this.#options, record, cursor);
    return readResultPage(this.#options, ended(record), cursor);
  }

  async waitForEnd(id: string, signal: AbortSignal): Promise<void> {
    await this.#known(id);
    await this.#options.waiting.forEnd(id, signal);
  }

  async drop(id: string): Promise<void> {
    await this.#options.conductor.drop(await this.#ended(id));
  }

  async abort(id: string): Promise<void> {
    const { store, runner, waiting } = this.#options;
    const said = await store.askAbort(id);
    if (said === 'gone') throw notFound(id);
    if (said === 'over') return;
    runner.stop(id);
    if (said === 'ended') waiting.tell(id);
    await waiting.forEnd(id, NEVER);
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([this.#here.drain(deadlineMs), this.#nested.drain(deadlineMs)]);
  }

  async #plan(request: RunRequest, waits: PlanFacts['waits']): Promise<ExecutionPlan> {
    const { fleet, layouts, access, store, options, settings, conductor } = this.#options;
    const [number, layout, set] = await Promise.all([store.nextNumber(), layouts.read(), options.read()]);
    const { profile, maxExecutions } = runOptionsOf(set, settings);
    const slotOf = (key: string): number => access.slotOf(key);
    const plan = planRun(request, { number, layout, profile, self: fleet.self, nowMs: Date.now(), waits, slotOf });
    await store.create(plan, number);
    await evictOldest(store, maxExecutions, conductor.drop);
    return plan;
  }

  async #enqueue(plan: ExecutionPlan, { target }: RunRequest): Promise<void> {
    const { artifacts, queue, store } = this.#options;
    try {
      await artifacts.store(target.artifact);
      await queue.addStage(plan.id, 0, plan.readers);
    } catch (error) {
      await store.forget(plan.id);
      throw error;
    }
  }

  async #known(id: string): Promise<ExecutionRecord> {
    const record = await this.#options.store.read(id);
    if (record === null) throw notFound(id);
    return record;
  }

  async #ended(id: string): Promise<ExecutionRecord> {
    return ended(await this.#known(id));
  }
}

function ended(record: ExecutionRecord): ExecutionRecord {
  if (record.status === 'done' || record.status === 'aborted') return record;
  throw new PlatformError<SchedulerErrorCode>('EXECUTION_RUNNING', `execution ${record.plan.id} is still running`);
}
