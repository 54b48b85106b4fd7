import type { Batch, Entry, Execution } from './batch.ts';
import { bareList } from './primordials.ts';

export function createExecution(batch: Batch, first: number): Execution {
  const end = first + batch.executionSize;
  const last = end < batch.entryCount ? end : batch.entryCount;
  return {
    batch,
    first,
    end: last,
    open: last - first,
    gathering: last - first,
    entries: batch.plan.binds ? bareList<Entry>() : null,
    stage: 0,
    gathered: 0,
    failed: false,
    output: 0,
  };
}
