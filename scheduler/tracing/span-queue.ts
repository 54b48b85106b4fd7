import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { SpanCounts } from './tracing.ts';

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  /** Spans that wait or are on their way at once. */
  readonly most: number;
  readonly log: Logger;
}

/** Ended spans on their way to the collector: a bounded number of them, each of which is counted as taken, lost or dropped. */
export interface SpanQueue {
  readonly processor: SpanProcessor;
  counts(): SpanCounts;
}

const BATCH = 512;
const EVERY_MS = 500;

export function createSpanQueue({ exporter, most, log }: SpanQueueOptions): SpanQueue {
  const counts = { exported: 0, failed: 0, dropped: 0 };
  let waiting = 0;
  let isFailing = false;
  const onExported = (spans: number, { code, error }: ExportResult): void => {
    waiting -= spans;
    const isTaken = code === ExportResultCode.SUCCESS;
    counts[isTaken ? 'exported' : 'failed'] += spans;
    if (isTaken && isFailing) log.info({}, 'spans are taken again');
    if (!isTaken && !isFailing)
      log.warn({ err: error }, 'spans could not be sent to the collector; events are not affected');
    isFailing = !isTaken;
  };
  const counting: SpanExporter = {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        onExported(spans.length, result);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined ? {} : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  };
  const batching = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: most,
    maxExportBatchSize: Math.min(BATCH, most),
    scheduledDelayMillis: EVERY_MS,
  });
  return {
    counts: () => ({ ...counts }),
    processor: {
      onStart: () => undefined,
      onEnd(span) {
        if (waiting >= most) {
          counts.dropped += 1;
          return;
        }
        waiting += 1;
        batching.onEnd(span);
      },
      forceFlush: () => batching.forceFlush(),
      shutdown: () => batching.shutdown(),
    },
  };
}
