import type { ActiveRegistration, LoadableVersion } from '#functions';
import type { EndedEntries, Invocation, Outcome } from '#runtime';
import { EXECUTIONS_IN_TURN as CALLS_IN_TURN } from '../consumer/permit-share.ts';
import type { Permit, Permits } from '../fleet/fleet.ts';
import type { RunCount } from '../journal/journal.ts';
import { type CallFilter, callFilterOf } from './call-filter.ts';
import { type CallKeys, createCallKeys } from './call-keys.ts';
import { createCallLine } from './call-line.ts';
import { isKeyed, isOrdered } from './call-order.ts';
import { type Call, CallRun } from './call-run.ts';
import {
  ABORTED_REPLY,
  crowdedReply,
  DRAINING_REPLY,
  fullReply,
  INTERRUPTED_REPLY,
  LAPSED_REPLY,
  thrownReply,
} from './command-reply.ts';

/** What a lane needs of the trigger it belongs to. */
export interface LaneOptions {
  readonly registrationId: string;
  readonly hashtag: string;
  /** Calls that may wait or run at once. */
  readonly maxCalls: number;
  /** Of registrations with `concurrency` or a `key`; null = there are none such. */
  readonly places: CallPlaces | null;
  readonly signal: AbortSignal;
  execute(invocation: Invocation): Promise<Outcome>;
  count(run: RunCount): void;
  /** Asks for `flush` at the end of this tick. */
  schedule(lane: CommandLane): void;
}

/** Where calls get permits, and how long they wait for one. */
export interface CallPlaces {
  readonly permits: Permits;
  readonly waitMs: number;
}

const MAX_BATCH = 1_000;
/** How often calls are run again that were interrupted before any command had been sent. */
const MAX_REPEATS = 3;

interface Batch {
  readonly calls: readonly Call[];
  readonly target: LoadableVersion;
  readonly registrationIndex: number;
  readonly signal: AbortSignal;
  readonly repeats: number;
  /** What its calls run with; null = they need none. */
  readonly permit: Permit | null;
  /** With a `key`; else null. */
  readonly keys: CallKeys | null;
}

/** Work that was given up is over within the engine's next look at its signals; this is for a sandbox that hangs. */
const ABORT_MS = 1_000;

/**
 * The calls of one registration. Those of one tick travel together. An ordered lane has one batch in work at a time and
 * gathers the next meanwhile; the others start a batch per tick. With `concurrency` a batch is as large as there are permits.
 */
export class CommandLane {
  readonly #options: LaneOptions;
  #registration: ActiveRegistration;
  #target: LoadableVersion;
  #filter: CallFilter | null;
  readonly #waiting = createCallLine((calls) => this.#onLate(calls));
  #inWork = 0;
  readonly #running = new Set<Promise<void>>();
  #isBusy = false;
  /** Ends the wait for a permit; null = nobody waits for one. */
  #asking: AbortController | null = null;
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
    const { places } = this.#options;
    this.#waiting.push(call, places === null || this.#permitted === null ? null : places.waitMs);
    if (this.#waiting.length === 1 && !this.#isBusy) this.#options.schedule(this);
  }

