import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';

/** Runs that are worked on by this node alone: so many at once, the others in line. */
export interface RunLine {
  /** Aborted when the node stops and its patience is over. */
  readonly stopped: AbortSignal;
  /** Waits for a place of `name`. Rejects with the reason of `signal` or of `stopped`. */
  enter(name: string, signal: AbortSignal): Promise<Disposable>;
  /** Waits for those in work, then stops them. */
  drain(deadlineMs: number): Promise<void>;
}

interface Place {
  active: number;
  readonly waiting: Set<() => void>;
}

const POLL_MS = 10;
/** Runs that were told to stop have so long to do so. */
const STOP_MS = 1_000;

/** @param most places of each name. */
export function createRunLine(most: number): RunLine {
  const stop = new AbortController();
  const places = new Map<string, Place>();
  const leave = (name: string, place: Place): void => {
    const [next] = place.waiting;
    if (next !== undefined && !stop.signal.aborted) {
      place.waiting.delete(next);
      next();
      return;
    }
    place.active -= 1;
    if (place.active === 0) places.delete(name);
  };
  const wait = async (place: Place, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const either = AbortSignal.any([signal, stop.signal]);
    const onAbort = (): void => {
      if (place.waiting.delete(resolve)) reject(either.reason);
    };
    either.throwIfAborted();
    place.waiting.add(resolve);
    either.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      either.removeEventListener('abort', onAbort);
    }
  };
  return {
    stopped: stop.signal,
    async enter(name, signal) {
      const place = places.get(name) ?? { active: 0, waiting: new Set() };
      places.set(name, place);
      if (place.active >= most) await wait(place, signal);
      else place.active += 1;
      return { [Symbol.dispose]: () => leave(name, place) };
    },
    async drain(deadlineMs) {
      const deadline = performance.now() + deadlineMs;
      while (places.size > 0 && performance.now() < deadline) await sleep(POLL_MS);
      stop.abort(
        new PlatformError<SchedulerErrorCode>('NODE_DRAINING', 'this node is stopping, run it on another one'),
      );
      while (places.size > 0 && performance.now() < deadline + STOP_MS) await sleep(POLL_MS);
    },
  };
}
