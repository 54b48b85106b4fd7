import type { Invocation, Outcome } from '#runtime';

export type Execute = (invocation: Invocation) => Promise<Outcome>;

/**
 * Traces of events: from the entry's producer through its execution to the commands that the function sends. It only watches: what
 * is traced runs as it would otherwise, and a collector that is slow or away costs spans, never events.
 */
export interface Tracing extends AsyncDisposable {
  /** The same `execute`, with spans made of what is sampled. */
  tracing(execute: Execute): Execute;
  counts(): SpanCounts;
}

/** Spans since the node began. */
export interface SpanCounts {
  /** Taken by the collector. */
  readonly exported: number;
  /** Lost on their way. */
  readonly failed: number;
  /** Not taken up: as many as `trace-queue` allows were waiting. */
  readonly dropped: number;
}

export const NO_SPANS: SpanCounts = { exported: 0, failed: 0, dropped: 0 };
