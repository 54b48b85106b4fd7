/** Sum of a whole batch, returned when every entry has been reported through `onEnded`. */
export interface Outcome {
  readonly done: number;
  readonly filtered: number;
  readonly failed: number;
  /** Executions that were started. */
  readonly executions: number;
  /** Redis commands the guest sent. */
  readonly commands: number;
  /** Wall time from the hand-over to the last end, ms. */
  readonly durationMs: number;
}
