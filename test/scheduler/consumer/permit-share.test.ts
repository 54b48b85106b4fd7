import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXECUTIONS_IN_TURN, permitNeedOf, shareAsTheyEnd } from '../../../scheduler/consumer/permit-share.ts';
import type { Permit } from '../../../scheduler/fleet/fleet.ts';

function permitOf(count: number): Permit {
  let left = count;
  return {
    get count() {
      return left;
    },
    release(released = left) {
      left -= Math.min(released, left);
    },
    signal: new AbortController().signal,
  };
}

const SHAPE = fc.record({
  mode: fc.constantFrom('sync', 'async_local', 'async'),
  keyed: fc.boolean(),
  executionSize: fc.integer({ min: 1, max: 50 }),
});

test('what starts with some permits never has more executions at once than permits, and something always starts', () => {
  fc.assert(
    fc.property(SHAPE, fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 100 }), (shape, entries, free) => {
      const need = permitNeedOf(shape, entries);
      const permits = Math.min(free, need.wanted);
      const started = need.entriesWith(permits);
      expect(started).toBeGreaterThanOrEqual(1);
      expect(started).toBeLessThanOrEqual(entries);
      const executions = Math.ceil(started / shape.executionSize);
      const atOnce = shape.mode === 'sync' && !shape.keyed ? 1 : executions;
      expect(atOnce).toBeLessThanOrEqual(permits);
      expect(need.permitsFor(started)).toBeLessThanOrEqual(permits);
      expect(need.permitsFor(started)).toBe(atOnce);
      expect(need.permitsFor(0)).toBe(0);
      // No execution is cut in two.
      if (started < entries) expect(started % shape.executionSize).toBe(0);
    }),
  );
});

test('mode sync without keys lets another stream have its permit after some executions', () => {
  const need = permitNeedOf({ mode: 'sync', keyed: false, executionSize: 3 }, 1_000);
  expect([need.wanted, need.entriesWith(1)]).toEqual([1, EXECUTIONS_IN_TURN * 3]);
});

test('an execution gives its permit back when its last entry has ended, in whatever order and way entries end', () => {
  const CASE = fc
    .record({ entries: fc.integer({ min: 1, max: 60 }), executionSize: fc.integer({ min: 1, max: 7 }) })
    .chain(({ entries, executionSize }) =>
      fc.record({
        executionSize: fc.constant(executionSize),
        order: fc.shuffledSubarray(
          Array.from({ length: entries }, (_none, n) => n),
          { minLength: entries },
        ),
        ways: fc.array(fc.constantFrom('done', 'filtered', 'failed'), { minLength: entries, maxLength: entries }),
      }),
    );
  fc.assert(
    fc.property(CASE, ({ executionSize, order, ways }) => {
      const entries = order.length;
      const executions = Math.ceil(entries / executionSize);
      const permit = permitOf(executions);
      const share = shareAsTheyEnd(permit, { entries, executionSize });
      const open = new Set(order);
      for (const [at, position] of order.entries()) {
        const error = { code: '', name: '', message: '', stack: '' };
        const failed = ways[at] === 'failed' ? [{ index: position, kind: 'guest' as const, error }] : [];
        share.ended({
          done: ways[at] === 'done' ? [position] : [],
          filtered: ways[at] === 'filtered' ? [position] : [],
          failed,
          results: null,
        });
        open.delete(position);
        const atWork = new Set([...open].map((one) => Math.floor(one / executionSize)));
        expect(permit.count).toBe(atWork.size);
      }
    }),
  );
});
