import type { ActiveRegistration, LoadableVersion } from '#functions';
import type { EndedEntries, Invocation, Outcome } from '#runtime';
import { errorTitle } from '../consumer/failures.ts';
import type { RunCount } from '../journal/journal.ts';
import { type CallFilter, callFilterOf } from './call-filter.ts';
import {
  ABORTED_REPLY,
  DRAINING_REPLY,
  fullReply,
  guestErrorReply,
  INTERRUPTED_REPLY,
  thrownReply,
} from './command-reply.ts';

/** One `RG.TRIGGER` that waits for its answer. `args` is one RESP array, latin1. */
export interface Call {
  readonly args: string;
  readonly answer: (reply: string) => void;
  /** Of a hooked command: hands it on; resolves with the reply. */
  readonly next?: (command: string) => Promise<string>;
}

/** What a lane needs of the trigger it belongs to. */
export interface LaneOptions {
  readonly registrationId: string;
  readonly hashtag: string;
  /** Calls that may wait or run at once. */
  readonly maxCalls: number;
  readonly signal: AbortSignal;
  execute(invocation: Invocation): Promise<Outcome>;
  count(run: RunCount): void;
  /** Asks for `flush` at the end of this tick. */
  schedule(lane: CommandLane): void;
}

const MAX_BATCH = 1_000;
const MAX_BATCH_CHARS = 8 * 1024 * 1024;
/** How often calls are run again that were interrupted before any command had been sent. */
const MAX_REPEATS = 3;

interface Batch {
  readonly calls: readonly Call[];
  readonly target: LoadableVersion;
  readonly registrationIndex: number;
  readonly signal: AbortSignal;
  readonly repeats: number;
}

/** Work that was given up is over within the engine's next look at its signals; this is for a sandbox that hangs. */
const ABORT_MS = 1_000;

/**
 * The calls of one registration. Those of one tick travel together. An ordered lane has one batch in work at a time and
 * gathers the next meanwhile; the others start a batch per tick.
 */
export class CommandLane {
  readonly #options: LaneOptions;
  #registration: ActiveRegistration;
  #target: LoadableVersion;
  #filter: CallFilter | null;
  #waiting: Call[] = [];
  #inWork = 0;
  readonly #running = new Set<Promise<void>>();
  #isBusy = false;
  #aborting = new AbortController();
  /** Of the node's stop and of `abort`. */
  #signal: AbortSignal;

  constructor(options: LaneOptions, registration: ActiveRegistration, target: LoadableVersion) {
    this.#options = options;
    this.#registration = registration;
    this.#target = target;
    this.#filter = callFilterOf(registration.spec);
    this.#signal = AbortSignal.any([options.signal, this.#aborting.signal]);
  }

  get registration(): ActiveRegistration {
    return this.#registration;
  }

  /** Calls waiting or in work. */
  get size(): number {
    return this.#waiting.length + this.#inWork;
  }

  /** What waits goes to the new version; what is in work ends on the one it began with. */
  update(registration: ActiveRegistration, target: LoadableVersion): void {
    this.#registration = registration;
    this.#target = target;
    this.#filter = callFilterOf(registration.spec);
  }

