import type { ActiveRegistration, TriggerSpec } from '#functions';

/** Numbers of a registration over all nodes, as `RG.DUMPREGISTRATIONS` shows them. */
export interface RegistrationStats {
  readonly numTriggered: number;
  readonly numSuccess: number;
  readonly numFailures: number;
  readonly numAborted: number;
  readonly lastRunDurationMs: number;
  readonly totalRunDurationMs: number;
  readonly lastEstimatedLagMs: number;
  readonly totalEstimatedLagMs: number;
  readonly lastError: string | null;
  /** Entries by their end (streams); all zero for commands. */
  readonly done: number;
  readonly filtered: number;
  readonly dead: number;
  readonly expired: number;
  readonly lostToTrim: number;
  readonly retries: number;
}

/**
 * The part that turns one kind of outside event into work. There is one trigger per reader kind on a node; the reconciler
 * hands it the registrations in force, and hands them again after each change.
 */
export interface Trigger extends AsyncDisposable {
  readonly kind: TriggerSpec['kind'];
  /** Kinds besides its own whose registrations it is handed, because it has a part in them. */
  readonly alsoFor?: readonly TriggerSpec['kind'][];
  /**
   * Brings the trigger to exactly these registrations (started, changed, paused, stopped). Returns when no event can any
   * more be taken up under the former state. What is in work goes on, except where a registration says `abortsWork`: that is
   * given up first, unsettled, and callers hear of it.
   */
  apply(registrations: readonly ActiveRegistration[]): Promise<void>;
  /** Stops taking up events and waits for those in work, at most until the deadline (ms from now); then gives them back. */
  drain(deadlineMs: number): Promise<void>;
}
