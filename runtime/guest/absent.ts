import { guestError } from './errors.ts';
import { defineProperty } from './primordials.ts';

const NO_TIMERS =
  'there are no timers: a handler ends when its promises have settled. Let a retry policy or a clock trigger call it again later.';
const NO_NETWORK = 'there is no network: a function reaches Redis through execute(…) and nothing else.';
const NO_MODULES =
  'there are no modules at run time: import them statically, `regears deploy` bundles them into the function.';
const NO_PROCESS = 'there is no process: settings come through configGet(key), log lines go through log(…) or console.';
const NOT_YET = 'it is a part of RedisGears that ReGears does not have yet, see docs/compatibility.md.';

const ABSENT: readonly (readonly [string, string])[] = [
  ['setTimeout', NO_TIMERS],
  ['setInterval', NO_TIMERS],
  ['setImmediate', NO_TIMERS],
  ['clearTimeout', NO_TIMERS],
  ['clearInterval', NO_TIMERS],
  ['clearImmediate', NO_TIMERS],
  ['fetch', NO_NETWORK],
  ['require', NO_MODULES],
  ['createFuture', NOT_YET],
  ['gearsFuture', NOT_YET],
  ['runCoroutine', NOT_YET],
  ['isAsyncAllow', NOT_YET],
  ['flatError', NOT_YET],
  ['registerTE', NOT_YET],
];

/** Names that would let code wait outside the runtime's view, share memory or run what was compiled elsewhere. */
const REMOVED = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry', 'gc'] as const;

/** Puts functions that say what to do instead where people look for what is not here, and takes away what must not be. */
export function installAbsent(target: Record<string, unknown>): void {
  for (let i = 0; i < ABSENT.length; i++) {
    const pair = ABSENT[i] as readonly [string, string];
    const refuse = (): never => {
      throw guestError('GUEST_ERROR', `${pair[0]} is absent here: ${pair[1]}`);
    };
    defineProperty(target, pair[0], { __proto__: null, value: refuse, writable: true, configurable: true } as never);
  }
  defineProperty(target, 'process', {
    __proto__: null,
    configurable: true,
    get() {
      throw guestError('GUEST_ERROR', `process is absent here: ${NO_PROCESS}`);
    },
    set(value: unknown) {
      defineProperty(target, 'process', { __proto__: null, value, writable: true, configurable: true } as never);
    },
  } as never);
  for (let i = 0; i < REMOVED.length; i++) delete target[REMOVED[i] as string];
}
