import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

/** Those who wait for the end of an execution; told at once when it ends on this node, else by asking Redis. */
export interface Waiting {
  /** Resolves when it has ended or is gone. Rejects with the reason of `signal`. */
  forEnd(id: string, signal: AbortSignal): Promise<void>;
  /** It has ended. */
  tell(id: string): void;
}

const FIRST_PAUSE_MS = 3;
const LONGEST_PAUSE_MS = 100;

export function createWaiting(access: Pick<RedisAccess, 'client'>, keys: Pick<SchedulerKeys, 'execution'>): Waiting {
  const told = new Map<string, Set<() => void>>();
  const hasEnded = async (id: string): Promise<boolean> => {
    const status = await access.client.hget(keys.execution(id), 'status');
    return status === null || status === 'done' || status === 'aborted';
  };
  return {
    async forEnd(id, signal) {
      const wake = Promise.withResolvers<void>();
      const waiters = told.get(id) ?? new Set();
      told.set(id, waiters.add(wake.resolve));
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      void wake.promise.then(() => over.abort());
      try {
        for (let pauseMs = FIRST_PAUSE_MS; !(await hasEnded(id)); pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
          await sleep(pauseMs, undefined, { signal: either }).catch(() => undefined);
          signal.throwIfAborted();
        }
      } finally {
        waiters.delete(wake.resolve);
        if (waiters.size === 0) told.delete(id);
      }
    },
    tell(id) {
      for (const wake of told.get(id) ?? []) wake();
    },
  };
}
