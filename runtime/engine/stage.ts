import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { EndedEntries, FailedEntry, GuestError, Invocation } from '../invocation.ts';
import type { LoadedIsolate } from '../sandbox/isolates.ts';
import { type StageNews, StageShape } from '../sandbox/messages.ts';
import { redactedResults } from '../sandbox/redaction.ts';
import type { StageOutput, StageRequest, StageRun } from '../stage.ts';
import type { Batch } from './batch.ts';
import { readStageRecords } from './stage-records.ts';

/** What makes a batch one of a stage. */
export interface StageBatch {
  readonly header: { readonly shape: number; readonly registrationIndex: number };
  readonly onStage: (news: StageNews) => void;
  readonly onStarted: (batch: Batch) => void;
  readonly onGone: (batch: Batch) => void;
}

export interface StageWorld {
  readonly isolate: LoadedIsolate;
  /** Number of the stage on this node. */
  readonly stage: number;
  /** Runs a batch in the isolate; resolves after its last end. */
  readonly run: (invocation: Invocation, batch: StageBatch) => Promise<unknown>;
  /** No code of the stage runs any more. */
  readonly onGone: () => void;
  /** Time between an abort and the kill of a process that does not come back, ms. */
  readonly graceMs: number;
}

interface Indexed {
  readonly index: number;
  readonly error: GuestError;
}

type Shape = (typeof StageShape)[keyof typeof StageShape];

const MOST_UNDER_WAY = 2;
/** Records that are taken from accumulators at once. */
const DRAIN_RECORDS = 1_000;
/** Limits that end a record; every other failure of the kind ends the isolate and with it what was gathered. */
const LIMITS_OF_A_RECORD: ReadonlySet<string> = new Set(['LIMIT_OUTPUT', 'LIMIT_COMMANDS', 'LIMIT_EXECUTION_TIME']);
/** After these the same stage can succeed elsewhere, or at once. */
const RETRYABLE: ReadonlySet<string> = new Set(['SANDBOX_DIED', 'REDIS_LINK_LOST']);

/** A stage on its way through a sandbox: every piece of input is a batch whose entries are its records. */
export class Stage implements StageRun {
  readonly #request: StageRequest;
  readonly #world: StageWorld;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  readonly #live = new Set<Batch>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Calls wait for their turn in order. */
  #tail: Promise<unknown> = Promise.resolve();
  #times: readonly number[] = [];
  #enough = false;
  #over = false;
  #finished = false;
  #closed = false;
  #gone = false;
  #killer: NodeJS.Timeout | null = null;
  readonly #onAbort = (): void => this.#watchAbort();

  constructor(request: StageRequest, world: StageWorld) {
    this.#request = request;
    this.#world = world;
    this.#signal = AbortSignal.any([request.signal, this.#closing.signal]);
    this.#signal.addEventListener('abort', this.#onAbort);
  }

  async feed(payload: string, count: number): Promise<StageOutput> {
    return await this.#ask(StageShape.feed, payload, count);
  }

  async pull(count: number): Promise<StageOutput> {
    return await this.#ask(StageShape.pull, '', count);
  }

