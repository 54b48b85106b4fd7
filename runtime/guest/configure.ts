import { argumentError, type Options, parseDuration, refuseUnknown } from './arguments.ts';
import { showValue } from './describe.ts';
import {
  bareList,
  charCodeAt,
  isArray,
  isSafeInteger,
  mapHas,
  mapSet,
  ownKeys,
  quote,
  slice,
  toLowerCase,
  toNumber,
} from './primordials.ts';

/** What a source says about itself while it is loaded. */
export interface Configure {
  /** The global `configure`. */
  readonly configure: (options: unknown) => void;
  /** From now on `configure` is an error. */
  close(): void;
  /** JSON of what was given, as `parseConfiguration` of the functions layer reads it; `null` without a call. */
  json(): string;
}

const ARGUMENTS = ['limits', 'commands', 'keys', 'settings', 'secrets'] as const;
const LIMITS = [
  'memory',
  'call',
  'callMs',
  'execution',
  'executionMs',
  'output',
  'commands',
  'commandBytes',
  'concurrency',
] as const;
const FIELDS = [
  'memoryBytes',
  'callMs',
  'callMs',
  'executionMs',
  'executionMs',
  'outputBytes',
  'commandsPerEvent',
  'commandBytes',
  'concurrency',
] as const;
const ALL_FIELDS = [
  'memoryBytes',
  'callMs',
  'executionMs',
  'outputBytes',
  'commandsPerEvent',
  'commandBytes',
  'concurrency',
] as const;

const MEBIBYTE = 1_048_576;
const MAX_LIST = 1_000;
const MAX_PATTERNS = 100;
const MAX_PATTERN_LENGTH = 256;

function wrong(name: string, allowed: string, value: unknown): Error {
  return argumentError(`configure: ${name} must be ${allowed}, not ${showValue(value)}.`);
}

function digitsIn(text: string): number {
  let digits = 0;
  while (digits < text.length && charCodeAt(text, digits) >= 48 && charCodeAt(text, digits) <= 57) digits++;
  return digits;
}

function parseSize(text: string): number | null {
  const digits = digitsIn(text);
  if (digits === 0) return null;
  const unit = toLowerCase(slice(text, digits));
  const count = toNumber(slice(text, 0, digits));
  if (unit === 'b') return count;
  if (unit === 'kb') return count * 1_024;
  if (unit === 'mb') return count * MEBIBYTE;
  return unit === 'gb' ? count * 1_024 * MEBIBYTE : null;
}

function atLeast(value: unknown, least: number): value is number {
  return isSafeInteger(value) && (value as number) >= least;
}

function sizeOf(name: string, value: unknown, least: number): number {
  const bytes = typeof value === 'string' ? parseSize(value) : value;
  if (atLeast(bytes, least)) return bytes;
  throw wrong(`limits.${name}`, `a size such as '64mb' or a number of bytes, ${least} at least`, value);
}

function timeOf(name: string, value: unknown): number {
  const ms = typeof value === 'string' ? parseDuration(value) : value;
  if (atLeast(ms, 1)) return ms;
  throw wrong(`limits.${name}`, "a time such as '500ms' or '10s' or a number of milliseconds, 1 at least", value);
}

function countOf(name: string, value: unknown): number {
  if (atLeast(value, 1)) return value;
  throw wrong(`limits.${name}`, 'a whole number, 1 at least', value);
}

function limitOf(name: string, value: unknown): number {
  if (name === 'memory') return sizeOf(name, value, 8 * MEBIBYTE);
  if (name === 'output' || name === 'commandBytes') return sizeOf(name, value, 1_024);
  if (name === 'commands' || name === 'concurrency') return countOf(name, value);
  return timeOf(name, value);
}

/** An object of the caller's own; `undefined` counts as empty. */
function objectOf(name: string, value: unknown): Options {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !isArray(value)) return value as Options;
  throw wrong(name, 'an object', value);
}

function limitsJson(value: unknown): string {
  const limits = objectOf('limits', value);
  refuseUnknown('configure: limits', limits, LIMITS);
  const found: Record<string, number | undefined> = { __proto__: null } as never;
  for (let i = 0; i < LIMITS.length; i++) {
    const name = LIMITS[i] as string;
    const field = FIELDS[i] as string;
    const given = limits[name];
    if (given === undefined) continue;
    if (found[field] !== undefined) throw argumentError(`configure: limits.${name} is given twice.`);
    found[field] = limitOf(name, given);
  }
  let json = '';
  for (let i = 0; i < ALL_FIELDS.length; i++) {
    const field = ALL_FIELDS[i] as string;
    json += `${i === 0 ? '' : ','}"${field}":${found[field] ?? null}`;
  }
  return `{${json}}`;
}

