import { formatBytes, formatDuration, maskRedisUrl, parseBytes, parseDuration, parseRedisUrl } from '#functions';

/**
 * Kinds of setting values: how a value is read from text (flags, environment) or JSON (file), what is allowed, and how it
 * is shown. `parse` returns undefined for anything that is not allowed; `allowed` is the sentence that goes into the error.
 */
export interface Kind<Value> {
  readonly name: 'integer' | 'share' | 'bytes' | 'duration' | 'choice' | 'text' | 'url' | 'list' | 'pairs';
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

/** A number as it is, or text as `parse` reads it; undefined for what is neither. */
function quantity(raw: unknown, parse: (text: string) => number): number | undefined {
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string') return undefined;
  try {
    return parse(raw);
  } catch {
    return undefined; // the caller says what is allowed, with the range
  }
}

function within(value: number | undefined, { min, max }: Range): number | undefined {
  if (value === undefined || !Number.isSafeInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
}

/** A whole number. */
export function integer(range: Range, placeholder = '<n>'): Kind<number> {
  return {
    name: 'integer',
    placeholder,
    allowed: `a whole number from ${range.min} to ${range.max}`,
    parse: (raw) => within(quantity(raw, wholeNumber), range),
    show: String,
  };
}

/** A part of the whole. */
export function share(): Kind<number> {
  return {
    name: 'share',
    placeholder: '<share>',
    allowed: 'a number from 0 (none) to 1 (all), such as 0.01',
    parse: (raw) => {
      const value = quantity(raw, (text) => (/^(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN));
      return value !== undefined && value >= 0 && value <= 1 ? value : undefined;
    },
    show: String,
  };
}

/** An amount of memory, kept in bytes; `kb`, `mb`, `gb` count by 1024, as in Redis' own configuration. */
export function bytes(range: Range): Kind<number> {
  return {
    name: 'bytes',
    placeholder: '<bytes>',
    allowed: `an amount of memory from ${formatBytes(range.min)} to ${formatBytes(range.max)}, such as 64mb, 512kb or a number of bytes`,
    parse: (raw) => within(quantity(raw, parseBytes), range),
    show: formatBytes,
  };
}

/** A span of time, kept in milliseconds. */
export function duration(range: Range): Kind<number> {
  return {
    name: 'duration',
    placeholder: '<time>',
    allowed: `a time from ${formatDuration(range.min)} to ${formatDuration(range.max)}, such as 500ms, 5s, 2m or a number of milliseconds`,
    parse: (raw) => within(quantity(raw, parseDuration), range),
    show: formatDuration,
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

/** Where Redis is; null = the embedded server. */
export function redisUrl(): Kind<string | null> {
  return {
    name: 'url',
    placeholder: '<url>',
    allowed:
      'redis://[user:password@]host:port, rediss://… for TLS, redis+sentinel://host:port,host:port/name, ' +
      'redis+cluster://host:port,host:port or unix:///path',
    parse: (raw) => (raw === null || isRedisUrl(raw) ? raw : undefined),
    show: (value) => (value === null ? 'embedded' : maskRedisUrl(value)),
  };
}

function isRedisUrl(raw: unknown): raw is string {
  if (typeof raw !== 'string') return false;
  try {
    parseRedisUrl(raw);
    return true;
  } catch {
    return false; // the caller says what is allowed
  }
}

const PAIR_NAME = /^[^\s=,]{1,100}$/;

/** Names with texts: `a=1,b=2`; in the file a JSON object, whose texts may hold anything. */
export function pairs(): Kind<Readonly<Record<string, string>>> {
  return {
    name: 'pairs',
    placeholder: '<name=value>',
    allowed: 'name=value, several separated by commas; in the file an object of texts',
    parse: (raw) => {
      const found = typeof raw === 'string' ? entriesOf(raw) : raw;
      if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
      const isRight = Object.entries(found).every(([name, value]) => PAIR_NAME.test(name) && typeof value === 'string');
      return isRight ? (found as Readonly<Record<string, string>>) : undefined;
    },
    show: (value) => {
      const shown = Object.entries(value).map(([name, text]) => `${name}=${text}`);
      return shown.join(',');
    },
  };
}

/** Undefined when a pair has no name or no `=`. */
function entriesOf(text: string): Readonly<Record<string, string>> | undefined {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  if (!parts.every((part) => part.indexOf('=') > 0)) return undefined;
  return Object.fromEntries(
    parts.map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1)]),
  );
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
