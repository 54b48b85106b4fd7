import { defineScript } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import type { Lane } from './lane.ts';
import type { RedisCalls } from './redis-calls.ts';

const TRIM = defineScript('trim', new URL('./scripts/trim.lua', import.meta.url));
const INTERVAL_MS = 500;

/** Removes from streams what every group has acknowledged, for registrations that ask for it. */
export interface Trimmer {
  /** Something of the lane was settled: trims within half a second, at most that often. */
  onSettled(lane: Lane): void;
  close(): void;
}

export interface TrimmerOptions {
  readonly calls: RedisCalls;
  readonly log: ConsumerLog;
}

export function createTrimmer({ calls, log }: TrimmerOptions): Trimmer {
  const due = new Set<Lane>();
  let timer: NodeJS.Timeout | undefined;

  function trimAll(): void {
    timer = undefined;
    for (const lane of due) {
      calls.script(TRIM, [lane.stream], []).catch((error: unknown) => {
        log.warn({ err: error, stream: lane.stream }, 'a stream could not be trimmed');
      });
    }
    due.clear();
  }

  return {
    onSettled(lane) {
      if (!lane.registration.trigger.trimStream) return;
      due.add(lane);
      timer ??= setTimeout(trimAll, INTERVAL_MS);
    },
    close() {
      clearTimeout(timer);
      due.clear();
    },
  };
}