  async drain(count: number): Promise<StageOutput> {
    this.#finished = true;
    const output = await this.#ask(StageShape.drain, '', count);
    return { ...output, enough: this.#over };
  }

  async finish(): Promise<StageOutput> {
    const records: string[] = [];
    const keys: string[] = [];
    const errors: GuestError[] = [];
    do {
      const output = await this.drain(DRAIN_RECORDS);
      for (const record of output.records) records.push(record);
      for (const key of output.keys) keys.push(key);
      errors.push(...output.errors);
    } while (!this.#over);
    return { records, keys, errors, enough: true };
  }

  stepTimes(): readonly number[] {
    return this.#times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort(new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the stage was closed'));
    await Promise.allSettled(this.#underWay);
    if (this.#world.isolate.process.state !== 'dead') this.#world.isolate.process.closeStage(this.#world.stage);
    this.#leaveIfIdle();
  }

  /** At most two batches are under way; those behind them wait. */
  async #ask(shape: Shape, payload: string, count: number): Promise<StageOutput> {
    this.#refuse(shape);
    const before = this.#tail;
    const turn = Promise.withResolvers<void>();
    this.#tail = turn.promise;
    await before;
    try {
      while (this.#underWay.size >= MOST_UNDER_WAY) await Promise.race(this.#underWay);
      const answer = this.#run(shape, payload, count);
      const settled: Promise<unknown> = answer.then(
        () => this.#underWay.delete(settled),
        () => this.#underWay.delete(settled),
      );
      this.#underWay.add(settled);
      turn.resolve();
      return await answer;
    } finally {
      turn.resolve();
    }
  }

  #refuse(shape: Shape): void {
    const isPull = this.#request.input === 'generator';
    const wrong =
      (this.#closed && 'it is closed') ||
      (shape !== StageShape.drain && this.#finished && 'it was told that there is no more') ||
      (shape === StageShape.feed && isPull && 'its records come from a generator') ||
      (shape === StageShape.pull && !isPull && 'it has no generator');
    if (wrong === false) return;
    const { executionId } = this.#request;
    throw new PlatformError<RuntimeErrorCode>(
      'RUNTIME_CLOSED',
      `a stage of ${executionId} takes no such call: ${wrong}`,
    );
  }

  async #run(shape: Shape, payload: string, count: number): Promise<StageOutput> {
    const { output, signal } = this.#request;
    if (this.#signal.aborted) throw this.#abortError();
    if (count === 0) return { records: [], keys: [], errors: [], enough: this.#enough };
    const parts: (string | undefined)[] = [];
    const errors: Indexed[] = [];
    let fatal: FailedEntry | null = null;
    const onEnded = (ended: EndedEntries): void => {
      takeResults(ended, parts);
      for (const failed of ended.failed) {
        if (isOfRecord(failed)) errors.push(failed);
        else if (fatal === null || fatal.kind === 'interrupted') fatal = failed;
      }
    };
    const onStage = (news: StageNews): void => this.#hear(news, errors);
    await this.#world.run(this.#invocation(payload, count, onEnded), {
      header: { shape, registrationIndex: this.#world.stage },
      onStage,
      onStarted: (batch) => this.#live.add(batch),
      onGone: (batch) => {
        this.#live.delete(batch);
        this.#leaveIfIdle();
      },
    });
    if (signal.aborted) throw this.#abortError();
    if (fatal !== null) throw fatalError(fatal);
    errors.sort((a, b) => a.index - b.index);
    const { records, keys } = readStageRecords(parts, output);
    const shown = output === 'results' ? redactedResults(records, this.#world.isolate.redactor) : records;
    return { records: shown, keys, errors: errors.map(({ error }) => error), enough: this.#enough };
  }

  #invocation(payload: string, entryCount: number, onEnded: Invocation['onEnded']): Invocation {
    const { target, runIndex, executionId, key, hashtag, depth = 0 } = this.#request;
    return {
      target,
      registrationIndex: runIndex,
      registrationId: executionId,
      shape: 'stream',
      payload,
      entryCount,
      key,
      hashtag,
      executionSize: 1,
      ordered: false,
      wantResults: true,
      depth,
      onEnded,
      signal: this.#signal,
    };
  }

  #hear(news: StageNews, errors: Indexed[]): void {
    this.#enough ||= news.enough;
    this.#over ||= news.over;
    if (news.times !== undefined) this.#times = news.times;
    const { toGuestError } = this.#world.isolate;
    for (const { index, error } of news.errors ?? []) errors.push({ index, error: toGuestError(error) });
  }

  #abortError(): PlatformError {
    return PlatformError.from(this.#signal.reason, 'RUNTIME_CLOSED');
  }

  /** Code that does not come back must not keep what was aborted alive. */
  #watchAbort(): void {
    this.#killer ??= setInterval(() => {
      const { process } = this.#world.isolate;
      for (const batch of this.#live) {
        if (batch.isAtWork()) process.kill('outside', 'a run was aborted while its code did not come back');
      }
    }, this.#world.graceMs);
    this.#leaveIfIdle();
  }

  #leaveIfIdle(): void {
    if (this.#live.size > 0) return;
    if (this.#killer !== null) clearInterval(this.#killer);
    this.#killer = null;
    if (this.#gone || !this.#closed) return;
    this.#gone = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#world.onGone();
  }
}

function takeResults({ done, results }: EndedEntries, parts: (string | undefined)[]): void {
  for (let i = 0; i < done.length; i += 1) {
    const position = done[i] ?? 0;
    while (parts.length <= position) parts.push(undefined);
    parts[position] = results?.[i];
  }
}

function isOfRecord({ kind, error }: FailedEntry): boolean {
  return kind === 'guest' || (kind === 'limit' && LIMITS_OF_A_RECORD.has(error.code));
}

function fatalError({ error }: FailedEntry): PlatformError {
  const { code, message, name, stack } = error;
  return new PlatformError(code, message, { retryable: RETRYABLE.has(code), details: { name, stack } });
}
