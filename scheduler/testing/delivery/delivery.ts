import type { GuestError, GuestLog } from '#runtime';
import type { Reply } from '../values.ts';

/** A Redis command a function has sent, in the order of sending. */
export interface SentCommand {
  /** Position of the record that caused it, in the event that was delivered. */
  readonly record: number;
  /** Upper case. */
  readonly name: string;
  /** Without the name. */
  readonly args: readonly (string | Uint8Array)[];
  /** What the function was answered; undefined when the sandbox was killed before, or the command never left. */
  readonly reply: Reply | undefined;
  /** `file:line:column` of the call in the author's source; '' when unknown. */
  readonly at: string;
  /** Commands of one transaction have the same number; they happen together or not at all. */
  readonly unit: number;
}

/** An error of a function, its stack in the author's own files and lines. */
export interface DeliveryError extends GuestError {
  /** Position of the record; -1 in batch runs, whose records are not told apart at their end. */
  readonly record: number;
}

/**
 * What became of a record. `interrupted`: it had no end when the sandbox was lost, and a platform would deliver it again.
 */
export type RecordEnd = 'done' | 'filtered' | 'failed' | 'interrupted';

/** One record of a delivery. */
export interface RecordOutcome {
  readonly end: RecordEnd;
  /** What came through the last step; text, unless the registration has `convertToStr: false`. */
  readonly results: readonly Reply[];
  readonly error: DeliveryError | null;
}

/** All that a delivery has caused. */
export interface Delivery {
  /** In the order of the event's records; none for batch runs. */
  readonly records: readonly RecordOutcome[];
  /** Results of all records, one after the other. */
  readonly results: readonly Reply[];
  readonly errors: readonly DeliveryError[];
  readonly logs: readonly Pick<GuestLog, 'level' | 'message'>[];
  readonly commands: readonly SentCommand[];
  /** True: the sandbox was killed on the way, or before the acknowledgement, because the test asked for it. */
  readonly crashed: boolean;
}
