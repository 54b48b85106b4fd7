import {
  type FieldCondition,
  type FieldRule,
  type FilterPattern,
  type FilterValue,
  jsonFieldOf,
  latin1FromUtf8,
  type RegistrationSpec,
  utf8FromLatin1,
} from '#functions';

/** A filter pattern made ready to be compared with events as they come from Redis: latin1 text, nothing parsed. */
export interface EventFilter {
  /** Fields that have to be looked up, latin1. */
  readonly fields: readonly string[];
  /** @param values of `fields`, latin1, in their order; undefined = the event has no such field. */
  accepts(values: readonly (string | undefined)[]): boolean;
}

/** A value of a JSON message that is there and is no text: null, a list, an object. */
const SHAPELESS = Symbol('no text');
type Found = string | typeof SHAPELESS | undefined;

interface ReadyRule {
  readonly field: number;
  /** Members to walk down in the JSON object that the field holds; none = the field itself. */
  readonly path: readonly string[];
  readonly anyOf: readonly FieldCondition[];
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Null for registrations without a filter. */
export function eventFilterOf({ flow, trigger }: RegistrationSpec): EventFilter | null {
  const pattern = flow?.filter ?? null;
  return pattern === null ? null : createEventFilter(pattern, jsonFieldOf(trigger.kind));
}

/**
 * @param json field whose value may be a JSON object: `<json>.status` means its member `status`. Null = none, names with
 * dots are names.
 */
export function createEventFilter(pattern: FilterPattern, json: string | null = null): EventFilter {
  const fields: string[] = [];
  const ready = (rule: FieldRule): ReadyRule => {
    const isMember = json !== null && rule.name.startsWith(`${json}.`);
    const name = latin1FromUtf8(isMember ? json : rule.name);
    if (!fields.includes(name)) fields.push(name);
    const path = isMember ? rule.name.slice(json.length + 1).split('.') : [];
    return { field: fields.indexOf(name), path, anyOf: rule.anyOf.map(toLatin1) };
  };
  const clauses = pattern.map((clause) => clause.map(ready));
  return {
    fields,
    accepts(values) {
      const messages = new Map<number, unknown>();
      const find = ({ field, path }: ReadyRule): Found => {
        const value = values[field];
        if (path.length === 0 || value === undefined) return path.length === 0 ? value : undefined;
        if (!messages.has(field)) messages.set(field, parsed(value));
        return memberOf(messages.get(field), path);
      };
      const holds = (rule: ReadyRule): boolean => {
        const found = find(rule);
        return rule.anyOf.some((condition) => meets(found, condition));
      };
      return clauses.some((clause) => clause.every(holds));
    },
  };
}

function meets(found: Found, { exists, is, prefix, gt, gte, lt, lte, not }: FieldCondition): boolean {
  if (exists === false || found === undefined) return exists === false && found === undefined;
  if (is !== undefined && !equals(found, is)) return false;
  if (prefix !== undefined && !begins(found, prefix)) return false;
  if (not?.some((one) => (typeof one === 'object' ? begins(found, one.prefix) : equals(found, one)))) return false;
  if (gt === undefined && gte === undefined && lt === undefined && lte === undefined) return true;
  const number = numberOf(found);
  // Comparisons with NaN are false, also these.
  return (
    number >= (gte ?? Number.NEGATIVE_INFINITY) &&
    number <= (lte ?? Number.POSITIVE_INFINITY) &&
    (gt === undefined || number > gt) &&
    (lt === undefined || number < lt)
  );
}

function equals(found: Found, wanted: FilterValue): boolean {
  return typeof wanted === 'number' ? numberOf(found) === wanted : found === wanted;
}

function begins(found: Found, prefix: string): boolean {
  return typeof found === 'string' && found.startsWith(prefix);
}

/** NaN for what is not a decimal number. */
function numberOf(found: Found): number {
  return typeof found === 'string' && found.length <= 64 && NUMBER.test(found) ? Number(found) : Number.NaN;
}

/** Undefined for what is not JSON. */
function parsed(latin1: string): unknown {
  try {
    return JSON.parse(utf8FromLatin1(latin1));
  } catch {
    return undefined;
  }
}

function memberOf(message: unknown, path: readonly string[]): Found {
  let at = message;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return typeof at === 'object' ? SHAPELESS : latin1FromUtf8(String(at));
}

function toLatin1(condition: FieldCondition): FieldCondition {
  const value = (one: FilterValue): FilterValue => (typeof one === 'string' ? latin1FromUtf8(one) : one);
  const { is, prefix, not } = condition;
  return {
    ...condition,
    ...(is === undefined ? {} : { is: value(is) }),
    ...(prefix === undefined ? {} : { prefix: latin1FromUtf8(prefix) }),
    ...(not === undefined
      ? {}
      : { not: not.map((one) => (typeof one === 'object' ? { prefix: latin1FromUtf8(one.prefix) } : value(one))) }),
  };
}
