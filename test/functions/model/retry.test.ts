import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideFailure, type FailureFacts } from '../../../functions/model/retry.ts';

const base: FailureFacts = {
  policy: 'retry',
  attempts: 1,
  maxAttempts: 5,
  retryIntervalMs: 1_000,
  ceilingMs: 60_000,
  kind: 'guest',
};
const facts = fc.record({
  policy: fc.constantFrom('continue', 'abort', 'retry'),
  attempts: fc.integer({ min: 1, max: 2_000 }),
  maxAttempts: fc.nat({ max: 50 }),
  retryIntervalMs: fc.nat({ max: 10_000 }),
  ceilingMs: fc.nat({ max: 100_000 }),
  kind: fc.constantFrom('guest', 'limit', 'crash', 'interrupted'),
}) as fc.Arbitrary<FailureFacts>;

test('an interrupted entry is always run again at once', () => {
  fc.assert(
    fc.property(facts, (one) => {
      expect(decideFailure({ ...one, kind: 'interrupted' })).toEqual({ do: 'retry', delayMs: 0 });
    }),
  );
});

test('no delay exceeds the ceiling, and a later attempt never waits less', () => {
  fc.assert(
    fc.property(facts, (one) => {
      const now = decideFailure({ ...one, maxAttempts: 0 });
      const later = decideFailure({ ...one, maxAttempts: 0, attempts: one.attempts + 1 });
      if (now.do !== 'retry' || later.do !== 'retry') return;
      expect(now.delayMs).toBeLessThanOrEqual(one.ceilingMs);
      expect(later.delayMs).toBeGreaterThanOrEqual(now.delayMs);
    }),
  );
});

test('with a cap, nothing but an interruption is retried at the cap', () => {
  fc.assert(
    fc.property(facts, (one) => {
      fc.pre(one.kind !== 'interrupted' && one.maxAttempts > 0);
      expect(decideFailure({ ...one, attempts: one.maxAttempts }).do).not.toBe('retry');
    }),
  );
});

test('retry doubles its delay up to the ceiling and buries at the cap', () => {
  const delays = [1, 2, 3, 4].map((attempts) => decideFailure({ ...base, attempts, ceilingMs: 3_000 }));
  expect(delays).toEqual([1_000, 2_000, 3_000, 3_000].map((delayMs) => ({ do: 'retry', delayMs })));
  expect(decideFailure({ ...base, attempts: 5 })).toEqual({ do: 'bury', reason: 'attempts-exhausted' });
  expect(decideFailure({ ...base, attempts: 5_000, maxAttempts: 0 })).toEqual({ do: 'retry', delayMs: 60_000 });
});

test('continue buries and abort stops, except for a crash, which may be the doing of another', () => {
  expect(decideFailure({ ...base, policy: 'continue' })).toEqual({ do: 'bury', reason: 'policy-continue' });
  expect(decideFailure({ ...base, policy: 'abort', kind: 'limit' })).toEqual({ do: 'abort' });
  const crash = { ...base, kind: 'crash' } as const;
  for (const policy of ['continue', 'abort', 'retry'] as const) {
    expect(decideFailure({ ...crash, policy })).toEqual({ do: 'retry', delayMs: 0 });
    expect(decideFailure({ ...crash, policy, attempts: 2 })).toEqual({ do: 'retry', delayMs: 1_000 });
  }
  expect(decideFailure({ ...crash, policy: 'continue', attempts: 5 })).toEqual({
    do: 'bury',
    reason: 'attempts-exhausted',
  });
  expect(decideFailure({ ...crash, policy: 'abort', attempts: 5 })).toEqual({ do: 'abort' });
});
