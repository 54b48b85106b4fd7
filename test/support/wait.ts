import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 30_000;

export interface WaitOptions {
  /** Default 30,000 ms: it only ends a wait for what never comes, and a busy machine may take its time. */
  readonly deadlineMs?: number;
  /** Default 10 ms. */
  readonly intervalMs?: number;
  /** What is waited for, as it should read in the error. */
  readonly what: string;
}

/** Resolves with the first truthy value of `predicate`; rejects with `what` and the last error after the deadline. */
export async function waitFor<T>(
  predicate: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const { deadlineMs = DEADLINE_MS, intervalMs = 10, what } = options;
  const deadline = performance.now() + deadlineMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await predicate();
      if (value) return value as Exclude<T, false | undefined | null | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`still waiting after ${deadlineMs} ms for: ${what}`, { cause: lastError });
    }
    await sleep(intervalMs);
  }
}

export interface Progress {
  readonly reached: boolean;
  /** Whatever shows that something moves; printed when nothing does. */
  readonly state: unknown;
}

export interface ProgressOptions {
  /** Fails when the state has not changed for so long. Default 60,000 ms. */
  readonly stallMs?: number;
  /** Default 50 ms. */
  readonly intervalMs?: number;
  readonly what: string;
}

/** Resolves when `look` says that the goal is reached, however long that takes while something moves; rejects with the last state when nothing does. */
export async function waitWhileMoving(look: () => Promise<Progress>, options: ProgressOptions): Promise<void> {
  const { stallMs = 60_000, intervalMs = 50, what } = options;
  let last = '';
  let movedAtMs = performance.now();
  for (;;) {
    const { reached, state } = await look();
    if (reached) return;
    const text = JSON.stringify(state);
    if (text !== last) movedAtMs = performance.now();
    last = text;
    if (performance.now() - movedAtMs >= stallMs) {
      throw new Error(`nothing has moved for ${stallMs} ms, waiting for: ${what}; state ${text}`);
    }
    await sleep(intervalMs);
  }
}

/** Resolves when `count` has come to `goal`; rejects when it has not changed for `stallMs`. */
export async function waitForCount(
  count: () => Promise<number>,
  goal: number,
  options: Omit<ProgressOptions, 'intervalMs'>,
): Promise<void> {
  const look = async () => {
    const state = await count();
    return { reached: state >= goal, state };
  };
  await waitWhileMoving(look, { ...options, intervalMs: 10 });
}

/** Resolves with the arguments of the next `event`; rejects after the deadline (default 30,000 ms). */
export function waitForEvent(emitter: EventEmitter, event: string, deadlineMs = DEADLINE_MS): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      emitter.off(event, onEvent);
      reject(new Error(`event '${event}' did not come within ${deadlineMs} ms`));
    }, deadlineMs);
    const onEvent = (...args: unknown[]): void => {
      clearTimeout(timer);
      resolve(args);
    };
    emitter.once(event, onEvent);
  });
}
