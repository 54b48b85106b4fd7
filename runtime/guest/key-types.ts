import type { KeysTrigger } from './keys-registration.ts';
import { BARE_STEP, type Step } from './plan.ts';
import { bareList } from './primordials.ts';
import type { Trigger } from './registration.ts';
import { includes } from './suggest.ts';

/** The reference calls a stream `unknown` in records and `stream` in arguments. */
function hasType(keyTypes: readonly string[], record: unknown): boolean {
  const { type } = record as { readonly type: string };
  return includes(keyTypes, type === 'unknown' ? 'stream' : type);
}

/** Steps behind a filter for the types of keys that `register` asked for. */
export function withKeyTypes(steps: readonly Step[], trigger: Trigger): readonly Step[] {
  const keyTypes = (trigger as Partial<KeysTrigger>).keyTypes ?? null;
  if (trigger.kind !== 'keys' || keyTypes === null) return steps;
  const all = bareList<Step>();
  const fn = (record: unknown): boolean => hasType(keyTypes, record);
  all[0] = { ...BARE_STEP, type: 'filter', fn };
  for (let i = 0; i < steps.length; i++) all[i + 1] = steps[i] as Step;
  return all;
}
