import type { Batch } from './batch.ts';
import { NativeSet, setAdd, setForEach, setHas } from './primordials.ts';

/** The entry at this position was cancelled before it began. */
export function isCancelled(batch: Batch, position: number): boolean {
  return batch.cancelled !== null && setHas(batch.cancelled, position);
}

/** Entries of these positions that have not begun never will. */
export function cancelUnbegun(batch: Batch, positions: Set<number>): void {
  setForEach(positions, (position) => {
    if (position < batch.nextIndex) return;
    batch.cancelled ??= new NativeSet();
    setAdd(batch.cancelled, position);
  });
}
