import type { LoadableVersion } from '#functions';
import type { CommandWays } from './bindings/narrowing.ts';

/**
 * What the scheduler hands to the runtime: a batch of events of one registration of one version. The payload is RESP
 * text exactly as Redis or a client sent it; only the guest parses it.
 */
export interface Invocation {
  readonly target: LoadableVersion;
  /** Which `register(...)` call of the version, `RegistrationSpec.index`. */
  readonly registrationIndex: number;
  readonly registrationId: string;
  /**
   * `stream`: the payload is one RESP array of stream entries, `[[id, [field, value, …]], …]`.
   * `command`: one RESP array of argument arrays, `[[trigger, arg, …], …]`.
   * `hook`: the same, of commands that `next` hands on.
   * `keys`: one RESP array of key events, `[[key, event, command | nil, type?, value?], …]`. Results are what `overrideReply`
   * was given: an array of one reply, or an empty one.
   */
  readonly shape: 'stream' | 'command' | 'hook' | 'keys';
  /** latin1 RESP text; holds `entryCount` entries. */
  readonly payload: string;
  readonly entryCount: number;
  /** Key of the stream (latin1), '' for commands. */
  readonly key: string;
  /** Hash tag of the event's shard, what `hashtag()` answers. */
  readonly hashtag: string;
  /** Records per execution: the batch is cut into executions of this size, in order. */
  readonly executionSize: number;
  /** True: an execution starts only after the one before has ended (mode `sync`, `inorder`). */
  readonly ordered: boolean;
  /**
   * With `ordered`: after an execution that failed, none of the batch starts any more; their entries are reported as failed
   * with kind `interrupted`. Keeps the order of a stream while its failed entry is retried. Default false.
   */
  readonly stopAtFailure?: boolean;
  /**
   * With `ordered` and executions of one record: the version's `key` callback says which of them must not run at once; the others
   * may. They begin in order. Default false.
   */
  readonly keyed?: boolean;
  /** True: results are encoded and returned; false: they are thrown away after the last step. */
  readonly wantResults: boolean;
  /** For `hook`: hands a command (RESP text, its name is a placeholder) on for an entry; resolves with its RESP2 reply. */
  readonly next?: (entry: number, command: string) => Promise<string>;
  /**
   * For calls of a version with a `key` callback: resolves when nothing else of the key is in work, which it then is until the entry is
   * reported as ended. Rejects when that cannot be said now; left out: every key is free.
   * @param signal aborted when the entry ends before.
   */
  readonly takeKey?: (entry: number, key: string, signal: AbortSignal) => Promise<void>;
  /** How many runs stand around its functions; see `NestedRun.depth`. Default 0. */
  readonly depth?: number;
  /** Stands around the sending of a round of commands; resolves with what `send` gave. */
  readonly around?: (commands: string, count: number, send: () => Promise<string>) => Promise<string>;
  /** Stands around the batch's ways to Redis: what it gives back is what its commands and transactions go through. */
  readonly ways?: (ways: CommandWays) => CommandWays;
  /** How often each entry has been delivered, this time included; null or left out = all for the first time. Only told on. */
  readonly attempts?: readonly number[] | null;
  /** What an entry came with that is not in the payload: where the trace it belongs to stands. Only told on. */
  readonly traceOf?: (entry: number) => TraceContext | undefined;
  /** Called with what the batch writes with `log` and `console`, besides the function's log; not believed, not bounded. */
  readonly onLogs?: (lines: readonly GuestLine[]) => void;
  /** Called once per round with the entries that have ended since; every entry is reported exactly once. */
  readonly onEnded: (ended: EndedEntries) => void;
  /** Aborted: shutdown, lost claim, unregistered. Entries without an end by then are reported as interrupted. */
  readonly signal: AbortSignal;
}

/** Place in a trace, as W3C Trace Context writes it; nothing of it has been checked. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** A line that a guest wrote. */
export interface GuestLine {
  readonly level: string;
  readonly message: string;
  /** Position of the entry in whose turn it was written; left out = of none. Not believed. */
  readonly entry?: number;
}

/** Entries of a batch that have ended, by their position in the payload. */
export interface EndedEntries {
  /** Ran through. */
  readonly done: ArrayLike<number>;
  /** A filter said no and nothing else came of them. */
  readonly filtered: ArrayLike<number>;
  readonly failed: readonly FailedEntry[];
  /** With `wantResults`: RESP2 text, one array of results per position of `done`, then of `filtered`; else null. */
  readonly results: readonly string[] | null;
}

/** What kind of failure it was, and so what the scheduler may do. */
export type FailureKind =
  /** The function threw: counts as an attempt. */
  | 'guest'
  /** A limit was crossed: counts as an attempt. */
  | 'limit'
  /** The sandbox process died while this very execution was running: counts, with blame. */
  | 'crash'
  /** The sandbox process died, or Redis was lost, while this entry was waiting: not its fault, run again at once. */
  | 'interrupted';

export interface FailedEntry {
  readonly index: number;
  readonly kind: FailureKind;
  readonly error: GuestError;
}

/** An error as it left the guest: plain text, the stack mapped to the user's own files and lines. */
export interface GuestError {
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}
