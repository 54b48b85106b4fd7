/**
 * Everything of the language that the guest runtime uses while user code is about, captured before user code runs. User
 * code shares the realm and may replace any prototype's methods, so nothing else may be looked up at run time: no method
 * calls on strings, arrays, maps or promises, no spread, no destructuring of arrays, no for-of, no regular expressions.
 */
type Method<T, A extends unknown[], R> = (this: T, ...args: A) => R;
type Uncurried<T, A extends unknown[], R> = (self: T, ...args: A) => R;

const { bind, call } = Function.prototype;
const uncurryThis = bind.bind(call as never) as unknown as <T, A extends unknown[], R>(
  method: Method<T, A, R>,
) => Uncurried<T, A, R>;

export const NativeArray = Array;
export const NativeDate = Date;
export const NativeError = Error;
export const NativeMap = Map;
export const NativePromise = Promise;
export const NativeProxy = Proxy;
export const NativeRangeError = RangeError;
export const NativeSet = Set;
export const NativeTypeError = TypeError;
export const NativeUint8Array = Uint8Array;
export const NativeUint32Array = Uint32Array;
export const NativeWeakMap = WeakMap;
export const NativeFunction = Function;

export const isArray: (value: unknown) => value is unknown[] = Array.isArray;
export const nativeNow: () => number = Date.now;
export const parseDate: (text: string) => number = Date.parse;
export const nativeRandom: () => number = Math.random;
export const floor: (value: number) => number = Math.floor;
export const isSafeInteger: (value: unknown) => boolean = Number.isSafeInteger;
export const isFiniteNumber: (value: unknown) => boolean = Number.isFinite;
export const fromCharCode: (...codes: number[]) => string = String.fromCharCode;
export const toText: (value: unknown) => string = String;
export const toBigInt: (value: string) => bigint = BigInt;
export const toNumber: (value: unknown) => number = Number;
export const encodeUri: (text: string) => string = encodeURIComponent;
export const unescapeBytes: (text: string) => string = (globalThis as unknown as { unescape: (t: string) => string })
  .unescape;
/** Only for strings: with objects it would look for `toJSON`. */
export const quote: (text: string) => string = JSON.stringify;

export const parseJson: (text: string) => unknown = JSON.parse;
/** What plain objects inherit from. */
export const plainPrototype: object = Object.prototype;
export const iteratorSymbol: typeof Symbol.iterator = Symbol.iterator;
export const asyncIteratorSymbol: typeof Symbol.asyncIterator = Symbol.asyncIterator;
export const {
  defineProperty,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  setPrototypeOf,
  keys: ownKeys,
  freeze,
} = Object;
export const { apply: reflectApply, construct: reflectConstruct, get: reflectGet } = Reflect;

export const charCodeAt: (text: string, index: number) => number = uncurryThis(String.prototype.charCodeAt);
export const slice: (text: string, from: number, to?: number) => string = uncurryThis(
  String.prototype.slice as Method<string, [number, number?], string>,
);
export const startsWith: (text: string, part: string, at?: number) => boolean = uncurryThis(
  String.prototype.startsWith as Method<string, [string, number?], boolean>,
);
export const indexOf: (text: string, part: string, from?: number) => number = uncurryThis(
  String.prototype.indexOf as Method<string, [string, number?], number>,
);
export const toLowerCase: (text: string) => string = uncurryThis(String.prototype.toLowerCase);
export const toWellFormed: (text: string) => string = uncurryThis(
  (String.prototype as unknown as { toWellFormed: Method<string, [], string> }).toWellFormed,
);
export const trim: (text: string) => string = uncurryThis(String.prototype.trim);
export const repeat: (text: string, times: number) => string = uncurryThis(String.prototype.repeat);

export const functionToString: (fn: unknown) => string = uncurryThis(
  Function.prototype.toString as Method<unknown, [], string>,
);
export const dateToString: (date: Date) => string = uncurryThis(Date.prototype.toString);
export const dateGetTime: (date: Date) => number = uncurryThis(Date.prototype.getTime);

