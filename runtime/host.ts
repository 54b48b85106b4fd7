import type { LoadableVersion, RunSpec } from '#functions';
import type { StageRequest, StageRun } from './stage.ts';

/** A run that a handler has started and waits for. */
export interface NestedRun {
  readonly target: LoadableVersion;
  /** Checked. Its `index` names the plan in the isolate. */
  readonly run: RunSpec;
  /** How many runs stand around its functions, this one included: from 1. */
  readonly depth: number;
  /** Opens a stage where the plan is: in the isolate of the handler. Errors: SANDBOX_DIED when that is gone. */
  readonly openStage: (request: StageRequest) => Promise<StageRun>;
}

export interface NestedResults {
  /** Opaque texts, as a stage with output `records` gives them. */
  readonly records: readonly string[];
  /** As in RG.GETRESULTS. */
  readonly errors: readonly string[];
}

/** A future of a function, wherever it was created. */
export interface FutureName {
  readonly functionName: string;
  /** Letters and digits. */
  readonly id: string;
}

/** What handlers may ask for beyond commands: the platform's side. */
export interface GuestHost {
  /**
   * Runs a plan to its end. Aborting `signal` ends it. Errors: RESULTS_TOO_LARGE, those of the connection, the reason of `signal`;
   * what functions throw is in the results.
   */
  run(request: NestedRun, signal: AbortSignal): Promise<NestedResults>;
  /**
   * Completes a future with an outcome (latin1), which is kept for `keepMs`. False: it had been completed before. Errors: those of
   * the connection.
   */
  completeFuture(name: FutureName, outcome: string, keepMs: number): Promise<boolean>;
  /** Resolves with the outcome once there is one, also through outages. Rejects with the reason of `signal`. */
  awaitFuture(name: FutureName, signal: AbortSignal): Promise<string>;
}
