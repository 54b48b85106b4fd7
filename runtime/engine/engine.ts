import { PlatformError } from '#functions';
import type { AtomicSessions, CommandPolicy, Effects, LogSink } from '../bindings/binding.ts';
import type { RuntimeLog } from '../bindings/log-sink.ts';
import type { Narrow } from '../bindings/narrowing.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { GuestHost } from '../host.ts';
import type { FailedEntry, Invocation } from '../invocation.ts';
import type { Outcome } from '../outcome.ts';
import type { Rehearsal } from '../rehearsal.ts';
import { createErrorTransfer } from '../sandbox/error-transfer.ts';
import { type LoadedIsolate, scriptName, versionKey } from '../sandbox/isolates.ts';
import { LoadFailure } from '../sandbox/load-failure.ts';
import type { SandboxPool } from '../sandbox/pool.ts';
import type { StageRequest, StageRun } from '../stage.ts';
import { type Asks, type AsksOptions, createAsks } from './asks.ts';
import { Batch } from './batch.ts';
import { createConcurrency } from './concurrency.ts';
import { aborted, type Failure, guestFailure, tooManyAtOnce, unavailable } from './failures.ts';
import { createStageOpener, type StageOpener } from './open-stage.ts';
import type { StageBatch } from './stage.ts';

export interface EngineOptions {
  readonly pool: SandboxPool;
  /** One per lane: the pipes that sandbox processes share. At least one. */
  readonly effects: readonly Effects[];
  readonly sessions: AtomicSessions;
  /** What effects and sessions check commands with. */
  readonly policy: CommandPolicy;
  /** Stricter ways to Redis for versions that keep to some commands or keys. Default: none is stricter. */
  readonly narrow?: Narrow;
  readonly logs: LogSink;
  readonly log: RuntimeLog;
  /** What events of one version may wait for at once, beside commands. */
  readonly mostWaits: number;
  /** See `AsksOptions`. */
  readonly refuseReading: AsksOptions['refuseReading'];
  /** How often signals and deadlines are looked at, ms. Default 25. */
  readonly checkEveryMs?: number;
  readonly rehearsal?: Rehearsal | undefined;
}

/** Runs invocations; see `Runtime.execute`. */
export interface Engine extends AsyncDisposable {
  execute(invocation: Invocation): Promise<Outcome>;
  openStage(request: StageRequest): Promise<StageRun>;
  serve(host: GuestHost): void;
}

/** How much of the version's concurrency a batch takes, and whether its executions go one by one. */
interface Share {
  readonly key: string;
  readonly weight: number;
  readonly ordered: boolean;
}

interface How {
  /** One execution after the other. */
  readonly ordered: boolean;
  readonly stage?: StageBatch;
}

export function createEngine(options: EngineOptions): Engine {
  return new BatchEngine(options);
}

class BatchEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #concurrency = createConcurrency();
  readonly #live = new Set<Batch>();
  readonly #stages: StageOpener;
  readonly #asks: Asks;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#stages = createStageOpener({
      pool: options.pool,
      concurrency: this.#concurrency,
      run: (isolate, invocation, stage) => this.#runIn(isolate, invocation, { ordered: false, stage }),
      isClosed: () => this.#closed,
    });
    this.#asks = createAsks({
      mostWaits: options.mostWaits,
      refuseReading: options.refuseReading,
      openWithin: (isolate, request) => this.#stages.openWithin(isolate, request),
      logs: options.logs,
    });
  }

  async execute(invocation: Invocation): Promise<Outcome> {
    if (this.#closed) throw new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the runtime is closed');
    const startedMs = performance.now();
    if (invocation.entryCount === 0) return outcomeOf(0, startedMs);
    const share = shareOf(invocation);
    const { limits } = invocation.target;
    if (!this.#concurrency.tryEnter(share.key, share.weight, limits.concurrency)) {
      // A caller of a command wants to know at once; entries of a stream can wait where they are.
      if (invocation.shape === 'command' || invocation.shape === 'hook')
        return failAll(invocation, tooManyAtOnce(limits), startedMs);
      const { signal } = invocation;
      const entered = await this.#concurrency.enter({ ...share, limit: limits.concurrency, signal });
      if (!entered) return failAll(invocation, aborted(signal), startedMs);
    }
    try {
      return await this.#run(invocation, share, startedMs);
    } finally {
      this.#concurrency.leave(share.key, share.weight);
    }
  }

  openStage(request: StageRequest): Promise<StageRun> {
    return this.#stages.open(request);
  }

  serve(host: GuestHost): void {
    this.#asks.serve(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const reason = new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the runtime was closed');
    const signal = AbortSignal.abort(reason);
    for (const batch of [...this.#live]) batch.abandon(signal);
    this.#stopTimer();
    await this.#options.pool[Symbol.asyncDispose]();
  }

  async #run(invocation: Invocation, share: Share, startedMs: number): Promise<Outcome> {
    let isolate: LoadedIsolate;
    try {
      const acquired = this.#options.pool.acquire(invocation.target);
      isolate = acquired instanceof Promise ? await acquired : acquired;
    } catch (reason) {
      return failAll(invocation, loadFailure(invocation, reason), startedMs);
    }
    if (invocation.signal.aborted || this.#closed) {
      this.#options.pool.release(isolate);
      return failAll(invocation, aborted(invocation.signal), startedMs);
    }
    return await this.#runIn(isolate, invocation, share);
  }

  #runIn(isolate: LoadedIsolate, invocation: Invocation, how: How): Promise<Outcome> {
    const { pool, effects, sessions, policy, narrow, logs, log, rehearsal } = this.#options;
    const lane = effects[isolate.slot.lane % effects.length];
    if (!lane) throw new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the runtime has no pipe to Redis');
    const common = { effects: lane, sessions, policy };
    const own = narrow?.(invocation.target, common) ?? common;
    const ways = rehearsal?.ways(own, invocation) ?? invocation.ways?.(own) ?? own;
    if (rehearsal) isolate.process.steer(isolate.handle, rehearsal.sources());
    const { stage } = how;
    return new Promise((resolve) => {
      const batch = new Batch(invocation, {
        isolate,
        ...ways,
        logs,
        log,
        ask: (ask) => this.#asks.answer(ask),
        ordered: how.ordered,
        ...(stage ? { header: stage.header, onStage: stage.onStage } : {}),
        onSettled: (outcome) => {
          this.#live.delete(batch);
          resolve(outcome);
        },
        onGone: () => (stage ? stage.onGone(batch) : pool.release(isolate)),
      });
      this.#live.add(batch);
      this.#startTimer();
      stage?.onStarted(batch);
      batch.start();
    });
  }

  /** Goes on until it finds nothing to look at: starting and stopping it costs a small batch more than all looks at it. */
  #startTimer(): void {
    this.#timer ??= setInterval(() => {
      if (this.#live.size === 0) this.#stopTimer();
      const now = performance.now();
      for (const batch of this.#live) batch.check(now);
    }, this.#options.checkEveryMs ?? 25);
  }

  #stopTimer(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** More executions at once than the version may run: they go one by one. */
function shareOf(invocation: Invocation): Share {
  const key = versionKey(invocation.target);
  const executions = Math.ceil(invocation.entryCount / invocation.executionSize);
  const { concurrency } = invocation.target.limits;
  if (invocation.keyed === true) return { key, weight: Math.min(executions, concurrency), ordered: true };
  if (invocation.ordered || executions > invocation.target.limits.concurrency) return { key, weight: 1, ordered: true };
  return { key, weight: executions, ordered: false };
}

function loadFailure(invocation: Invocation, reason: unknown): Failure {
  const { target } = invocation;
  if (!(reason instanceof LoadFailure)) return unavailable(reason, versionKey(target));
  const { artifact, functionName } = target;
  const sourceName = `${functionName}.${artifact.language}`;
  return guestFailure(createErrorTransfer({ artifact, fileName: scriptName(target), sourceName })(reason.report));
}

function failAll(invocation: Invocation, failure: Failure, startedMs: number): Outcome {
  const failed: FailedEntry[] = [];
  for (let index = 0; index < invocation.entryCount; index += 1) failed.push({ index, ...failure });
  invocation.onEnded({ done: [], filtered: [], failed, results: invocation.wantResults ? [] : null });
  return outcomeOf(invocation.entryCount, startedMs);
}

function outcomeOf(failed: number, startedMs: number): Outcome {
  return { done: 0, filtered: 0, failed, executions: 0, commands: 0, durationMs: performance.now() - startedMs };
}
