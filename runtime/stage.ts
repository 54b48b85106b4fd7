import type { LoadableVersion } from '#functions';
import type { GuestError } from './invocation.ts';

/**
 * One local stage of a batch run: consecutive steps of a plan, run in a sandbox over records that arrive in pieces, with
 * their accumulators kept between the pieces. A plan is cut into stages at its global steps (`collect`, `repartition`); the
 * scheduler reads the input, moves records between shards and knows nothing of what they hold.
 */
export interface StageRequest {
  readonly target: LoadableVersion;
  /** Position among the `run(...)` calls of the source. */
  readonly runIndex: number;
  /** For the log and for errors. */
  readonly executionId: string;
  /** Steps [firstStep, endStep) of the plan's flat step list (`RunSpec.steps`). */
  readonly firstStep: number;
  readonly endStep: number;
  /**
   * What `feed` brings, as RESP text (one array): `keys`: `[[key, type, value], …]` with type text and value as the type's
   * own read command replied (or type and value missing with readValue false), or, for keys of one type, `[type, bytes of the
   * names, [name, …], [value, …]]`; `names`: `[name, …]`; `stream`: entries as
   * XRANGE replies; `records`: opaque texts of a former stage's output; `generator`: nothing is fed, the guest's generator is
   * pulled by `pull`.
   */
  readonly input: 'keys' | 'names' | 'stream' | 'records' | 'generator';
  readonly key: string;
  readonly hashtag: string;
  /** `results`: RESP2 text for the client; `records`: opaque texts; `partitioned`: opaque texts, each with its key. */
  readonly output: 'results' | 'records' | 'partitioned';
  /** How many runs stand around its functions; see `NestedRun.depth`. Default 0. */
  readonly depth?: number;
  /** Measures time per step. */
  readonly profile: boolean;
  readonly signal: AbortSignal;
}

export interface StageOutput {
  /** RESP2 replies (`results`) or opaque latin1 texts; in order. */
  readonly records: readonly string[];
  /** With `partitioned`: the key text of each record (latin1); else empty. */
  readonly keys: readonly string[];
  /** Error records, with the user's file and line; they skip all later steps. */
  readonly errors: readonly GuestError[];
  /** True: no further input is wanted (a `limit` is full, or an error ended the reading). */
  readonly enough: boolean;
}

export interface StageRun extends AsyncDisposable {
  /** Hands a piece over; up to two may be under way. Rejects with SANDBOX_DIED (retry the stage), LIMIT_*, or when aborted. */
  feed(payload: string, count: number): Promise<StageOutput>;
  /** `generator`: at most so many further records are pulled; `enough` tells the end. */
  pull(count: number): Promise<StageOutput>;
  /**
   * No more input: what accumulators hold comes out, at most so many records at once; `enough` tells the end. Bounded memory
   * where `finish` would hold all of it.
   */
  drain?(count: number): Promise<StageOutput>;
  /** The same at once. Must be called once, unless `drain` was called to the end; afterwards the stage is over. */
  finish(): Promise<StageOutput>;
  /** Milliseconds per step so far, by position in the stage; empty without `profile`. */
  stepTimes(): readonly number[];
}
