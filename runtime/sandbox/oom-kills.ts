import { readFileSync } from 'node:fs';

/** Tells whether the kernel has lately killed a process for lack of memory. */
export interface OomKills {
  /** Takes note of the present count; reads at most every two seconds, so it may be called often. */
  look(): void;
  /** Any within the last two to four seconds? Null where the kernel does not say. */
  lately(): boolean | null;
}

/** Counts kills in all of the machine, those at the limit of a container among them. */
const KERNEL_COUNTERS = '/proc/vmstat';
const LOOK_MS = 2_000;

/** @param file in the form of Linux' `/proc/vmstat`, the default. */
export function countOomKills(file: string = KERNEL_COUNTERS): OomKills {
  let lookedMs = performance.now();
  let latest = readCount(file);
  /** The count before: the look itself may have come between the kill and the news of it. */
  let before = latest;
  return {
    look() {
      const now = performance.now();
      if (latest === null || now - lookedMs < LOOK_MS) return;
      lookedMs = now;
      before = latest;
      latest = readCount(file);
    },
    lately() {
      const count = readCount(file);
      return count === null || before === null ? null : count > before;
    },
  };
}

function readCount(file: string): number | null {
  try {
    const found = /^oom_kill (\d+)$/m.exec(readFileSync(file, 'latin1'));
    return found === null ? null : Number(found[1]);
  } catch {
    // No Linux, or a sandbox around the node that hides it.
    return null;
  }
}
