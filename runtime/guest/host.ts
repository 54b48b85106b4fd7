import { argumentError } from './arguments.ts';
import { describeError, describeValue, showValue } from './describe.ts';
import { flatErrorOf, guestError } from './errors.ts';
import type { Executor } from './execute.ts';
import type { Logger } from './log.ts';
import { defineProperty, mapGet, type NativeMap, promiseOf, promiseThen } from './primordials.ts';
import type { Turn } from './turn.ts';

export interface HostOptions {
  readonly turn: Turn;
  readonly executor: Executor;
  readonly logger: Logger;
  readonly settings: InstanceType<typeof NativeMap<string, string>>;
}

/** The functions of the vocabulary that are neither builder, execute's relatives nor console. */
export function createHostFunctions({
  turn,
  executor,
  logger,
  settings,
}: HostOptions): Readonly<Record<string, unknown>> {
  const setting = (name: string, key: unknown): string | undefined => {
    if (typeof key === 'string') return mapGet(settings, key);
    throw argumentError(`${name}: the key must be a string, not ${showValue(key)}.`);
  };
  const execute = (...args: unknown[]): Promise<unknown> => executor.send(args, false);
  const raw = (...args: unknown[]): Promise<unknown> => executor.send(args, true);
  defineProperty(execute, 'raw', { __proto__: null, value: raw } as never);
  return {
    execute,
    isInAtomicBlock: (): boolean => executor.group !== null || executor.callingSession,
    hashtag: (): string => {
      if (turn.entry !== null) return turn.entry.batch.hashtag;
      throw guestError(
        'GUEST_ERROR',
        'hashtag works only while an event is handled, not while the function is loaded.',
      );
    },
    configGet: (key: unknown): string | null => setting('configGet', key) ?? null,
    gearsConfigGet: (key: unknown, preset: unknown = null): unknown => setting('gearsConfigGet', key) ?? preset,
    isAsyncAllow: (): boolean => turn.entry !== null && executor.group === null && !executor.callingSession,
    flatError: (message: unknown): never => {
      throw flatErrorOf(typeof message === 'string' ? message : describeValue(message));
    },
    queueMicrotask: (callback: unknown): void => {
      if (typeof callback !== 'function') throw argumentError('queueMicrotask: the argument must be a function.');
      promiseThen(promiseOf(undefined), () => {
        try {
          (callback as () => unknown)();
        } catch (error) {
          logger.write('warning', `A microtask failed: ${describeError(error).message}`);
        }
      });
    },
  };
}