type AnyMap = Map<unknown, unknown>;
export const mapGet = uncurryThis(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined;
export const mapSet = uncurryThis(Map.prototype.set as Method<AnyMap, [unknown, unknown], AnyMap>) as unknown as <K, V>(
  map: Map<K, V>,
  key: K,
  value: V,
) => void;
export const mapHas = uncurryThis(Map.prototype.has) as (map: AnyMap | Map<string, unknown>, key: unknown) => boolean;
export const mapDelete = uncurryThis(Map.prototype.delete) as <K>(map: Map<K, unknown>, key: K) => boolean;
export const mapForEach = uncurryThis(
  Map.prototype.forEach as Method<AnyMap, [(value: unknown, key: unknown) => void], void>,
) as unknown as <K, V>(map: Map<K, V>, visit: (value: V, key: K) => void) => void;
const mapSizeGetter = Object.getOwnPropertyDescriptor(Map.prototype, 'size')?.get as Method<unknown, [], number>;
export const mapSize: (map: unknown) => number = uncurryThis(mapSizeGetter);
export const setHas: (set: Set<unknown>, value: unknown) => boolean = uncurryThis(Set.prototype.has);
export const setAdd: (set: Set<unknown>, value: unknown) => unknown = uncurryThis(Set.prototype.add);
export const setForEach = uncurryThis(
  Set.prototype.forEach as Method<Set<unknown>, [(value: unknown) => void], void>,
) as unknown as <T>(set: Set<T>, visit: (value: T) => void) => void;
export const setDelete: (set: Set<unknown>, value: unknown) => boolean = uncurryThis(Set.prototype.delete);
export const weakGet = uncurryThis(WeakMap.prototype.get) as (map: WeakMap<object, unknown>, key: object) => unknown;
export const weakSet = uncurryThis(WeakMap.prototype.set) as (
  map: WeakMap<object, unknown>,
  key: object,
  value: unknown,
) => void;
export const weakHas = uncurryThis(WeakMap.prototype.has) as (map: WeakMap<object, unknown>, key: object) => boolean;

export interface Deferred {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}
const { withResolvers } = Promise;
const nativeResolve = Promise.resolve;
const nativeReject = Promise.reject;
const NONE: readonly [] = [];
/** A promise with its resolvers; both are the language's own functions. */
export const deferred = (): Deferred => reflectApply(withResolvers, NativePromise, NONE) as Deferred;
/** The promise itself when it is one, else a promise for the thenable. May throw through a getter of the value. */
export const promiseOf = (value: unknown): Promise<unknown> =>
  reflectApply(nativeResolve, NativePromise, [value]) as Promise<unknown>;
export const rejected = (reason: unknown): Promise<never> =>
  reflectApply(nativeReject, NativePromise, [reason]) as Promise<never>;
export const promiseThen = uncurryThis(
  Promise.prototype.then as Method<
    Promise<unknown>,
    [((value: unknown) => unknown) | undefined, ((reason: unknown) => unknown)?],
    Promise<unknown>
  >,
);

const typedPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getterOf = <T>(owner: object, name: PropertyKey): ((self: unknown) => T) =>
  uncurryThis(Object.getOwnPropertyDescriptor(owner, name)?.get as Method<unknown, [], T>);
/** The class name of a typed array, undefined for everything else (also for a DataView). */
export const typedArrayName: (value: unknown) => string | undefined = getterOf(typedPrototype, Symbol.toStringTag);
export const typedArrayBuffer: (value: unknown) => ArrayBuffer = getterOf(typedPrototype, 'buffer');
export const typedArrayOffset: (value: unknown) => number = getterOf(typedPrototype, 'byteOffset');
export const typedArrayBytes: (value: unknown) => number = getterOf(typedPrototype, 'byteLength');
export const typedArraySet: (target: Uint32Array | Uint8Array, source: ArrayLike<number>, at?: number) => void =
  uncurryThis((typedPrototype as { set: Method<unknown, [ArrayLike<number>, number?], void> }).set);
export const typedSubarray: (source: Uint32Array, from: number, to: number) => Uint32Array = uncurryThis(
  (typedPrototype as { subarray: Method<Uint32Array, [number, number], Uint32Array> }).subarray,
);
export const isView: (value: unknown) => value is ArrayBufferView = ArrayBuffer.isView;
export const dataViewBuffer: (value: unknown) => ArrayBuffer = getterOf(DataView.prototype, 'buffer');
export const dataViewOffset: (value: unknown) => number = getterOf(DataView.prototype, 'byteOffset');
export const dataViewBytes: (value: unknown) => number = getterOf(DataView.prototype, 'byteLength');
/** Throws for everything but an ArrayBuffer. */
export const arrayBufferBytes: (value: unknown) => number = getterOf(ArrayBuffer.prototype, 'byteLength');

/** Sorts in place, stably. `undefined` goes last without being compared. */
export const arraySort: (list: unknown[], compare: (a: never, b: never) => number) => unknown = uncurryThis(
  Array.prototype.sort as Method<unknown[], [(a: never, b: never) => number], unknown>,
);
const arrayOf = Array.of;
const arrayConcat = Array.prototype.concat as (this: unknown[], ...lists: unknown[][]) => unknown[];
const CHUNK = 1_000;

function chunkOf(bare: readonly unknown[], from: number, to: number): unknown[] {
  const part = bareList<unknown>();
  for (let i = from; i < to; i++) part[i - from] = bare[i];
  return reflectApply(arrayOf, NativeArray, part) as unknown[];
}

/** An ordinary array with the items of a bare one, made without a write that could meet a setter of user code. */
export function ordinaryList(bare: readonly unknown[]): unknown[] {
  if (bare.length <= CHUNK) return reflectApply(arrayOf, NativeArray, bare) as unknown[];
  const chunks = bareList<unknown[]>();
  for (let from = 0; from < bare.length; from += CHUNK) {
    const to = from + CHUNK < bare.length ? from + CHUNK : bare.length;
    chunks[chunks.length] = chunkOf(bare, from, to);
  }
  return reflectApply(arrayConcat, [], chunks);
}

/** An array that inherits nothing, so that writing to it can meet no setter. */
export function bareList<T>(): T[] {
  return setPrototypeOf([], null) as T[];
}
