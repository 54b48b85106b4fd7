import { guestError } from './errors.ts';
import { defineProperty } from './primordials.ts';

const NO_TIMERS =
  'a handler waits with `await sleep(seconds)` and does things later with runCoroutine(fn, { delay: seconds }), both as long as its event lasts; what comes after is for a ScheduleReader.';
const NO_NETWORK = 'there is no network: a function reaches Redis through execute(…) and nothing else.';
const NO_MODULES =
  'there are no modules at run time: import them statically, `regears deploy` bundles them into the function.';
/**
 * What the platform says to an error about `process`. The name itself is not there at all: packages ask `typeof process` to find
 * out whether this is Node.
 */
export const NO_PROCESS =
  'there is no process: settings come through env(name) and configGet(key), log lines go through log(…) or console.';

const ABSENT: readonly (readonly [string, string])[] = [
  ['setTimeout', NO_TIMERS],
  ['setInterval', NO_TIMERS],
  ['setImmediate', NO_TIMERS],
  ['clearTimeout', NO_TIMERS],
  ['clearInterval', NO_TIMERS],
  ['clearImmediate', NO_TIMERS],
  ['fetch', NO_NETWORK],
  ['require', NO_MODULES],
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
  for (let i = 0; i < REMOVED.length; i++) delete target[REMOVED[i] as string];
}
