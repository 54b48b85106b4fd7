import type { SourcesSpec } from '../sandbox/messages.ts';
import {
  dateToString,
  defineProperty,
  NativeDate,
  NativeProxy,
  NativeWeakMap,
  nativeNow,
  nativeRandom,
  reflectApply,
  reflectConstruct,
  weakGet,
  weakSet,
} from './primordials.ts';

/**
 * Where everything comes from that is not the same at every run. All of a function's clocks and dice read it here and
 * nowhere else, so that a replay can put a recording in its place.
 */
export interface Sources {
  /** ms since the epoch. */
  now: () => number;
  /** From 0, below 1. */
  random: () => number;
}

export function createSources(spec?: SourcesSpec): Sources {
  const sources: Sources = { now: nativeNow, random: nativeRandom };
  if (spec !== undefined) steerSources(sources, spec);
  return sources;
}

/** Only the node asks for this, and only in rehearsals. */
export function steerSources(sources: Sources, { nowMs, random }: SourcesSpec): void {
  sources.now = nowMs === null ? nativeNow : () => nowMs;
  if (random === null) sources.random = nativeRandom;
  else sources.random = 'seed' in random ? seeded(random.seed) : inTurn(random);
}

const MODULUS = 2_147_483_647;
const MULTIPLIER = 48_271;

/** Lehmer's generator: products stay below 2^53. */
function seeded(seed: number): () => number {
  let state = (seed % (MODULUS - 1)) + 1;
  return () => {
    state = (state * MULTIPLIER) % MODULUS;
    return (state - 1) / (MODULUS - 1);
  };
}

function inTurn(values: readonly number[]): () => number {
  let next = 0;
  return () => {
    const value = values[next] as number;
    next = (next + 1) % values.length;
    return value;
  };
}

function hide(owner: object, name: PropertyKey, value: unknown): void {
  defineProperty(owner, name, { __proto__: null, value, writable: true, configurable: true } as never);
}

/** A Date that behaves as the language's own (subclasses, instanceof, parse, UTC) and takes the time from the sources. */
function createDate(sources: Sources): DateConstructor {
  const PlatformDate = new NativeProxy(NativeDate, {
    apply: () => dateToString(new NativeDate(sources.now())),
    construct(target, args, newTarget) {
      return reflectConstruct(target, args.length === 0 ? [sources.now()] : args, newTarget) as object;
    },
  });
  hide(NativeDate, 'now', function now() {
    return sources.now();
  });
  hide(NativeDate.prototype, 'constructor', PlatformDate);
  return PlatformDate;
}

type Format = (date?: unknown) => unknown;

/** Formats of no date mean now. */
function patchDateTimeFormat(sources: Sources): void {
  const { prototype } = Intl.DateTimeFormat;
  const bound = new NativeWeakMap<object, Format>();
  const getFormat = Object.getOwnPropertyDescriptor(prototype, 'format')?.get as (this: unknown) => Format;
  const formatToParts = prototype.formatToParts as (this: unknown, date?: unknown) => unknown;
  defineProperty(prototype, 'format', {
    __proto__: null,
    configurable: true,
    get(this: object) {
      const native = reflectApply(getFormat, this, []) as Format;
      const known = weakGet(bound, native);
      if (known !== undefined) return known;
      const format: Format = (date) => native(date === undefined ? sources.now() : date);
      weakSet(bound, native, format);
      return format;
    },
  } as never);
  hide(prototype, 'formatToParts', function formatToPartsOf(this: unknown, date?: unknown) {
    return reflectApply(formatToParts, this, [date === undefined ? sources.now() : date]);
  });
}

/** Replaces the clocks and dice of the realm by ones that ask `sources`. */
export function installSources(target: object, sources: Sources): void {
  hide(target, 'Date', createDate(sources));
  hide(Math, 'random', function random() {
    return sources.random();
  });
  patchDateTimeFormat(sources);
  const timeOrigin = sources.now();
  hide(target, 'performance', { timeOrigin, now: () => sources.now() - timeOrigin });
}
