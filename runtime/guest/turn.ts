import type { Entry } from './batch.ts';
import { nativeNow } from './primordials.ts';

/** The runtime's clock counts whole ms and starts after that of the one who stops it. */
const CLOCK_SLACK_MS = 2;

/**
 * Whose turn it is. Everything an entry's handler does happens in its turn: a turn begins when a callback is called for the
 * entry or when a reply it waits for arrives, and it ends when the queue of microtasks has run dry. So a command belongs to
 * the entry whose turn it is, however many awaits stand before it. One case is ambiguous: a promise shared by several
 * entries goes on for all of them in the turn of the one that made it. When that entry has ended, the command is given
 * to the oldest entry of the batch that has begun and waits for no reply of its own.
 */
export interface Turn {
  readonly entry: Entry | null;
  enter(entry: Entry | null): void;
  /** A call from outside begins. */
  begin(): void;
  /** Runs the queue of microtasks until it is empty and ends the turn. Returns the time, ms. */
  end(): number;
  /** The entry a command belongs to now; null when there is none. */
  owner(): Entry | null;
  /** How often `owner` was asked: unchanged over a turn, nobody has kept its entry. */
  readonly asked: number;
}

/**
 * What the sandbox process reads when an isolate did not come back: whose turn it was. An isolate that is stopped among the
 * microtasks for its memory says so only when the call is over, when it is nobody's turn any more; the longest turn of the
 * call, ms, is then the one before which the garbage collector looked for memory, and gave up.
 */
export const BlameField = { known: 0, batch: 1, entry: 2, longest: 3, longestBatch: 4, longestEntry: 5 } as const;

function adoptive(ended: Entry): Entry | null {
  for (let entry = ended.batch.firstOpen; entry !== null; entry = entry.next) {
    if (entry.outstanding === 0) return entry;
  }
  return null;
}

export interface TurnOptions {
  readonly blame: Uint32Array;
  readonly checkpoint: () => void;
  /** After this time in one call the sandbox process stops the isolate. */
  readonly callMs: number;
}

export function createTurn({ blame, checkpoint, callMs }: TurnOptions): Turn {
  let current: Entry | null = null;
  let callEnd = 0;
  let turnStart = 0;
  let asked = 0;
  const measure = (now: number): void => {
    // At least one, so that 0 says that nobody had a turn.
    const took = now - turnStart + 1;
    turnStart = now;
    if (current === null || took < (blame[BlameField.longest] as number)) return;
    blame[BlameField.longest] = took;
    blame[BlameField.longestBatch] = current.batch.id;
    blame[BlameField.longestEntry] = current.index;
  };
  return {
    get entry() {
      return current;
    },
    enter(entry) {
      current = entry;
      if (entry === null) {
        blame[BlameField.known] = 0;
        return;
      }
      blame[BlameField.batch] = entry.batch.id;
      blame[BlameField.entry] = entry.index;
      blame[BlameField.known] = 1;
    },
    begin() {
      blame[BlameField.known] = 0;
      blame[BlameField.longest] = 0;
      turnStart = nativeNow();
      callEnd = turnStart + callMs - CLOCK_SLACK_MS;
    },
    end() {
      checkpoint();
      const now = nativeNow();
      // Being stopped among the microtasks only ends these. The entry must keep its turn until the stop comes through.
      while (now >= callEnd);
      measure(now);
      this.enter(null);
      return now;
    },
    get asked() {
      return asked;
    },
    owner() {
      asked++;
      if (current === null || !current.ended) return current;
      return adoptive(current);
    },
  };
}
