import type { RateLimit } from '#functions';
import type { TokenBucket } from '../consumer/token-bucket.ts';

/** What becomes of a call that needs a token; exactly one of them is called. */
export interface RatedCall {
  readonly go: () => void;
  /** There is none: the next one comes in so many ms. */
  readonly refuse: (waitMs: number) => void;
  readonly fail: (error: unknown) => void;
}

/** Tokens for calls, which do not wait: who comes above the rate is refused. */
export interface CallRates {
  /** Calls of one registration get their tokens in their order; those that come while an answer is awaited ask together. */
  ask(registrationId: string, rate: RateLimit, call: RatedCall): void;
}

export function createCallRates(takeTokens: TokenBucket): CallRates {
  const asking = new Map<string, RatedCall[]>();

  async function serve(registrationId: string, rate: RateLimit, waiting: RatedCall[]): Promise<void> {
    // Calls of one tick ask together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const calls = waiting.splice(0);
      try {
        const { taken, waitMs } = await takeTokens({ registrationId, rate, wanted: calls.length });
        for (const call of calls.slice(0, taken)) call.go();
        for (const call of calls.slice(taken)) call.refuse(waitMs);
      } catch (error) {
        for (const call of calls) call.fail(error);
      }
    }
    asking.delete(registrationId);
  }

  return {
    ask(registrationId, rate, call) {
      const waiting = asking.get(registrationId);
      if (waiting !== undefined) {
        waiting.push(call);
        return;
      }
      const first = [call];
      asking.set(registrationId, first);
      void serve(registrationId, rate, first);
    },
  };
}