  /** False for calls that the registration's filter refuses: they are answered without running. */
  wants(args: string): boolean {
    if (this.#filter === null || this.#filter(args)) return true;
    this.#options.count({ triggered: 1, success: 1 });
    return false;
  }

  add(call: Call): void {
    if (this.size >= this.#options.maxCalls) {
      call.answer(fullReply(this.#options.registrationId, this.#options.maxCalls));
      return;
    }
    this.#waiting.push(call);
    if (this.#waiting.length === 1 && !this.#isBusy) this.#options.schedule(this);
  }

  /** Answers everything that has not begun. */
  refuseWaiting(reply: string): void {
    for (const call of this.#waiting.splice(0)) call.answer(reply);
  }

  /** Gives up what waits and what is in work; resolves when that has ended, after a second at the latest. Later calls run. */
  async abort(): Promise<void> {
    if (this.size === 0) return;
    const inWork = this.#aborting;
    this.#aborting = new AbortController();
    this.#signal = AbortSignal.any([this.#options.signal, this.#aborting.signal]);
    this.refuseWaiting(ABORTED_REPLY);
    inWork.abort();
    await within(ABORT_MS, Promise.all(this.#running));
  }

  /** Starts what waits. */
  flush(): void {
    while (this.#waiting.length > 0 && !this.#isBusy) {
      const { spec } = this.#registration;
      this.#isBusy = isOrdered(this.#registration);
      const calls = this.#takeBatch();
      const batch = { calls, target: this.#target, registrationIndex: spec.index, signal: this.#signal, repeats: 0 };
      const work = this.#work(batch).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
  }

  #takeBatch(): readonly Call[] {
    let count = 0;
    for (let chars = 0; count < Math.min(MAX_BATCH, this.#waiting.length) && chars < MAX_BATCH_CHARS; count += 1) {
      chars += this.#waiting[count]?.args.length ?? 0;
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  async #work(batch: Batch): Promise<void> {
    this.#inWork += batch.calls.length;
    this.#options.count({ triggered: batch.calls.length });
    const run = new BatchRun(batch.calls, this.#options);
    const outcome = await this.#execute(batch, run);
    await this.#afterInterruption(batch, run, outcome);
    this.#inWork -= batch.calls.length;
    this.#isBusy = false;
    if (this.#waiting.length > 0) this.flush();
  }

  async #execute(batch: Batch, run: BatchRun): Promise<Outcome | null> {
    try {
      return await this.#options.execute(this.#invocation(batch, run));
    } catch (error) {
      run.failRest(thrownReply(error));
      return null;
    } finally {
      run.failRest(INTERRUPTED_REPLY);
    }
  }

  #invocation({ calls, target, registrationIndex, signal }: Batch, run: BatchRun): Invocation {
    const { registrationId, hashtag } = this.#options;
    let payload = `*${calls.length}\r\n`;
    for (const call of calls) payload += call.args;
    return {
      target,
      registrationIndex,
      registrationId,
      ...this.#shape(calls, run),
      payload,
      entryCount: calls.length,
      key: '',
      hashtag,
      executionSize: 1,
      ordered: isOrdered(this.#registration),
      wantResults: true,
      onEnded: (ended) => run.take(ended),
      signal,
    };
  }

  #shape(calls: readonly Call[], run: BatchRun): Pick<Invocation, 'shape' | 'next'> {
    if (this.#registration.spec.trigger.kind !== 'hook') return { shape: 'command' };
    const next = (entry: number, command: string): Promise<string> => {
      run.hasHandedOn = true;
      return calls[entry]?.next?.(command) ?? Promise.resolve(INTERRUPTED_REPLY);
    };
    return { shape: 'hook', next };
  }

  /** Only a call that cannot have had an effect is run again: a second time might be once too often. */
  async #afterInterruption(batch: Batch, former: BatchRun, outcome: Outcome | null): Promise<void> {
    const calls = former.interrupted;
    if (calls.length === 0) return;
    const { signal } = batch;
    const isHarmless = outcome !== null && outcome.commands === 0 && !former.hasHandedOn;
    if (isHarmless && !signal.aborted && batch.repeats < MAX_REPEATS) {
      const again = { ...batch, calls, repeats: batch.repeats + 1 };
      const run = new BatchRun(calls, this.#options);
      await this.#afterInterruption(again, run, await this.#execute(again, run));
      return;
    }
    const reply = this.#replyTo(signal, isHarmless);
    for (const call of calls) call.answer(reply);
    this.#options.count({ aborted: calls.length });
  }

  /** What an interrupted call hears that is not run again. */
  #replyTo(signal: AbortSignal, isHarmless: boolean): string {
    const stops = this.#options.signal.aborted;
    if (signal.aborted && !stops) return ABORTED_REPLY;
    return stops && isHarmless ? DRAINING_REPLY : INTERRUPTED_REPLY;
  }
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const handle = setTimeout(timer.resolve, deadlineMs);
  await Promise.race([work, timer.promise]);
  clearTimeout(handle);
}

/** Strict arrival order: mode `sync` always, `async_local` with `inorder`. */
function isOrdered({ spec }: ActiveRegistration): boolean {
  return (
    spec.mode === 'sync' ||
    (spec.mode === 'async_local' && spec.trigger.kind === 'command' && spec.trigger.inorder) ||
    (spec.trigger.kind === 'hook' && spec.trigger.inorder)
  );
}

/** One batch in the sandbox: which call has had its answer. */
class BatchRun {
  readonly interrupted: Call[] = [];
  /** A command was handed on to Redis. */
  hasHandedOn = false;
  readonly #open: (Call | undefined)[];
  readonly #count: (run: RunCount) => void;
  #sinceMs = performance.now();

  constructor(calls: readonly Call[], options: Pick<LaneOptions, 'count'>) {
    this.#open = [...calls];
    this.#count = (run) => options.count(run);
  }

  take({ done, filtered, failed, results }: EndedEntries): void {
    for (let i = 0; i < done.length; i += 1) this.#take(done[i] as number)?.answer(results?.[i] ?? '*0\r\n');
    for (let i = 0; i < filtered.length; i += 1) {
      this.#take(filtered[i] as number)?.answer(results?.[done.length + i] ?? '*0\r\n');
    }
    let failures = 0;
    let lastError: string | null = null;
    for (const { index, kind, error } of failed) {
      const call = this.#take(index);
      if (call === undefined) continue;
      if (kind === 'interrupted') {
        this.interrupted.push(call);
        continue;
      }
      failures += 1;
      lastError = errorTitle(error);
      call.answer(guestErrorReply(error));
    }
    const nowMs = performance.now();
    const durationMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    const success = done.length + filtered.length;
    if (success + failures > 0) this.#count({ success, failures, durationMs, lastError });
  }

  /** Answers whatever has not been reported. */
  failRest(reply: string): void {
    let failures = 0;
    for (let i = 0; i < this.#open.length; i += 1) {
      const call = this.#take(i);
      if (call === undefined) continue;
      failures += 1;
      call.answer(reply);
    }
    if (failures > 0) this.#count({ failures, lastError: reply.slice(1, -2) });
  }

  #take(index: number): Call | undefined {
    const call = this.#open[index];
    this.#open[index] = undefined;
    return call;
  }
}
