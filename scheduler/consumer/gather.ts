import { type ClaimedBatch, joinBatches, sliceBatch } from './batch.ts';
import { hold, type Lane, letGo } from './lane.ts';

interface Collected {
  batches: ClaimedBatch[];
  entries: number;
  timer: NodeJS.Timeout;
}

/** Holds entries back until a batch is complete or its time is over, per lane. */
export interface Gather {
  /** New entries of a lane whose registration has a duration; complete batches come back through `onReady`. */
  add(lane: Lane, batch: ClaimedBatch): void;
  /** Drops what is held of a lane and returns how many entries that were. */
  drop(lane: Lane): number;
  close(): void;
}

export function createGather(onReady: (lane: Lane, batch: ClaimedBatch) => void): Gather {
  const collected = new Map<Lane, Collected>();

  function release(lane: Lane, entries: number): void {
    const held = collected.get(lane);
    if (held === undefined) return;
    const all = joinBatches(held.batches);
    const ready = sliceBatch(all, 0, entries);
    clearTimeout(held.timer);
    collected.delete(lane);
    letGo(lane, ready.ids);
    if (entries < all.ids.length) collect(lane, sliceBatch(all, entries, all.ids.length));
    onReady(lane, ready);
  }

  function collect(lane: Lane, batch: ClaimedBatch): Collected {
    const timer = setTimeout(
      () => release(lane, collected.get(lane)?.entries ?? 0),
      lane.registration.trigger.durationMs,
    );
    const held = { batches: [batch], entries: batch.ids.length, timer };
    collected.set(lane, held);
    return held;
  }

  return {
    add(lane, batch) {
      hold(lane, batch.ids);
      let held = collected.get(lane);
      if (held === undefined) held = collect(lane, batch);
      else {
        held.batches.push(batch);
        held.entries += batch.ids.length;
      }
      const size = lane.registration.trigger.batch;
      const complete = Math.floor(held.entries / size) * size;
      if (complete > 0) release(lane, complete);
    },
    drop(lane) {
      const held = collected.get(lane);
      if (held === undefined) return 0;
      clearTimeout(held.timer);
      collected.delete(lane);
      for (const batch of held.batches) letGo(lane, batch.ids);
      return held.entries;
    },
    close() {
      for (const { timer } of collected.values()) clearTimeout(timer);
      collected.clear();
    },
  };
}
