import type { GuestErrorReport, Progress } from '../messages.ts';

/** What this process must know of a batch to report its entries when the isolate is lost. */
export interface TrackedBatch {
  readonly id: number;
  readonly handle: number;
  readonly entryCount: number;
  /** One byte per entry: 1 once it was reported. */
  readonly ended: Uint8Array;
  open: number;
  /** Rounds of commands whose replies have not come. */
  rounds: number;
}

export function trackBatch(id: number, handle: number, entryCount: number): TrackedBatch {
  return { id, handle, entryCount, ended: new Uint8Array(entryCount), open: entryCount, rounds: 0 };
}

/** Marks entries as reported. */
export function markEnded(batch: TrackedBatch, positions: Uint32Array): void {
  for (const position of positions) {
    if (batch.ended[position] !== 0) continue;
    batch.ended[position] = 1;
    batch.open--;
  }
}

const NONE = new Uint32Array(0);

/** A progress that says nothing but that the frame was handled. */
export function emptyProgress(batch: number, answer: boolean): Progress {
  return {
    batch,
    answer,
    round: 0,
    commands: '',
    owners: NONE,
    done: NONE,
    filtered: NONE,
    started: 0,
    waiting: 0,
    results: '',
    resultLengths: NONE,
    notes: null,
  };
}

/** Fails all entries that have no end yet, each with the error that `errorOf` gives. */
export function failOpen(batch: TrackedBatch, errorOf: (position: number) => GuestErrorReport): Progress {
  const failed: { index: number; error: GuestErrorReport }[] = [];
  for (let index = 0; index < batch.entryCount; index++) {
    if (batch.ended[index] === 0) failed.push({ index, error: errorOf(index) });
  }
  batch.ended.fill(1);
  batch.open = 0;
  return { ...emptyProgress(batch.id, false), notes: { failed } };
}
