/** A frame of the node that has no answer yet. */
export interface PendingFrame {
  readonly type: number;
  readonly batch: number;
  /** Who is to blame should the child die over it; null = nobody. */
  readonly owner: string | null;
  /** Longest time it may keep the child busy, ms. */
  readonly limitMs: number;
  /** Since when it is the oldest unanswered one, or the child has last told news of it, by `performance.now()`. */
  headSinceMs: number;
  /** News before the answer so far: a long batch is told in slices. */
  lifeSigns: number;
}

/** Unanswered frames, oldest first. Dropping the head costs the same however long the queue is. */
export interface FrameQueue {
  readonly size: number;
  readonly head: PendingFrame | undefined;
  push(frame: PendingFrame): void;
  /** Drops the head; the next one becomes head now. */
  shift(now: number): PendingFrame | undefined;
  /** The child has told news of the batch that it is at work with; a child that only ever does that is not believed for ever. */
  lifeSign(batch: number, now: number): void;
  /** The node itself was held up: time that the child must not be charged for. */
  excuse(ms: number, now: number): void;
}

const COMPACT_AT = 1024;
const MAX_LIFE_SIGNS = 10_000;

export function createFrameQueue(): FrameQueue {
  let frames: PendingFrame[] = [];
  let first = 0;
  return {
    get size() {
      return frames.length - first;
    },
    get head() {
      return frames[first];
    },
    push(frame) {
      frames.push(frame);
    },
    shift(now) {
      const frame = frames[first];
      if (frame === undefined) return undefined;
      first += 1;
      if (first === frames.length) {
        frames = [];
        first = 0;
      } else if (first >= COMPACT_AT) {
        frames = frames.slice(first);
        first = 0;
      }
      const next = frames[first];
      if (next) next.headSinceMs = now;
      return frame;
    },
    lifeSign(batch, now) {
      const frame = frames[first];
      if (frame?.batch !== batch || frame.lifeSigns >= MAX_LIFE_SIGNS) return;
      frame.lifeSigns += 1;
      frame.headSinceMs = now;
    },
    excuse(ms, now) {
      const frame = frames[first];
      if (frame) frame.headSinceMs = Math.min(now, frame.headSinceMs + ms);
    },
  };
}
