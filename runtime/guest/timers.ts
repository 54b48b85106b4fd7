import { argumentError, optionsOf, refuseUnknown } from './arguments.ts';
import { describeError, showValue } from './describe.ts';
import type { Executor } from './execute.ts';
import { type FutureHandle, isFutureHandle } from './gears-future.ts';
import type { Logger } from './log.ts';
import type { UserFunction } from './plan.ts';
import { floor, getPrototypeOf, isFiniteNumber, plainPrototype, promiseOf, promiseThen } from './primordials.ts';
import type { Sessions } from './session.ts';

export interface TimersOptions {
  readonly executor: Pick<Executor, 'ownerOf' | 'encodeFor'>;
  readonly sessions: Pick<Sessions, 'ask'>;
  readonly logger: Pick<Logger, 'write'>;
}

const MAX_SECONDS = 86_400;

/** What `runCoroutine` was given, checked. */
interface Coroutine {
  readonly begin: () => unknown;
  readonly future: FutureHandle | null;
  readonly ms: number;
}

function millisecondsOf(call: string, seconds: unknown): number {
  if (isFiniteNumber(seconds) && (seconds as number) >= 0 && (seconds as number) <= MAX_SECONDS) {
    return floor((seconds as number) * 1_000);
  }
  throw argumentError(`${call} must be a number of seconds from 0 to ${MAX_SECONDS}, not ${showValue(seconds)}.`);
}

function futureOf(value: unknown): FutureHandle | null {
  if (value === undefined || value === null) return null;
  if (isFutureHandle(value)) return value;
  throw argumentError(`runCoroutine: the future must be one of gearsFuture(), not ${showValue(value)}.`);
}

function isOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = getPrototypeOf(value) as object | null;
  return prototype === null || prototype === plainPrototype;
}

/** `(coroutine, future?, delay?)` or `(coroutine, { future, delay })`. */
function coroutineOf(args: readonly unknown[]): Coroutine {
  const coroutine = args[0];
  const given = isOptions(args[1]) ? optionsOf('runCoroutine', args[1]) : { future: args[1], delay: args[2] };
  refuseUnknown('runCoroutine', given, ['future', 'delay']);
  const ms = millisecondsOf('runCoroutine: delay', given.delay ?? 0);
  const isFunction = typeof coroutine === 'function';
  const isPromise = typeof coroutine === 'object' && coroutine !== null;
  if (!isFunction && (!isPromise || ms > 0)) {
    throw argumentError(
      `runCoroutine: the first argument must be an async function, such as async () => { … }, not ${showValue(coroutine)}.`,
    );
  }
  const begin = isFunction ? (coroutine as UserFunction) : (): unknown => coroutine;
  return { begin, future: futureOf(given.future), ms };
}

/** `sleep` and `runCoroutine`: what an event does later. Nothing of it outlives the event. */
export function createTimers({ executor, sessions, logger }: TimersOptions): Readonly<Record<string, unknown>> {
  const pause = (what: string, ms: number): Promise<unknown> => {
    const entry = executor.ownerOf(what);
    return sessions.ask(entry, executor.encodeFor(entry, ['SLEEP', ms], what));
  };
  return {
    sleep: (seconds: unknown): Promise<unknown> =>
      promiseThen(pause('sleep', millisecondsOf('sleep: the argument', seconds)), () => undefined),
    runCoroutine: (...args: unknown[]): void => {
      const { begin, future, ms } = coroutineOf(args);
      if (ms === 0) executor.ownerOf('runCoroutine');
      const start = ms === 0 ? promiseOf(undefined) : pause('runCoroutine', ms);
      promiseThen(
        promiseThen(start, () => begin()),
        (value) => {
          if (future !== null) future.continueRun(value);
        },
        (error) => {
          if (future !== null) future.continueFailed(error);
          else logger.write('warning', `A coroutine failed: ${describeError(error).message}`);
        },
      );
    },
  };
}
