import { PlatformError } from '#functions';
import type { EndedEntries, FailedEntry, Invocation } from '../invocation.ts';
import type { Progress } from '../sandbox/messages.ts';
import type { BatchListener, SandboxDeath } from '../sandbox/sandbox.ts';
import type { BatchWorld } from './batch-world.ts';
import { Deadlines } from './deadlines.ts';
import { EntryLedger } from './entry-ledger.ts';
import { aborted, bystander, crashed, executionTime, type Failure, redisLost } from './failures.ts';
import { HandedOn } from './handed-on.ts';
import { readNotedFailures } from './noted-failures.ts';
import { readResults } from './results.ts';
import { type Round, readRound } from './round.ts';
import { runHeader } from './run-header.ts';
import { SessionDesk } from './session-desk.ts';

const NONE: readonly never[] = [];
const NO_POSITIONS = new Uint32Array(0);
/** The guest counts exactly; the node only has to notice a sandbox that does not count any more. */
const OUTPUT_SLACK = 65_536;

/**
 * One invocation on its way through a sandbox. Everything that comes from there is checked; everything that happens to
 * an entry ends in exactly one report. Work is done per frame and round, not per entry, wherever that is possible.
 */
export class Batch implements BatchListener {
  readonly #invocation: Invocation;
  readonly #world: BatchWorld;
  readonly #ledger: EntryLedger;
  readonly #deadlines: Deadlines;
  readonly #rounds = new Map<number, Round>();
  readonly #startedMs = performance.now();
  #sent = NO_POSITIONS;
  #desk: SessionDesk | null = null;
  #batch = 0;
  /** Frames of ours that the child has not answered. */
  #unanswered = 0;
  #gone = false;
  #settled = false;
  #done = 0;
  #filtered = 0;
  #failed = 0;
  #executions = 0;
  #commands = 0;

  constructor(invocation: Invocation, world: BatchWorld) {
    this.#invocation = invocation;
    this.#world = world;
    this.#ledger = new EntryLedger(invocation.entryCount);
    this.#deadlines = new Deadlines(invocation.target.limits.executionMs, invocation.executionSize);
  }

