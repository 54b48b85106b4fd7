import type { FailurePolicy } from './plan.ts';

/** What kind of failure it was; the runtime says so. */
export type FailedHow = 'guest' | 'limit' | 'crash' | 'interrupted';

export interface FailureFacts {
  readonly policy: FailurePolicy;
  /** How often the entry has been tried, the failed time included: from 1. The stream's own delivery counter. */
  readonly attempts: number;
  /** 0 = no cap. */
  readonly maxAttempts: number;
  /** First back-off, ms; doubles per attempt. */
  readonly retryIntervalMs: number;
  /** Longest back-off, ms. */
  readonly ceilingMs: number;
  readonly kind: FailedHow;
}

/** Why an entry is given up: its policy is `continue`, or it has used up its attempts. */
export type BuryReason = 'policy-continue' | 'attempts-exhausted';

export type FailureDecision =
  | { readonly do: 'retry'; readonly delayMs: number }
  | { readonly do: 'bury'; readonly reason: BuryReason }
  /** The entry stays pending and the registration stops for every stream. */
  | { readonly do: 'abort' };

/**
 * What becomes of an entry whose handler failed.
 *
 * | kind | continue | retry | abort |
 * | --- | --- | --- | --- |
 * | guest, limit | bury | retry until the cap, then bury | abort |
 * | crash | retry until the cap, then bury | same | retry until the cap, then abort |
 * | interrupted | retry at once, never capped | same | same |
 *
 * A crash may be another entry's doing, so no policy acts on it at once, and the first retry after one does not wait.
 */
export function decideFailure(facts: FailureFacts): FailureDecision {
  if (facts.kind === 'interrupted') return { do: 'retry', delayMs: 0 };
  const crashed = facts.kind === 'crash';
  if (!crashed && facts.policy === 'continue') return { do: 'bury', reason: 'policy-continue' };
  if (!crashed && facts.policy === 'abort') return { do: 'abort' };
  const exhausted = facts.maxAttempts > 0 && facts.attempts >= facts.maxAttempts;
  if (!exhausted) return { do: 'retry', delayMs: backOff(facts, crashed ? facts.attempts - 1 : facts.attempts) };
  return facts.policy === 'abort' ? { do: 'abort' } : { do: 'bury', reason: 'attempts-exhausted' };
}

function backOff(facts: FailureFacts, failures: number): number {
  if (failures < 1) return 0;
  // Beyond 40 doublings nothing changes but that 0 × Infinity would come out.
  return Math.min(facts.ceilingMs, facts.retryIntervalMs * 2 ** Math.min(failures - 1, 40));
}
