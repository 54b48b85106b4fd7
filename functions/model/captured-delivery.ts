/**
 * Arguments about delivery that all registrations share whose events are written to a stream of the platform first
 * (schedules, lists, channels) and are processed from there as the entries of any stream are.
 */
export interface CapturedDelivery {
  /** Records per execution, 1 … 100,000. Default 1. */
  readonly batch: number;
  /** Milliseconds after which an incomplete batch runs; 0 = at once. Default 0. */
  readonly durationMs: number;
  /** Default `retry`: these events have no other copy. */
  readonly onFailedPolicy: 'continue' | 'abort' | 'retry';
  /** First back-off of a retry, ms; doubles per attempt up to 60 s. Default 1000. */
  readonly retryIntervalMs: number;
  /** Attempts per event before it is dead-lettered; 0 = no cap. Default 5. */
  readonly maxAttempts: number;
  /** Events in work at once on one node. Default 1,000. */
  readonly maxInFlight: number;
  /** Events older than this end as expired without running; null = never. */
  readonly maxAgeMs: number | null;
}