  start(): void {
    const { isolate } = this.#world;
    const invocation = this.#invocation;
    const { key, hashtag, payload } = invocation;
    const header = { ...runHeader(invocation, this.#world.ordered), handle: isolate.handle, ...this.#world.header };
    const request = {
      header,
      texts: { key, hashtag, payload },
      owner: isolate.key,
      callMs: invocation.target.limits.callMs,
    };
    this.#unanswered += 1;
    this.#batch = isolate.process.run(request, this);
  }

  /** True while a frame of the batch is what its process is busy with. */
  isAtWork(): boolean {
    return !this.#gone && this.#world.isolate.process.isBusyWith(this.#batch);
  }

  /** Looks at the signal and the clock; called by the engine every few milliseconds. */
  check(nowMs: number): void {
    if (this.#settled) return;
    const { signal } = this.#invocation;
    if (signal.aborted) {
      this.abandon(signal);
      return;
    }
    const overdue = this.#deadlines.overdue(nowMs);
    if (overdue === 0) return;
    const late = this.#ledger.unended(overdue);
    if (late.length === 0) return;
    const held = new Set([...this.#rounds.values()].flatMap((round) => [...round.owners]));
    const { limits } = this.#invocation.target;
    const waiting = late.filter((position) => held.has(position));
    const working = late.filter((position) => !held.has(position));
    this.giveUp(waiting, executionTime(limits, true));
    this.giveUp(working, executionTime(limits, false));
  }

  /** Ends whatever has no end yet as interrupted. */
  abandon(signal: AbortSignal): void {
    this.giveUp(this.#ledger.unended(), aborted(signal));
  }

  onProgress(progress: Progress): void {
    if (progress.answer) this.#unanswered -= 1;
    if (progress.started > 0) {
      this.#executions += progress.started;
      this.#deadlines.started(progress.started, performance.now());
    }
    const { notes } = progress;
    if (notes?.stage) this.#world.onStage?.(notes.stage);
    if (notes?.logs) {
      this.#world.logs.write(this.#invocation.target, notes.logs);
      this.#invocation.onLogs?.(notes.logs);
    }
    const ended = this.#readEnded(progress);
    if (progress.owners.length > 0 || progress.commands.length > 0) this.#sendRound(progress, ended);
    else if (ended) this.#report(ended);
    if (notes?.sessions) for (const request of notes.sessions) this.#openDesk().handle(request);
    this.#desk?.sweep();
    this.#leaveIfIdle();
  }

  onDeath(death: SandboxDeath, atFault: boolean): void {
    // What is held only waits for Redis, unless the sandbox lied: then nothing it said last counts.
    const open = this.#ledger.unended(undefined, death.cause === 'protocol');
    // Before the first answer nobody knows how far it came; afterwards what had not begun cannot be at fault.
    const begun = this.#executions === 0 ? this.#ledger.size : this.#executions * this.#invocation.executionSize;
    this.#gone = true;
    this.#desk?.sweep();
    this.#world.onGone();
    const guilty = atFault ? open.filter((position) => position < begun) : NONE;
    const innocent = atFault ? open.filter((position) => position >= begun) : open;
    this.giveUp(guilty, crashed(death));
    this.giveUp(innocent, bystander(death));
  }

  /** The node ends these entries itself and tells the child not to go on with them. */
  giveUp(positions: readonly number[], failure: Failure): void {
    const given = positions.filter((position) => this.#ledger.giveUp(position));
    if (given.length === 0) return;
    if (!this.#gone) {
      this.#unanswered += 1;
      this.#world.isolate.process.cancel(this.#batch, given);
    }
    this.#desk?.sweep();
    this.#tell({
      done: NO_POSITIONS,
      filtered: NO_POSITIONS,
      failed: given.map((index) => ({ index, kind: failure.kind, error: failure.error })),
      results: this.#invocation.wantResults ? NONE : null,
    });
  }

  /** The ends of a frame, checked and marked as held; null when there are none. */
  #readEnded(progress: Progress): EndedEntries | null {
    const failed = this.#readFailed(progress);
    const { done, filtered } = progress;
    if (done.length === 0 && filtered.length === 0 && failed.length === 0) return null;
    const cleanDone = this.#ledger.hold(done);
    const cleanFiltered = this.#ledger.hold(filtered);
    const maxBytes = this.#invocation.target.limits.outputBytes * 2 + OUTPUT_SLACK;
    const results = this.#invocation.wantResults ? readResults(progress, maxBytes) : null;
    const ended = { done, filtered, failed, results };
    return cleanDone && cleanFiltered ? ended : this.#stillHeld(ended);
  }

  #readFailed(progress: Progress): readonly FailedEntry[] {
    const noted = progress.notes?.failed;
    if (!noted) return NONE;
    return readNotedFailures(noted, { ledger: this.#ledger, toGuestError: this.#world.isolate.toGuestError });
  }

  /** Without the entries that were given up since the guest spoke of them. */
  #stillHeld(ended: EndedEntries): EndedEntries {
    const held = (position: number): boolean => this.#ledger.isHeld(position);
    const { results } = ended;
    const positions = [...Array.from(ended.done), ...Array.from(ended.filtered)];
    return {
      done: Array.from(ended.done).filter(held),
      filtered: Array.from(ended.filtered).filter(held),
      failed: ended.failed.filter(({ index }) => held(index)),
      results: results?.filter((_, index) => held(positions[index] ?? -1)) ?? null,
    };
  }

  /** Commands of entries that have just ended come first: an end is reported when its effects have happened. */
  #sendRound(progress: Progress, ended: EndedEntries | null): void {
    const { limits } = this.#invocation.target;
    if (this.#sent.length === 0) this.#sent = new Uint32Array(this.#ledger.size);
    const round = readRound(progress, {
      ledger: this.#ledger,
      sent: this.#sent,
      commandsPerEntry: limits.commandsPerEvent * this.#invocation.executionSize,
    });
    this.#commands += round.count;
    const waits = ended !== null && round.owners.some((position) => this.#ledger.isHeld(position));
    if (ended && !waits) this.#report(ended);
    this.#rounds.set(round.round, round);
    this.#sendAround(round).then(
      (replies) => this.#onReplies(round, replies, waits ? ended : null),
      (reason: unknown) => this.#onLost(round, reason),
    );
  }

  #sendAround(round: Round): Promise<string> {
    const { around } = this.#invocation;
    const send = (): Promise<string> => this.#world.effects.send(round);
    if (around === undefined || round.withheld !== null) return send();
    return around(round.commands, round.count, send).catch((reason: unknown) => {
      if (reason instanceof PlatformError && reason.code === 'SANDBOX_PROTOCOL') {
        this.#world.isolate.process.kill('protocol', reason.message, this.#batch);
      }
      throw reason;
    });
  }

  #onReplies(round: Round, replies: string, ended: EndedEntries | null): void {
    this.#rounds.delete(round.round);
    if (!this.#gone) {
      this.#unanswered += 1;
      this.#world.isolate.process.replies(this.#batch, round.round, replies);
    }
    if (ended) this.#report(this.#stillHeld(ended));
  }

  /** Nobody knows which commands of the round ran: whoever waited for them runs again. */
  #onLost(round: Round, reason: unknown): void {
    this.#rounds.delete(round.round);
    const { executionSize } = this.#invocation;
    // An execution is one unit, and in order nobody may overtake the one that is to run again.
    const executions = new Set(Array.from(round.owners, (position) => Math.floor(position / executionSize)));
    const hit = this.#ledger
      .unended()
      .filter((position) => this.#world.ordered || executions.has(Math.floor(position / executionSize)));
    this.giveUp(hit, redisLost(reason));
    this.#leaveIfIdle();
  }

  #report(ended: EndedEntries): void {
    this.#ledger.end(ended.done);
    this.#ledger.end(ended.filtered);
    for (const { index } of ended.failed) this.#ledger.end([index]);
    this.#tell(ended);
  }

  #tell(ended: EndedEntries): void {
    this.#done += ended.done.length;
    this.#filtered += ended.filtered.length;
    this.#failed += ended.failed.length;
    if (ended.done.length + ended.filtered.length + ended.failed.length > 0) {
      try {
        this.#invocation.onEnded(ended);
      } catch (error) {
        this.#world.log.error({ err: error, registration: this.#invocation.registrationId }, 'onEnded threw');
      }
    }
    if (this.#ledger.unreported > 0 || this.#settled) return;
    this.#settled = true;
    this.#world.onSettled({
      done: this.#done,
      filtered: this.#filtered,
      failed: this.#failed,
      executions: this.#executions,
      commands: this.#commands,
      durationMs: performance.now() - this.#startedMs,
    });
  }

  /** Commands that nobody awaited may still be on their way after the last end; only then the isolate is let go. */
  #leaveIfIdle(): void {
    if (this.#gone || !this.#settled || this.#unanswered > 0 || this.#rounds.size > 0) return;
    this.#gone = true;
    this.#world.isolate.process.forget(this.#batch);
    this.#world.onGone();
  }

  #openDesk(): SessionDesk {
    if (this.#desk !== null) return this.#desk;
    const { isolate } = this.#world;
    const handedOn = new HandedOn(this.#invocation, this.#world.policy);
    this.#desk = new SessionDesk({
      sessions: this.#world.sessions,
      reply: (session, text) => {
        if (this.#gone) return;
        this.#unanswered += 1;
        this.#world.isolate.process.session(this.#batch, session, text);
      },
      next: (entry, command) => handedOn.send(entry, command),
      ask: (entry, command, signal) =>
        this.#world.ask({ invocation: this.#invocation, isolate, entry, command, signal }),
      lost: (entry, reason) => this.giveUp([entry], redisLost(reason)),
      breach: (error) => this.#world.isolate.process.kill('protocol', error.message, this.#batch),
      isOpen: (entry) => !this.#gone && this.#ledger.isOpen(entry),
    });
    return this.#desk;
  }
}
