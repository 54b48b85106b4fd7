import type { ExecutionRecord, ExecutionStore } from './execution-store.ts';

/**
 * Keeps the number of executions within the limit: the oldest ended ones are dropped, running ones among the oldest are
 * forgotten when they end. Ids whose records have expired are dropped from the index.
 */
export async function evictOldest(
  store: Pick<ExecutionStore, 'ids' | 'read' | 'dropAtEnd' | 'forget'>,
  most: number,
  drop: (record: ExecutionRecord) => Promise<void>,
): Promise<void> {
  if (most === 0) return;
  const ids = await store.ids();
  for (const id of ids.slice(0, Math.max(0, ids.length - most))) {
    const record = await store.read(id);
    if (record === null) await store.forget(id);
    else if (record.status === 'done' || record.status === 'aborted') await drop(record);
    else await store.dropAtEnd(id);
  }
}
