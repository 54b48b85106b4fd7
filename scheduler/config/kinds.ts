/**
 * Kinds of setting values: how a value is read from text (flags, environment) or JSON (file), what is allowed, and how it
 * is shown. `parse` returns undefined for anything that is not allowed; `allowed` is the sentence that goes into the error.
 */
export interface Kind<Value> {
  readonly name: 'integer' | 'bytes' | 'duration' | 'choice' | 'text' | 'url' | 'list';
  /** Placeholder in help texts, such as `<port>`. */
  readonly placeholder: string;
  readonly allowed: string;
  parse(raw: unknown): Value | undefined;
  show(value: Value): string;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Units a number may carry, in the order from large to small, with their size. */
type Units = readonly (readonly [suffix: string, size: number])[];

const KIB = 1024;
const BYTE_UNITS: Units = [
  ['gb', KIB * KIB * KIB],
  ['mb', KIB * KIB],
  ['kb', KIB],
  ['b', 1],
];
const SECOND_MS = 1000;
const TIME_UNITS: Units = [
  ['d', 24 * 60 * 60 * SECOND_MS],
  ['h', 60 * 60 * SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];
const QUANTITY = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

function parseQuantity(raw: unknown, units: Units): number | undefined {
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string') return undefined;
  const match = QUANTITY.exec(raw.trim().toLowerCase());
  if (match === null) return undefined;
  const suffix = (match[2] ?? '').replace(/^([kmg])ib$/, '$1b');
  const size = suffix === '' ? 1 : units.find(([unit]) => unit === suffix)?.[1];
  return size === undefined ? undefined : Number(match[1]) * size;
}

function showQuantity(value: number, units: Units): string {
  const unit = value === 0 ? undefined : units.find(([, size]) => value % size === 0);
  return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`;
}

function within(value: number | undefined, { min, max }: Range): number | undefined {
  if (value === undefined || !Number.isSafeInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

/** A whole number. */
export function integer(range: Range, placeholder = '<n>'): Kind<number> {
  return {
    name: 'integer',
    placeholder,
    allowed: `a whole number from ${range.min} to ${range.max}`,
    parse: (raw) => within(parseQuantity(raw, []), range),
    show: String,
  };
}

/** An amount of memory, kept in bytes; `kb`, `mb`, `gb` count by 1024, as in Redis' own configuration. */
export function bytes(range: Range): Kind<number> {
  const show = (value: number): string => showQuantity(value, BYTE_UNITS);
  return {
    name: 'bytes',
    placeholder: '<bytes>',
    allowed: `an amount of memory from ${show(range.min)} to ${show(range.max)}, such as 64mb, 512kb or a number of bytes`,
    parse: (raw) => within(parseQuantity(raw, BYTE_UNITS), range),
    show,
  };
}

/** A span of time, kept in milliseconds. */
export function duration(range: Range): Kind<number> {
  const show = (value: number): string => showQuantity(value, TIME_UNITS);
  return {
    name: 'duration',
    placeholder: '<time>',
    allowed: `a time from ${show(range.min)} to ${show(range.max)}, such as 500ms, 5s, 2m or a number of milliseconds`,
    parse: (raw) => within(parseQuantity(raw, TIME_UNITS), range),
    show,
  };
}

/** One of a closed list of words. */
export function choice<const Word extends string>(words: readonly Word[]): Kind<Word> {
  return {
    name: 'choice',
    placeholder: `<${words.join('|')}>`,
    allowed: `one of ${words.join(', ')}`,
    parse: (raw) => words.find((word) => word === raw),
    show: (value) => value,
  };
}

/** Free text that matches a pattern. */
export function text(pattern: RegExp, allowed: string, placeholder = '<text>'): Kind<string> {
  return {
    name: 'text',
    placeholder,
    allowed,
    parse: (raw) => (typeof raw === 'string' && pattern.test(raw) ? raw : undefined),
    show: (value) => value,
  };
}

const REDIS_URL = /^redis(?:s)?(?:\+sentinel|\+cluster)?:\/\/[^\s/]+(?:\/[^\s]*)?$/;

/** Where Redis is; null = the embedded server. */
export function redisUrl(): Kind<string | null> {
  return {
    name: 'url',
    placeholder: '<url>',
    allowed:
      'redis://[user:password@]host:port[/db], rediss://… for TLS, redis+sentinel://host:port,host:port/name or ' +
      'redis+cluster://host:port,host:port',
    parse: (raw) => (raw === null || (typeof raw === 'string' && REDIS_URL.test(raw)) ? raw : undefined),
    show: (value) => (value === null ? 'embedded' : maskPassword(value)),
  };
}

/** Words separated by commas; in the file also a JSON array. */
export function list(allowed: string): Kind<readonly string[]> {
  return {
    name: 'list',
    placeholder: '<a,b>',
    allowed,
    parse: (raw) => {
      const words = typeof raw === 'string' ? raw.split(',') : raw;
      if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) return undefined;
      const trimmed = words.map((word) => word.trim()).filter((word) => word !== '');
      return trimmed.some((word) => /\s/.test(word)) ? undefined : trimmed;
    },
    show: (value) => value.join(','),
  };
}

/** A URL that may be shown: its password, if it has one, is replaced by `***`. */
export function maskPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/[^:@/]*):.*@/i, '$1:***@');
}
