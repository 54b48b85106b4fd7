import type { Logger } from 'pino';
import { type CommandTable, replyStarts } from '#functions';
import type { AtomicSession, CommandWays, EffectRound, EndedEntries, Invocation } from '#runtime';
import { nowMs } from './clock.ts';
import { errorCodeOf, type ShownCommand, shownCommands } from './command-text.ts';
import type { EntryTrace } from './entry-trace.ts';

export interface BatchTraceOptions {
  readonly invocation: Invocation;
  /** Traced entries by their position in the batch. */
  readonly entries: ReadonlyMap<number, EntryTrace>;
  readonly commands: CommandTable;
  readonly beginMs: number;
  readonly log: Logger;
}

/** Error code of commands of which nobody knows whether they ran. */
const LOST = 'REDIS_LINK_LOST';

/**
 * Watches one batch from outside and tells its traced entries what becomes of them. Whatever fails in here is logged and else without
 * effect.
 */
export class BatchTrace {
  readonly #options: BatchTraceOptions;
  readonly #open: Map<number, EntryTrace>;
  /** When the next execution may have begun: in order, that is when the one before has ended. */
  #freeMs: number;

  constructor(options: BatchTraceOptions) {
    this.#options = options;
    this.#open = new Map(options.entries);
    this.#freeMs = options.beginMs;
  }

  /** The invocation with somebody watching. */
  watched(): Invocation {
    const { invocation } = this.#options;
    const { onEnded, ways, next } = invocation;
    return {
      ...invocation,
      ways: (own) => this.#watchedWays(ways?.(own) ?? own),
      ...(next === undefined ? {} : { next: (entry, command) => this.#handOn(entry, () => next(entry, command)) }),
      onEnded: (ended) => {
        this.#safely(() => this.#onEnded(ended));
        onEnded(ended);
      },
    };
  }

  /** Ends what has had no end: the batch was given up as a whole. */
  close(): void {
    const error = { code: 'INTERRUPTED', name: 'Error', message: 'the batch was given up', stack: '' };
    this.#safely(() => {
      for (const [index, entry] of this.#open) entry.fail({ index, kind: 'interrupted', error }, nowMs());
      this.#open.clear();
    });
  }

  #watchedWays({ effects, sessions, policy }: CommandWays): CommandWays {
    return {
      policy,
      effects: {
        // Throws at once for what cannot be, as the engine expects: so this is no async function.
        send: (round, own) => {
          const beginMs = nowMs();
          return effects.send(round, own).then(
            (replies) => {
              this.#safely(() => this.#onReplies(round, replies, beginMs));
              return replies;
            },
            (reason: unknown) => {
              this.#safely(() => this.#onReplies(round, null, beginMs));
              throw reason;
            },
          );
        },
        [Symbol.asyncDispose]: () => effects[Symbol.asyncDispose](),
      },
      sessions: {
        open: (own, entry) => this.#watchedSession(sessions.open(own, entry), entry ?? -1),
        [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
      },
    };
  }

  #watchedSession(session: AtomicSession, entry: number): AtomicSession {
    if (!this.#options.entries.has(entry)) return session;
    return {
      command: (command) =>
        this.#timed(
          entry,
          () => this.#shown(command),
          () => session.command(command),
        ),
      commit: () =>
        this.#timed(
          entry,
          () => ({ name: 'EXEC', text: 'EXEC' }),
          () => session.commit(),
        ),
      discard: () => session.discard(),
    };
  }

  #handOn(entry: number, work: () => Promise<string>): Promise<string> {
    return this.#timed(entry, () => ({ name: 'callNext', text: 'callNext' }), work);
  }

  async #timed(entry: number, shown: () => ShownCommand, work: () => Promise<string>): Promise<string> {
    const beginMs = nowMs();
    const note = (errorCode: string | null): void =>
      this.#safely(() => this.#entry(entry, beginMs)?.command({ ...shown(), errorCode, beginMs, endMs: nowMs() }));
    try {
      const reply = await work();
      note(errorCodeOf(reply, 0));
      return reply;
    } catch (error) {
      note(LOST);
      throw error;
    }
  }

  #shown(command: string): ShownCommand {
    const [shown] = shownCommands(command, 1, this.#options.commands);
    return shown ?? { name: '', text: '' };
  }

  /** @param replies null = they were lost. */
  #onReplies({ commands, count, owners }: EffectRound, replies: string | null, beginMs: number): void {
    const { entries, commands: table } = this.#options;
    let isOurs = false;
    for (let at = 0; at < count && !isOurs; at += 1) isOurs = entries.has(owners[at] as number);
    if (!isOurs) return;
    const endMs = nowMs();
    const starts = replies === null ? null : replyStarts(replies, count);
    let at = 0;
    for (const shown of shownCommands(commands, count, table)) {
      const errorCode = replies === null || starts === null ? LOST : errorCodeOf(replies, starts[at] ?? 0);
      this.#entry(owners[at] as number, beginMs)?.command({ ...shown, errorCode, beginMs, endMs });
      at += 1;
    }
  }

  /** A traced entry whose execution has begun by then. */
  #entry(position: number, byMs: number): EntryTrace | undefined {
    const entry = this.#options.entries.get(position);
    entry?.begin(Math.min(this.#freeMs, byMs));
    return entry;
  }

  #onEnded({ done, filtered, failed }: EndedEntries): void {
    const endMs = nowMs();
    for (const entry of this.#ended(done)) this.#begun(entry).end('done', endMs);
    for (const entry of this.#ended(filtered)) this.#begun(entry).end('filtered', endMs);
    for (const failure of failed) {
      const entry = this.#open.get(failure.index);
      if (entry === undefined) continue;
      this.#open.delete(failure.index);
      this.#begun(entry).fail(failure, endMs);
    }
    const { ordered, keyed } = this.#options.invocation;
    if (ordered && keyed !== true) this.#freeMs = endMs;
  }

  #begun(entry: EntryTrace): EntryTrace {
    entry.begin(this.#freeMs);
    return entry;
  }

  /** Traced ones among these positions; from now on they have their end. */
  *#ended(positions: ArrayLike<number>): Generator<EntryTrace> {
    for (let i = 0; i < positions.length; i += 1) {
      const position = positions[i] as number;
      const entry = this.#open.get(position);
      if (entry === undefined) continue;
      this.#open.delete(position);
      yield entry;
    }
  }

  #safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a trace could not be written');
    }
  }
}