  /** Answers everything that has not begun. */
  refuseWaiting(reply: string): void {
    for (const call of this.#waiting.clear()) call.answer(reply);
    this.#asking?.abort();
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
    if (this.#options.places !== null && this.#permitted !== null) void this.#startPermitted(this.#options.places);
    else while (this.#waiting.length > 0 && !this.#isBusy) this.#start(MAX_BATCH, null);
  }

  /** Calls at once in the fleet; null = as many as there are. */
  get #permitted(): number | null {
    return this.#registration.spec.flow?.concurrency ?? null;
  }

  #start(most: number, permit: Permit | null): void {
    const { spec } = this.#registration;
    this.#isBusy = isOrdered(this.#registration);
    const calls = this.#waiting.take(most);
    const keys = this.#keysFor(spec.id);
    const signals = [permit?.signal, keys?.lost].filter((signal) => signal !== undefined);
    const signal = signals.length === 0 ? this.#signal : AbortSignal.any([this.#signal, ...signals]);
    const batch = { calls, target: this.#target, registrationIndex: spec.index, signal, repeats: 0, permit, keys };
    const work = this.#work(batch).finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  #keysFor(registrationId: string): CallKeys | null {
    const { places } = this.#options;
    if (places === null || !isKeyed(this.#registration)) return null;
    return createCallKeys({ permits: places.permits, registrationId });
  }

  /** Starts calls as there are permits for them; of an ordered lane some, one after another, with one permit. */
  async #startPermitted({ permits }: CallPlaces): Promise<void> {
    if (this.#asking !== null) return;
    while (this.#waiting.length > 0 && !this.#isBusy) {
      const isInLine = isOrdered(this.#registration);
      const asking = new AbortController();
      this.#asking = asking;
      const permit = await permits.take({
        registrationId: this.#options.registrationId,
        limit: () => this.#permitted ?? Number.MAX_SAFE_INTEGER,
        wanted: isInLine ? 1 : Math.min(MAX_BATCH, this.#waiting.length),
        signal: AbortSignal.any([asking.signal, this.#signal]),
      });
      this.#asking = null;
      if (permit === null && !asking.signal.aborted) this.refuseWaiting(DRAINING_REPLY);
      else if (permit !== null && this.#waiting.length > 0)
        this.#start(isInLine ? CALLS_IN_TURN : permit.count, permit);
      else permit?.release();
    }
  }

  #onLate(calls: readonly Call[]): void {
    const { registrationId, places } = this.#options;
    const reply = crowdedReply(registrationId, this.#permitted ?? 1, places?.waitMs ?? 0);
    for (const call of calls) call.answer(reply);
    if (this.#waiting.length === 0) this.#asking?.abort();
  }

  async #work(batch: Batch): Promise<void> {
    this.#inWork += batch.calls.length;
    this.#options.count({ triggered: batch.calls.length });
    const run = new CallRun(batch.calls, this.#options);
    const outcome = await this.#execute(batch, run);
    await this.#afterInterruption(batch, run, outcome);
    batch.permit?.release();
    this.#inWork -= batch.calls.length;
    this.#isBusy = false;
    if (this.#waiting.length > 0) this.flush();
  }

  async #execute(batch: Batch, run: CallRun): Promise<Outcome | null> {
    try {
      return await this.#options.execute(this.#invocation(batch, run));
    } catch (error) {
      run.failRest(thrownReply(error));
      return null;
    } finally {
      run.failRest(INTERRUPTED_REPLY);
      batch.keys?.releaseAll();
    }
  }

  #invocation({ calls, target, registrationIndex, signal, permit, keys }: Batch, run: CallRun): Invocation {
    const { registrationId, hashtag } = this.#options;
    const ordered = isOrdered(this.#registration);
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
      ordered,
      wantResults: true,
      traceOf: (entry) => calls[entry]?.trace,
      onEnded: (ended) => {
        run.take(ended);
        if (!ordered) permit?.release(endedFor(ended));
        keys?.ended(ended);
      },
      ...(keys === null
        ? {}
        : { takeKey: (entry, key, over) => keys.take(entry, key, AbortSignal.any([over, signal])) }),
      signal,
    };
  }

  #shape(calls: readonly Call[], run: CallRun): Pick<Invocation, 'shape' | 'next'> {
    if (this.#registration.spec.trigger.kind !== 'hook') return { shape: 'command' };
    const next = (entry: number, command: string): Promise<string> => {
      run.hasHandedOn = true;
      return calls[entry]?.next?.(command) ?? Promise.resolve(INTERRUPTED_REPLY);
    };
    return { shape: 'hook', next };
  }

  /** Only a call that cannot have had an effect is run again: a second time might be once too often. */
  async #afterInterruption(batch: Batch, former: CallRun, outcome: Outcome | null): Promise<void> {
    const calls = former.interrupted;
    if (calls.length === 0) return;
    const { signal } = batch;
    const isHarmless = outcome !== null && outcome.commands === 0 && !former.hasHandedOn;
    if (isHarmless && !signal.aborted && batch.repeats < MAX_REPEATS) {
      const again = { ...batch, calls, repeats: batch.repeats + 1 };
      const run = new CallRun(calls, this.#options);
      await this.#afterInterruption(again, run, await this.#execute(again, run));
      return;
    }
    const reply =
      batch.permit?.signal.aborted === true || batch.keys?.lost.aborted === true
        ? LAPSED_REPLY
        : this.#replyTo(signal, isHarmless);
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

/** Calls that do not run again. */
function endedFor({ done, filtered, failed }: EndedEntries): number {
  return done.length + filtered.length + failed.filter(({ kind }) => kind !== 'interrupted').length;
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const handle = setTimeout(timer.resolve, deadlineMs);
  await Promise.race([work, timer.promise]);
  clearTimeout(handle);
}
