import { argumentError } from './arguments.ts';
import { showValue } from './describe.ts';
import { extractKey } from './group-key.ts';
import { BARE_STEP, type KeyedRecord, type Step, type StepType, type UserFunction } from './plan.ts';
import { functionToString, isSafeInteger, slice, trim } from './primordials.ts';

export type Arguments = readonly unknown[];

export function functionOf(operation: string, value: unknown): UserFunction {
  if (typeof value === 'function') return value as UserFunction;
  throw argumentError(`${operation}: the argument must be a function, not ${showValue(value)}.`);
}

export function countOf(operation: string, name: string, value: unknown): number {
  if (isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw argumentError(`${operation}: ${name} must be a whole number from 0, not ${showValue(value)}.`);
}

/** Name or begin of a callback, for people. */
export function describeCallback(fn: UserFunction): string | null {
  try {
    const name = (fn as { name?: unknown }).name;
    if (typeof name === 'string' && name !== '') return shortened(name);
    return shortened(trim(functionToString(fn)));
  } catch {
    return null;
  }
}

const SHOWN = 80;

function shortened(text: string): string {
  return text.length > SHOWN ? `${trim(slice(text, 0, SHOWN - 1))}…` : text;
}

export function callbackStep(type: StepType, fn: UserFunction): Step {
  return { ...BARE_STEP, type, fn, arg: describeCallback(fn) };
}

export function plain(type: StepType): Step {
  return { ...BARE_STEP, type };
}

export const REPARTITION = plain('repartition');
export const COLLECT = plain('collect');
export const EACH = plain('flatmap');

export function dropKey(record: KeyedRecord): unknown {
  record.key = null;
  return record.value;
}

export function makeGroup(record: KeyedRecord): unknown {
  const { key, value } = record;
  record.key = null;
  return { key, value };
}

export const TO_GROUP: Step = { ...BARE_STEP, type: 'map', own: makeGroup };
export const TAKE_VALUE: Step = { ...BARE_STEP, type: 'map', own: dropKey };

export function extract(operation: string, extractor: UserFunction): Step {
  const own = (record: KeyedRecord): void => {
    record.key = extractKey(operation, extractor, record.value);
  };
  return { ...BARE_STEP, type: 'extractkey', own, arg: describeCallback(extractor) };
}
