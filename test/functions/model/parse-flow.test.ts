import { expect, test } from 'vitest';
import { parseFlow } from '../../../functions/model/parse-flow.ts';
import type { StepSpec, TriggerSpec } from '../../../functions/model/plan.ts';
import { readFields } from '../../../functions/model/untrusted.ts';

const FIELDS = ['filter', 'rateLimit', 'concurrency', 'key'] as const;
const STREAM = { kind: 'stream' } as TriggerSpec;

function parse(given: object, trigger: TriggerSpec = STREAM, steps: readonly StepSpec[] = []) {
  const reported = { filter: null, rateLimit: null, concurrency: null, key: false, ...given };
  return parseFlow(readFields(reported, 'flow', FIELDS), { trigger, steps });
}

test('concurrency is a whole number from 1 to a million, on every reader', () => {
  expect(parse({ concurrency: 5 })).toMatchObject({ concurrency: 5, rate: null, keyed: false });
  expect(parse({})).toMatchObject({ concurrency: null });
  for (const kind of ['command', 'keys', 'schedule', 'list', 'pubsub']) {
    expect(parse({ concurrency: 1 }, { kind } as TriggerSpec).concurrency).toBe(1);
  }
  for (const concurrency of [0, -1, 1.5, 1_000_001, '5', true, {}, Number.NaN]) {
    expect(() => parse({ concurrency })).toThrow(
      /flow\.concurrency is .*; it must be a whole number from 1 to 1000000/,
    );
  }
  expect(() => parse({ concurrency: 1 }, { kind: 'hook' } as TriggerSpec)).toThrow(
    /flow\.concurrency .* a hook answers/,
  );
});

test('a key stands with every reader, and not where records are bound together', () => {
  for (const kind of ['stream', 'command', 'keys', 'schedule', 'list', 'pubsub']) {
    expect(parse({ key: true }, { kind } as TriggerSpec).keyed).toBe(true);
  }
  expect(() => parse({ key: true }, { kind: 'hook' } as TriggerSpec)).toThrow(/flow\.key .* a hook answers/);
  const binding = [{ type: 'accumulate' }] as unknown as readonly StepSpec[];
  expect(() => parse({ key: true }, STREAM, binding)).toThrow(/steps that bind records together/);
});
