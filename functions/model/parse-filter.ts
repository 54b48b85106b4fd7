import type { FieldCondition, FieldRule, FilterPattern, FilterValue } from './flow-control.ts';
import type { TriggerSpec } from './plan.ts';
import { type FieldReader, readFields, readList, refuseValue } from './untrusted.ts';

const MOST_CLAUSES = 100;
const MOST_NAMES = 100;
const MOST_VALUES = 1_000;
const LONGEST_TEXT = 10_000;
const OPERATORS = ['is?', 'prefix?', 'gt?', 'gte?', 'lt?', 'lte?', 'exists?', 'not?'] as const;
const RANGE = ['gt', 'gte', 'lt', 'lte'] as const;
const CONDITION =
  'a text, a number, true or false, a list of such, or an object of is, prefix, gt, gte, lt, lte, exists and not';

/** Names that a pattern can see, by trigger; any name for streams. */
const NAMES: Readonly<Record<TriggerSpec['kind'], readonly string[] | null>> = {
  stream: null,
  command: null,
  hook: [],
  keys: ['key', 'event'],
  schedule: ['schedule', 'at', 'tick', 'late'],
  list: ['key', 'value', 'value.<member>'],
  pubsub: ['channel', 'pattern', 'message', 'message.<member>'],
};
const POSITION = /^[1-9]\d{0,4}$/;

/** Field whose value may be a JSON object, so that patterns see its members. */
export function jsonFieldOf(kind: TriggerSpec['kind']): string | null {
  if (kind === 'list') return 'value';
  return kind === 'pubsub' ? 'message' : null;
}

/**
 * The pattern that `register({ filter })` was given: an object of names and conditions, all of which must hold, or a list of
 * such objects, one of which must. Errors: MANIFEST_INVALID naming name and value.
 */
export function parseFilter(value: unknown, path: string, trigger: TriggerSpec): FilterPattern {
  if (!Array.isArray(value)) return [parseClause(value, path, trigger)];
  if (value.length === 0) refuseValue(path, value, 'a list of at least one pattern');
  return readList(value, path, MOST_CLAUSES).map((clause, at) => parseClause(clause, `${path}[${at}]`, trigger));
}

function parseClause(value: unknown, path: string, trigger: TriggerSpec): readonly FieldRule[] {
  const names = isObject(value) ? Object.keys(value) : [];
  if (!isObject(value) || names.length === 0 || names.length > MOST_NAMES) {
    return refuseValue(path, value, `an object of 1 to ${MOST_NAMES} names and what is asked of each`);
  }
  return names.map((name) => {
    const expected = nameExpected(name, trigger);
    if (expected !== null) refuseValue(`${path}.${name}`, value[name], expected);
    return { name, anyOf: parseConditions(value[name], `${path}.${name}`) };
  });
}

/** What is wrong with a name; null when a pattern can see it. */
function nameExpected(name: string, { kind }: TriggerSpec): string | null {
  if (kind === 'command') return POSITION.test(name) ? null : "under the position of an argument, such as '1'";
  const known = NAMES[kind];
  const json = jsonFieldOf(kind);
  if (known === null || known.includes(name) || (json !== null && name.startsWith(`${json}.`))) return null;
  return `left out: a pattern sees ${known.join(', ')} here`;
}

function parseConditions(value: unknown, path: string): readonly FieldCondition[] {
  if (!Array.isArray(value)) return [parseCondition(value, path)];
  if (value.length === 0) refuseValue(path, value, 'a list of at least one value');
  return readList(value, path, MOST_VALUES).map((one, at) => parseCondition(one, `${path}[${at}]`));
}

function parseCondition(value: unknown, path: string): FieldCondition {
  const scalar = scalarOf(value);
  if (scalar !== null) return { is: scalar };
  if (!isObject(value) || Object.keys(value).length === 0) return refuseValue(path, value, CONDITION);
  const fields = readFields(value, path, OPERATORS);
  if (fields.has('exists') && !fields.flag('exists') && Object.keys(value).length > 1) {
    fields.refuse('exists', 'alone when it is false: a field that is not there has no value');
  }
  const range = RANGE.filter((name) => fields.has(name)).map((name) => [name, numberOf(fields, name)] as const);
  return {
    ...(fields.has('is') ? { is: scalarOf(fields.raw('is')) ?? fields.refuse('is', 'a text or a number') } : {}),
    ...(fields.has('prefix') ? { prefix: fields.text('prefix', LONGEST_TEXT, 1) } : {}),
    ...Object.fromEntries(range),
    ...(fields.has('exists') ? { exists: fields.flag('exists') } : {}),
    ...(fields.has('not') ? { not: parseNot(fields) } : {}),
  };
}

function parseNot(fields: FieldReader): NonNullable<FieldCondition['not']> {
  const value = fields.raw('not');
  const list = Array.isArray(value) ? fields.list('not', MOST_VALUES) : [value];
  if (list.length === 0) fields.refuse('not', 'a list of at least one value');
  return list.map((one, at) => {
    const scalar = scalarOf(one);
    if (scalar !== null) return scalar;
    const path = `${fields.path}.not[${at}]`;
    return { prefix: readFields(one, path, ['prefix']).text('prefix', LONGEST_TEXT, 1) };
  });
}

function numberOf(fields: FieldReader, name: string): number {
  const value = fields.raw(name);
  return typeof value === 'number' && Number.isFinite(value) ? value : fields.refuse(name, 'a number');
}

/** True and false are the texts; null for what is no value. */
function scalarOf(value: unknown): FilterValue | null {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' && value.length <= LONGEST_TEXT ? value : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
