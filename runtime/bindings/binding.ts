/**
 * What the engine may ask of the world on behalf of a guest. Every effect of a function goes through one of these
 * contracts; the engine never sees a connection, and a guest never sees anything but text.
 */

/** A command that policy refuses, and where it stands in the text it was found in. */
export interface Refusal {
  /** Position among the commands of the text, from 0. */
  readonly position: number;
  /** What the guest gets instead of a reply: one RESP error, `-COMMAND_FORBIDDEN …\r\n`. */
  readonly reply: string;
}

/** Decides which Redis commands a guest may send. */
export interface CommandPolicy {
  /**
   * Looks at each of exactly `count` complete RESP commands. null = all may be sent as they are. Throws SANDBOX_PROTOCOL when
   * the text is anything else than `count` arrays of bulk strings: only a broken or hostile sandbox produces that.
   */
  check(commands: string, count: number): readonly Refusal[] | null;
  /** The same for a single command. */
  checkOne(command: string): Refusal | null;
}

/** Pairs of first and last command position of each `atomic` group of a round, ascending. */
export type CommandGroups = readonly (readonly [number, number])[];

/** Commands of one batch that leave together. */
export interface EffectRound {
  /** RESP text of exactly `count` commands. */
  readonly commands: string;
  readonly count: number;
  /** Which entry of the batch caused each of them. */
  readonly owners: ArrayLike<number>;
  readonly groups: CommandGroups;
  /** Positions that are not sent: their entries have been given up meanwhile. null = none. */
  readonly withheld: ReadonlySet<number> | null;
}

/** Commands that go to Redis in one pipeline. */
export interface Effects extends AsyncDisposable {
  /**
   * Checks and sends one round of commands and resolves with one reply per command, in order; refused commands are
   * not sent and have an error in their place. Throws SANDBOX_PROTOCOL at once (malformed text, nothing was sent); rejects
   * with REDIS_LINK_LOST (nobody knows which commands ran).
   * @param policy checks in place of the general one, for a version that is narrowed further.
   */
  send(round: EffectRound, policy?: CommandPolicy): Promise<string>;
}

/** One `atomic(async tx => …)` of one entry. */
export interface AtomicSession {
  /**
   * Runs a reading command at once, its keys being watched; queues a writing one and answers `+QUEUED`. Resolves with the
   * reply as RESP text; refused commands and keys in different slots are error replies, and then `commit` answers with the
   * first of them. Rejects with REDIS_LINK_LOST.
   */
  command(command: string): Promise<string>;
  /** The EXEC reply; a nil array says that somebody else changed a watched key. Ends the session. */
  commit(): Promise<string>;
  /** Forgets everything queued and gives the connection back. May be called in any state, repeatedly. */
  discard(): Promise<void>;
}

/** Opens sessions; bounded in number, the next ones wait. */
export interface AtomicSessions extends AsyncDisposable {
  /**
   * @param policy checks in place of the general one, for a version that is narrowed further.
   * @param entry whose it is; for those who want to know.
   */
  open(policy?: CommandPolicy, entry?: number): AtomicSession;
}

/** Where the log lines of guests go. */
export interface LogSink {
  write(source: LogSource, lines: readonly { readonly level: GuestLogLevel; readonly message: string }[]): void;
}

export type GuestLogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

export interface LogSource {
  readonly functionName: string;
  readonly version: number;
  /** True: written while the source was evaluated. */
  readonly atLoad?: true;
}
