import { PlatformError } from '#functions';
import type { FutureName, GuestHost } from '#runtime';
import type { SchedulerErrorCode } from '../errors.ts';

/** What handlers under test may wait for: futures of their own function. There is no platform that could run plans. */
export function createTestHost(): GuestHost {
  const outcomes = new Map<string, PromiseWithResolvers<string>>();
  const completed = new Set<string>();
  const keyOf = ({ functionName, id }: FutureName): string => `${functionName} ${id}`;
  const outcomeOf = (key: string): PromiseWithResolvers<string> => {
    const outcome = outcomes.get(key) ?? Promise.withResolvers<string>();
    outcomes.set(key, outcome);
    return outcome;
  };
  return {
    async run() {
      throw new PlatformError<SchedulerErrorCode>(
        'EXECUTION_ABORTED',
        'run(…) within a handler needs a platform, which tests of a function do not have',
      );
    },
    async completeFuture(name, outcome) {
      const key = keyOf(name);
      if (completed.has(key)) return false;
      completed.add(key);
      outcomeOf(key).resolve(outcome);
      return true;
    },
    awaitFuture(name, signal) {
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
      return Promise.race([outcomeOf(keyOf(name)).promise, aborted.promise]);
    },
  };
}
