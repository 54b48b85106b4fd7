/** Names of the language and of the platform that code has at hand where functions run. A test compares them with a sandbox. */
export const GUEST_NAMES: ReadonlySet<string> = new Set([
  ...['Object', 'Function', 'Array', 'Number', 'parseFloat', 'parseInt', 'Infinity', 'NaN', 'undefined', 'Boolean'],
  ...['String', 'Symbol', 'Date', 'Promise', 'RegExp', 'Error', 'AggregateError', 'EvalError', 'RangeError'],
  ...['ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'SuppressedError', 'globalThis', 'JSON', 'Math'],
  ...['Intl', 'ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array'],
  ...['BigUint64Array', 'BigInt64Array', 'Uint8ClampedArray', 'Float16Array', 'Float32Array', 'Float64Array'],
  ...['DataView', 'Map', 'BigInt', 'Set', 'Iterator', 'WeakMap', 'WeakSet', 'WeakRef', 'Proxy', 'Reflect'],
  ...['DisposableStack', 'AsyncDisposableStack', 'decodeURI', 'decodeURIComponent', 'encodeURI'],
  ...['encodeURIComponent', 'escape', 'unescape', 'eval', 'isFinite', 'isNaN', 'console', 'queueMicrotask'],
  ...['isInAtomicBlock', 'structuredClone', 'performance', 'TextEncoder', 'TextDecoder', 'btoa', 'atob'],
  ...['GearsBuilder', 'GB', 'configure', 'execute', 'atomic', 'log', 'hashtag', 'configGet', 'gearsConfigGet'],
  ...['callNext', 'overrideReply', 'getCommand', 'sleep', 'runCoroutine', 'gearsFuture', 'createFuture'],
  ...['setFutureResults', 'setFutureException', 'flatError', 'isAsyncAllow', 'registerTE', 'env', 'secret'],
]);

const NO_TIMERS = 'functions have no timers, they wait with sleep(seconds)';
const NO_NETWORK = 'functions have no network, and reach Redis through execute(…)';
const NO_MODULES = 'functions have no modules';

/** Names of Node and of RedisGears that functions do not have. */
export const ABSENT_NAMES: ReadonlyMap<string, string> = new Map([
  ['setTimeout', NO_TIMERS],
  ['setInterval', NO_TIMERS],
  ['setImmediate', NO_TIMERS],
  ['clearTimeout', NO_TIMERS],
  ['clearInterval', NO_TIMERS],
  ['clearImmediate', NO_TIMERS],
  ['fetch', NO_NETWORK],
  ['require', NO_MODULES],
  ['module', NO_MODULES],
  ['exports', NO_MODULES],
  ['process', 'functions have no process; give values with .with({ … })'],
  ['Buffer', 'functions have Uint8Array, TextEncoder and TextDecoder instead'],
]);

type Anything = Readonly<Record<string, unknown>>;

/**
 * The expression that gives a function of the language where functions run, such as `Math.max`; null for any other function.
 */
export function builtInName(fn: unknown): string | null {
  for (const name of GUEST_NAMES) {
    if (name === 'globalThis' || name === 'console') continue;
    const owner = (globalThis as unknown as Anything)[name];
    if (owner === fn) return name;
    if (!isHolder(owner)) continue;
    const member = Object.getOwnPropertyNames(owner).find(
      (key) => key !== 'prototype' && Object.getOwnPropertyDescriptor(owner, key)?.value === fn,
    );
    if (member !== undefined) return `${name}.${member}`;
  }
  return null;
}

function isHolder(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
