import { Type } from 'typebox';
import { AtMs, Bytes, Count, nullable, SpanMs, shape } from './parts.ts';

const PerSecond = Type.Number({ minimum: 0, description: 'per second' });
const LagShape = shape({ ageMs: SpanMs, unread: Count, pending: Count, waiting: Count });

export const SampleShape = shape(
  {
    atMs: AtMs,
    nodes: Count,
    entries: shape({ done: PerSecond, filtered: PerSecond, dead: PerSecond, expired: PerSecond }),
    executions: PerSecond,
    errors: PerSecond,
    retries: PerSecond,
    durationMs: nullable(shape({ p50: SpanMs, p99: SpanMs, max: SpanMs })),
    lag: nullable(LagShape),
    deadLetters: nullable(Count),
    sandboxes: shape({ processes: Count, isolates: Count, residentBytes: Bytes, largestBytes: Bytes }),
    nodeResidentBytes: Bytes,
    loopDelayMs: SpanMs,
  },
  'Sample',
);

export const HistoryShape = shape({ intervalMs: Count, samples: Type.Array(SampleShape) }, 'History');
