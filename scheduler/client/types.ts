// With these types come those for authors, also in what is published.
export type {} from 'regears/functions';

import type { RemoteRedis } from './connection.ts';
import type { RemoteError } from './errors.ts';

/** What a run has come to. */
export interface RunResults<Result> {
  /** As the last step left them: JSON values, dates, bigints, maps, sets, and bytes as `Uint8Array`. */
  readonly results: readonly Result[];
  /** One for each record that failed, as far as the platform keeps them (1,000 per stage). */
  readonly errors: readonly RemoteError[];
}

/** Waiting for an execution. */
export interface WaitOptions {
  /** Milliseconds; RUN_TIMED_OUT after them. Default: for ever. */
  readonly timeoutMs?: number;
  /** Gives the waiting up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ShardStatus {
  readonly id: string;
  /** As `RG.GETEXECUTION` has it. */
  readonly status: string;
  readonly recordsRead: number;
  readonly recordsPerSecond: number;
}

export interface ExecutionStatus {
  readonly status: 'created' | 'running' | 'done' | 'aborted';
  /** Keys, entries or records read so far, on all shards. */
  readonly recordsRead: number;
  readonly shards: readonly ShardStatus[];
}

/** A run that was started and not waited for. Iterating waits for its end, then reads results page by page. */
export interface Execution<Result> extends AsyncIterable<Result>, AsyncDisposable {
  readonly id: string;
  /** Errors: EXECUTION_NOT_FOUND, here and below: it was dropped, or the platform has forgotten it. */
  status(): Promise<ExecutionStatus>;
  /** Waits for the end; reads in pages, so that no limit of one reply applies. Stays readable. */
  results(options?: WaitOptions): Promise<RunResults<Result>>;
  /** Results in pages, to hold one of them at a time; all errors come with the last one. */
  pages(options?: WaitOptions): AsyncIterable<RunResults<Result>>;
  /** Ends it on every shard, whatever its code is doing; does nothing when it has ended. */
  abort(): Promise<void>;
  /** Forgets an ended execution and its results. Errors: EXECUTION_RUNNING. */
  drop(): Promise<void>;
  /** Aborts and drops it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `register` has put in force. */
export interface Registered {
  /** Name of the function. */
  readonly name: string;
  /** Sending the same again makes no new version. */
  readonly version: number;
  readonly registrations: readonly string[];
}

/** Options of `run` that are the client's. */
export interface BlockingRun extends WaitOptions {
  readonly unblocking?: false;
}

export interface UnblockingRun {
  /** True: resolves with an execution as soon as it has been started. */
  readonly unblocking: true;
}

/** Results arrive as what they are, so there is nothing to make text of. */
type Extended<Argument, Extra> = Argument extends string | ((...args: never) => unknown) | undefined
  ? Argument
  : Omit<Argument, 'convertToStr'> & Extra;

/** The arguments that `run` has in a source, with options of the client's. */
type RunArguments<Args extends readonly unknown[], Extra> = Args extends readonly unknown[]
  ? { [Position in keyof Args]: Extended<Args[Position], Extra> }
  : never;

interface RemoteKind<Name extends ReaderName> extends BuilderKind {
  readonly builder: RemoteBuilder<this['record'], Name>;
}

/** A plan being built in a program outside; see `Steps` of `regears/functions` for what each step does. */
export interface RemoteBuilder<In, Name extends ReaderName> extends Steps<In, RemoteKind<Name>> {
  /**
   * What functions find under these names, in all steps, before and behind: JSON values, dates, bigints and bytes, as they are at
   * this call; and functions, which are sent as their source and may use all of these names. Errors: VALUE_UNSENDABLE,
   * FUNCTION_UNSENDABLE, ARGUMENT_INVALID.
   */
  with(values: Readonly<Record<string, unknown>>): RemoteBuilder<In, Name>;
  /** Name of the function that `register` makes: a change of its source makes a new version of it. */
  named(name: string): RemoteBuilder<In, Name>;
  /**
   * Runs the plan once. Without options of the client's it is one command, and the connection is busy until its end. With
   * `timeoutMs` or `signal` the platform is asked now and then, and the execution is aborted when nobody waits any more.
   */
  run(...args: RunArguments<RunOf<Name>, BlockingRun>): Promise<RunResults<In>>;
  run(...args: RunArguments<RunOf<Name>, UnblockingRun>): Promise<Execution<In>>;
  /** Binds the plan to its events, as a function of the name given to `named`, else one made of its source. */
  register(...args: RegisterOf<Name>): Promise<Registered>;
}

/** Makes builders whose plans are run by the platform that `redis` is connected to. */
export interface GearsRemoteBuilderConstructor {
  /**
   * @param redis a client of ioredis or node-redis that is connected to the RESP door of a node.
   * @param reader where records come from. Default `KeysReader`.
   * @param defaultArg what `run` takes when it is called without its first argument.
   * @param desc shown with executions and registrations.
   */
  new <Name extends ReaderName = 'KeysReader'>(
    redis: RemoteRedis,
    reader?: Name,
    defaultArg?: string | (() => unknown),
    desc?: string,
  ): RemoteBuilder<RecordOf<Name>, Name>;
}

/** Names of all steps. */
export type OperationName = keyof Steps<unknown, BuilderKind>;
