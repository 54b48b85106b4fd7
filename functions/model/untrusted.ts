import { PlatformError } from '../errors.ts';

/** Reads fields of data that nobody vouches for; every error is MANIFEST_INVALID and names field and value. */
export interface FieldReader {
  /** Where the object stands, such as `registrations[0].trigger`. */
  readonly path: string;
  text(field: string, maxLength: number, minLength?: number): string;
  textOrNull(field: string, maxLength: number): string | null;
  isNull(field: string): boolean;
  /** False for an optional field that was left out. */
  has(field: string): boolean;
  /** The value as it came, unchecked. */
  raw(field: string): unknown;
  /** A field of an inner object, unchecked: to tell apart what the object may be. */
  peek(field: string, inner: string): unknown;
  flag(field: string): boolean;
  whole(field: string, min: number, max: number): number;
  oneOf<T extends string>(field: string, allowed: readonly T[]): T;
  object(field: string, fields: readonly string[]): FieldReader;
  list(field: string, maxLength: number): readonly unknown[];
  refuse(field: string, expected: string): never;
}

/** @param fields all fields the object has, optional ones with a question mark; any other, and any missing one, is refused. */
export function readFields(value: unknown, path: string, fields: readonly string[]): FieldReader {
  const source = plainObject(value, path, fields);
  const refuse = (field: string, expected: string): never => refuseValue(`${path}.${field}`, source[field], expected);
  const reader: FieldReader = {
    path,
    refuse,
    text(field, maxLength, minLength = 0) {
      const text = source[field];
      if (typeof text === 'string' && text.length >= minLength && text.length <= maxLength) return text;
      return refuse(field, `a text of ${minLength} to ${maxLength} characters`);
    },
    isNull: (field) => source[field] === null,
    has: (field) => Object.hasOwn(source, field),
    raw: (field) => source[field],
    peek: (field, inner) => (source[field] as Record<string, unknown> | null | undefined)?.[inner],
    textOrNull: (field, maxLength) => (source[field] === null ? null : reader.text(field, maxLength)),
    flag(field) {
      const flag = source[field];
      return typeof flag === 'boolean' ? flag : refuse(field, 'true or false');
    },
    whole(field, min, max) {
      const number = source[field];
      if (typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max) return number;
      return refuse(field, `a whole number from ${min} to ${max}`);
    },
    oneOf(field, allowed) {
      const found = allowed.find((one) => one === source[field]);
      return found ?? refuse(field, `one of ${allowed.join(', ')}`);
    },
    object: (field, inner) => readFields(source[field], `${path}.${field}`, inner),
    list: (field, maxLength) => readList(source[field], `${path}.${field}`, maxLength),
  };
  return reader;
}

/** An array of at most so many elements. */
export function readList(value: unknown, path: string, maxLength: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= maxLength) return value;
  return refuseValue(path, value, `a list of at most ${maxLength} elements`);
}

function plainObject(value: unknown, path: string, fields: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuseValue(path, value, 'an object');
  const source = value as Record<string, unknown>;
  const known = fields.map((name) => name.replace('?', ''));
  for (const name of Object.keys(source)) {
    if (!known.includes(name)) refuseValue(`${path}.${name}`, source[name], `left out: known are ${known.join(', ')}`);
  }
  for (const name of fields) {
    if (!name.endsWith('?') && !Object.hasOwn(source, name)) refuseValue(`${path}.${name}`, undefined, 'present');
  }
  return source;
}

/** Refuses a value that cannot be what it must be: MANIFEST_INVALID naming where it stands. */
export function refuseValue(path: string, value: unknown, expected: string): never {
  const shown = excerpt(value);
  throw new PlatformError('MANIFEST_INVALID', `${path} is ${shown}; it must be ${expected}`, {
    details: { field: path, value: shown },
  });
}

function excerpt(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
