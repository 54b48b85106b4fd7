import type { LoadableVersion, RunSpec } from '#functions';
import type { NestedResults, NestedRun } from '#runtime';

/**
 * Life of an execution: `created` (nobody works on it yet), `running`, then `done` (with or without errors) or `aborted`
 * (before it ran, or because nobody worked on it any more). In the view of one shard a stage that waits for its turn is
 * `pending_run`, and one that has ended while others have not `pending_cluster` (first shard) or `pending_termination`.
 */
export type ExecutionStatus =
  | 'created'
  | 'running'
  | 'pending_run'
  | 'pending_cluster'
  | 'pending_termination'
  | 'done'
  | 'aborted';

/** What is to run. */
export interface RunRequest {
  readonly target: LoadableVersion;
  readonly run: RunSpec;
}

export interface ExecutionSummary {
  readonly id: string;
  readonly status: ExecutionStatus;
  readonly functionName: string;
  readonly reader: string;
  readonly createdAtMs: number;
  /** Null while it has not ended. */
  readonly endedAtMs: number | null;
  /** Records read so far. */
  readonly recordsRead: number;
  /** Results; null while it has not ended. */
  readonly results: number | null;
  /** Errors so far, of all shards. */
  readonly errors: number;
}

/** What an execution runs. */
export interface ExecutionOutline {
  readonly functionName: string;
  readonly version: number;
  readonly run: RunSpec;
  readonly stages: number;
  /** True: runs on the node that created it. */
  readonly direct: boolean;
}

/** Results as they leave: RESP2 text. */
export interface ExecutionResults {
  /** One RESP2 array, latin1. */
  readonly results: string;
  /** Error texts, Unicode. */
  readonly errors: readonly string[];
}

/** A page of results. */
export interface ResultsPage extends ExecutionResults {
  /** What to ask with next; `0` after the last page. */
  readonly cursor: string;
}

export interface StepView {
  readonly type: string;
  readonly durationMs: number;
  readonly arg: string;
}

/** One shard's part of an execution. */
export interface ShardView {
  /** 40 characters. */
  readonly shardId: string;
  readonly status: ExecutionStatus;
  readonly shardsReceived: number;
  readonly shardsCompleted: number;
  /** -1 while not finished. */
  readonly results: number;
  readonly errors: readonly string[];
  readonly totalDurationMs: number;
  readonly readDurationMs: number;
  /** Last step first. */
  readonly steps: readonly StepView[];
  /** Keys, entries or records read by this shard so far, and how many in a second. */
  readonly recordsRead: number;
  readonly recordsPerSecond: number;
  /** How many of the shard's keys have been looked at, 0 to 100; -1 where nobody knows. */
  readonly percentRead: number;
  /** Stage this shard is in or was in last, from 1, and how many there are. */
  readonly stage: number;
  readonly stages: number;
  /** How often stages of this shard were started; more than `stage` when some had to be run again. */
  readonly attempts: number;
}

export interface ExecutionView {
  readonly summary: ExecutionSummary;
  readonly isClustered: boolean;
  readonly shards: readonly ShardView[];
}

/** A batch run with what it runs. */
export interface ExecutionDetail extends ExecutionView {
  readonly outline: ExecutionOutline;
  /** Error texts of all shards, Unicode. */
  readonly errors: readonly string[];
}

/** Batch runs: starts them, knows them, keeps what came of them. */
export interface Executions extends AsyncDisposable {
  /**
   * Runs and answers. On one shard the run is local to this node, and leaves nothing behind; with more shards its stages are
   * run by any node. When `signal` is aborted before the end, the run goes on and its results are kept. Errors:
   * EXECUTION_ABORTED, RESULTS_TOO_LARGE; what functions throw is in the results.
   */
  run(request: RunRequest, signal: AbortSignal): Promise<ExecutionResults>;
  /** Runs what a handler of this node has started, until `signal` is aborted. Errors: see `GuestHost.run`. */
  runNested(request: NestedRun, signal: AbortSignal): Promise<NestedResults>;
  /**
   * Starts a run and resolves with its id; any node may work on it. With `followed`, `page` gives results as they come, and a
   * part of which some were given does not begin again: should it have to, it ends with the error EXECUTION_PART_LOST.
   */
  start(request: RunRequest, how?: { readonly followed: boolean }): Promise<string>;
  list(): Promise<readonly ExecutionSummary[]>;
  /** Errors: EXECUTION_NOT_FOUND (here and below). */
  view(id: string): Promise<ExecutionDetail>;
  /** Errors: EXECUTION_RUNNING, RESULTS_TOO_LARGE. */
  results(id: string): Promise<ExecutionResults>;
  /**
   * @param cursor `0` or what the page before said. A run that is followed gives what has come, maybe nothing, until it has
   * ended; each result once, and none that does not count. Errors: EXECUTION_RUNNING, ARGUMENT_INVALID.
   */
  page(id: string, cursor: string): Promise<ResultsPage>;
  /** Resolves when the execution has ended; rejects when `signal` is aborted. */
  waitForEnd(id: string, signal: AbortSignal): Promise<void>;
  /** Errors: EXECUTION_RUNNING. */
  drop(id: string): Promise<void>;
  /** Resolves when nothing of it runs any more; does nothing for one that has ended. */
  abort(id: string): Promise<void>;
  /** Takes up nothing new; stages in work may end within `deadlineMs`. */
  drain(deadlineMs: number): Promise<void>;
}