interface ListRule {
  readonly name: string;
  readonly allowed: string;
  readonly most: number;
  readonly isRight: (text: string) => boolean;
  readonly write: (text: string) => string;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function isCommandName(text: string): boolean {
  if (text.length === 0 || text.length > 64 || !isLetter(charCodeAt(text, 0))) return false;
  for (let i = 1; i < text.length; i++) {
    const code = charCodeAt(text, i);
    if (!isLetter(code) && !(code >= 48 && code <= 57) && code !== 45 && code !== 46 && code !== 95) return false;
  }
  return true;
}

function isVariableName(text: string): boolean {
  if (text.length === 0 || text.length > 128) return false;
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i);
    const isDigit = code >= 48 && code <= 57;
    if (code !== 95 && !isLetter(code) && !(isDigit && i > 0)) return false;
  }
  return true;
}

const COMMANDS: ListRule = {
  name: 'commands',
  allowed: "a list of at most 1000 names of Redis commands such as ['HINCRBY', 'GET']",
  most: MAX_LIST,
  isRight: isCommandName,
  write: toLowerCase,
};
const KEYS: ListRule = {
  name: 'keys',
  allowed: "a list of at most 100 key patterns of 1 to 256 characters such as ['clicks:*']",
  most: MAX_PATTERNS,
  isRight: (text) => text.length > 0 && text.length <= MAX_PATTERN_LENGTH,
  write: (text) => text,
};

const SECRETS: ListRule = {
  name: 'secrets',
  allowed: "a list of at most 100 names such as ['API_KEY']",
  most: MAX_PATTERNS,
  isRight: isVariableName,
  write: (text) => text,
};

function listJson(rule: ListRule, value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (!isArray(value) || value.length > rule.most) throw wrong(rule.name, rule.allowed, value);
  let json = '';
  for (let i = 0; i < value.length; i++) {
    const text = value[i];
    if (typeof text !== 'string' || !rule.isRight(text)) throw wrong(`${rule.name}[${i}]`, `in ${rule.allowed}`, text);
    json += `${i === 0 ? '' : ','}${quote(rule.write(text))}`;
  }
  return `[${json}]`;
}

interface Defaults {
  readonly json: string;
  readonly names: readonly string[];
  readonly values: readonly string[];
}

function readDefaults(value: unknown): Defaults {
  const settings = objectOf('settings', value);
  const names = ownKeys(settings);
  const values = bareList<string>();
  if (names.length > MAX_LIST) throw wrong('settings', 'an object of at most 1000 texts', value);
  let json = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const text = settings[name];
    if (typeof text !== 'string' || text.length > 10_000) {
      throw wrong(`settings.${name}`, 'a text of at most 10000 characters', text);
    }
    values[i] = text;
    json += `${i === 0 ? '' : ','}[${quote(name)},${quote(text)}]`;
  }
  return { json: `[${json}]`, names, values };
}

/** @param settings what `configGet` answers; defaults are added where the platform has none of the name. */
export function createConfigure(settings: Map<string, string>): Configure {
  let given: string | null = null;
  let closed = false;
  return {
    configure(value) {
      if (closed) {
        throw argumentError('configure works only at the top level of a source, not while an event is handled.');
      }
      if (given !== null) throw argumentError('configure: may be called once per source, and has been called already.');
      if (value === undefined) throw wrong('its argument', "an object such as { limits: { memory: '64mb' } }", value);
      const options = objectOf('its argument', value);
      refuseUnknown('configure', options, ARGUMENTS);
      const defaults = readDefaults(options.settings);
      given = `{"limits":${limitsJson(options.limits)},"commands":${listJson(COMMANDS, options.commands)},"keys":${listJson(KEYS, options.keys)},"settings":${defaults.json},"secrets":${listJson(SECRETS, options.secrets)}}`;
      for (let i = 0; i < defaults.names.length; i++) {
        const name = defaults.names[i] as string;
        if (!mapHas(settings, name)) mapSet(settings, name, defaults.values[i] as string);
      }
    },
    close() {
      closed = true;
    },
    json: () => given ?? 'null',
  };
}
