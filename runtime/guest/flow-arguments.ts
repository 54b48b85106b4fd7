import { argumentError, createOptionReader, type OptionReader, type Options, refuseUnknown } from './arguments.ts';
import { showValue } from './describe.ts';
import { isArray, isFiniteNumber, ownKeys, quote, toText } from './primordials.ts';

/** Arguments of `register` about which events run and how many at a time. */
export const FLOW_ARGUMENTS = ['filter', 'rateLimit', 'concurrency', 'key'] as const;

const MOST = 1_000_000;
/** A pattern is a list of objects of lists of objects of lists of objects at most. */
const DEEPEST = 8;

type Callback = (...args: unknown[]) => unknown;

/** As `FlowControl` of the functions layer. */
export interface FlowArguments {
  /** JSON; what it means is checked by the node. */
  readonly filterJson: string | null;
  readonly rateLimit: { readonly count: number; readonly perMs: number } | null;
  /** Executions at once in the whole fleet. */
  readonly concurrency: number | null;
  /** Names the key of a record, within which order is kept. */
  readonly key: Callback | null;
}

/** Where in the pattern a value stands. */
interface Place {
  readonly path: string;
  readonly depth: number;
}

function patternJson(value: unknown, { path, depth }: Place): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean' || isFiniteNumber(value)) return toText(value);
  if (typeof value !== 'object' || value === null || depth > DEEPEST) {
    throw argumentError(
      `${path} must be a text, a number, true or false, a list of such, or an object of conditions, not ${showValue(value)}.`,
    );
  }
  let json = '';
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      json += `${i === 0 ? '' : ','}${patternJson(value[i], { path: `${path}[${i}]`, depth: depth + 1 })}`;
    }
    return `[${json}]`;
  }
  const names = ownKeys(value);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const item = (value as Record<string, unknown>)[name];
    const text = patternJson(item, { path: `${path}.${name}`, depth: depth + 1 });
    json += `${i === 0 ? '' : ','}${quote(name)}:${text}`;
  }
  return `{${json}}`;
}

function filterJson(call: string, value: unknown): string {
  if (typeof value === 'object') return patternJson(value, { path: `${call}: filter`, depth: 0 });
  throw argumentError(
    `${call}: filter must be an object of field names and conditions such as { action: 'click', amount: { gte: 100 } }, not ${showValue(value)}.`,
  );
}

function rateOf(call: string, value: unknown): FlowArguments['rateLimit'] {
  if (typeof value !== 'object' || value === null || isArray(value)) {
    throw argumentError(
      `${call}: rateLimit must be an object such as { count: 100, per: '1s' }, not ${showValue(value)}.`,
    );
  }
  const path = `${call}: rateLimit`;
  refuseUnknown(path, value as Options, ['count', 'per']);
  const read = createOptionReader(path, value as Options);
  const perMs = read.duration('per');
  if (!read.given('count') || perMs === null) {
    throw argumentError(`${call}: rateLimit needs count and per, such as { count: 100, per: '1s' }.`);
  }
  return { count: read.count('count', { preset: 1, from: 1, to: MOST }), perMs };
}

/** Null when nothing of it was given. Throws GUEST_ARGUMENT. */
export function flowArguments(call: string, read: OptionReader): FlowArguments | null {
  const given = FLOW_ARGUMENTS;
  let any = false;
  for (let i = 0; i < given.length; i++) any ||= read.given(given[i] as string);
  if (!any) return null;
  return {
    filterJson: read.given('filter') ? filterJson(call, read.raw('filter')) : null,
    rateLimit: read.given('rateLimit') ? rateOf(call, read.raw('rateLimit')) : null,
    concurrency: read.given('concurrency') ? read.count('concurrency', { preset: 1, from: 1, to: MOST }) : null,
    key: read.callback('key'),
  };
}

export function flowJson({ filterJson: filter, rateLimit, concurrency, key }: FlowArguments): string {
  const rate = rateLimit === null ? 'null' : `{"count":${rateLimit.count},"perMs":${rateLimit.perMs}}`;
  return `{"filter":${filter ?? 'null'},"rateLimit":${rate},"concurrency":${concurrency},"key":${key !== null}}`;
}
