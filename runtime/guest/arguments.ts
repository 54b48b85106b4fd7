import { showValue } from './describe.ts';
import { guestError } from './errors.ts';
import { charCodeAt, isArray, isSafeInteger, ownKeys, slice, toLowerCase, toNumber } from './primordials.ts';
import { includes, listed, nearest } from './suggest.ts';

/** A wrong argument of the builder: the message names the argument, its value and what is allowed. */
export function argumentError(message: string): Error {
  return guestError('GUEST_ARGUMENT', message, 'type');
}

export type Options = Readonly<Record<string, unknown>>;

/** Reads the options of one call; every complaint begins with the call. */
export interface OptionReader {
  given(name: string): boolean;
  text(name: string): string | null;
  flag(name: string, preset: boolean): boolean;
  /** A whole number within bounds. */
  count(name: string, bounds: { readonly preset: number; readonly from: number; readonly to: number }): number;
  /** A number of seconds, whole or not, as milliseconds. */
  secondsAsMs(name: string, presetMs: number): number;
  oneOf<T extends string>(name: string, allowed: readonly T[], preset: T): T;
  callback(name: string): ((...args: unknown[]) => unknown) | null;
  /** Milliseconds, or a text such as '5m'; null when not given. */
  duration(name: string): number | null;
  raw(name: string): unknown;
}

const UNITS = ['ms', 's', 'm', 'h', 'd'] as const;
const UNIT_MS = [1, 1_000, 60_000, 3_600_000, 86_400_000] as const;

/** Milliseconds of a text such as '500ms'; null when it is none. */
export function parseDuration(text: string): number | null {
  let digits = 0;
  while (digits < text.length && charCodeAt(text, digits) >= 48 && charCodeAt(text, digits) <= 57) digits++;
  if (digits === 0) return null;
  const unit = slice(text, digits);
  for (let i = 0; i < UNITS.length; i++) {
    if (UNITS[i] === unit) return toNumber(slice(text, 0, digits)) * (UNIT_MS[i] as number);
  }
  return null;
}

/** Refuses names that are not allowed, suggesting the nearest one. */
export function refuseUnknown(call: string, options: Options, allowed: readonly string[]): void {
  const names = ownKeys(options);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (includes(allowed, name)) continue;
    const near = nearest(name, allowed);
    const hint = near === null ? '' : ` Did you mean ${near}?`;
    throw argumentError(`${call}: unknown argument ${showValue(name)}.${hint} Allowed are ${listed(allowed)}.`);
  }
}

export function createOptionReader(call: string, options: Options): OptionReader {
  const optionOf = (name: string): unknown => options[name];
  const wrong = (name: string, allowed: string): Error =>
    argumentError(`${call}: ${name} must be ${allowed}, not ${showValue(optionOf(name))}.`);
  const absent = (name: string): boolean => optionOf(name) === undefined || optionOf(name) === null;
  return {
    raw: optionOf,
    given: (name) => !absent(name),
    text(name) {
      if (absent(name)) return null;
      const value = optionOf(name);
      if (typeof value !== 'string' || value === '') throw wrong(name, 'a non-empty string');
      return value;
    },
    flag(name, preset) {
      const value = optionOf(name);
      if (value === undefined) return preset;
      if (typeof value !== 'boolean') throw wrong(name, 'true or false');
      return value;
    },
    count(name, { preset, from, to }) {
      const value = optionOf(name);
      if (value === undefined) return preset;
      if (!isSafeInteger(value) || (value as number) < from || (value as number) > to) {
        throw wrong(name, `a whole number from ${from} to ${to}`);
      }
      return value as number;
    },
    secondsAsMs(name, presetMs) {
      const value = optionOf(name);
      if (value === undefined) return presetMs;
      if (typeof value !== 'number' || !(value >= 0.001 && value <= 86_400)) {
        throw wrong(name, 'a number of seconds from 0.001 to 86400');
      }
      const ms = value * 1_000;
      return ms - (ms % 1);
    },
    oneOf(name, allowed, preset) {
      const value = optionOf(name);
      if (value === undefined) return preset;
      for (let i = 0; i < allowed.length; i++) {
        if (typeof value === 'string' && toLowerCase(value) === allowed[i])
          return allowed[i] as (typeof allowed)[number];
      }
      throw wrong(name, `one of ${listed(allowed)}`);
    },
    callback(name) {
      if (absent(name)) return null;
      const value = optionOf(name);
      if (typeof value !== 'function') throw wrong(name, 'a function');
      return value as (...args: unknown[]) => unknown;
    },
    duration(name) {
      if (absent(name)) return null;
      const value = optionOf(name);
      const ms = typeof value === 'string' ? parseDuration(value) : value;
      if (!isSafeInteger(ms) || (ms as number) < 1) {
        throw wrong(name, "a whole number of milliseconds or a text such as '500ms', '30s', '5m', '2h', '1d'");
      }
      return ms as number;
    },
  };
}

/** The options object of a call; anything else is refused. */
export function optionsOf(call: string, value: unknown): Options {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !isArray(value)) return value as Options;
  throw argumentError(
    `${call}: the arguments must be an object such as { prefix: 'orders:*' }, not ${showValue(value)}.`,
  );
}
