/** One shard's stage of an execution. */
export interface StageJob {
  readonly kind: 'stage';
  readonly executionId: string;
  readonly stage: number;
  readonly partition: number;
}

/** What is to be done when a stage has ended on all its shards. */
export interface AdvanceJob {
  readonly kind: 'advance';
  readonly executionId: string;
  readonly stage: number;
}

/** Carries the stages of batch executions over the fleet. */
export interface StageQueue extends AsyncDisposable {
  /**
   * Adds one job for each shard of a stage and one behind them that runs when all of them have ended. Adding the same again
   * does nothing.
   */
  addStage(executionId: string, stage: number, partitions: readonly number[]): Promise<void>;
  /** Begins to take jobs. */
  start(handlers: StageHandlers): void;
  /** Takes no more jobs; after `deadlineMs` the signals of those in work are aborted. */
  drain(deadlineMs: number): Promise<void>;
}

export interface StageHandlers {
  /** A rejection makes the job come again, on any node; the last time it must not reject. */
  readonly runStage: (job: StageJob, context: StageContext) => Promise<void>;
  readonly advance: (job: AdvanceJob) => Promise<void>;
}

export interface StageContext {
  readonly isLastAttempt: boolean;
  readonly signal: AbortSignal;
}
