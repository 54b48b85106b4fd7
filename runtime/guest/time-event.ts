import { argumentError } from './arguments.ts';
import { showValue } from './describe.ts';
import type { UserFunction } from './plan.ts';
import { isSafeInteger, reflectApply, reflectConstruct } from './primordials.ts';
import { functionOf } from './step-makers.ts';

type Method = (...args: unknown[]) => unknown;

/**
 * `registerTE(seconds, fn)`: a ScheduleReader that calls `fn`, once per tick in the whole fleet, until it throws or is unregistered.
 * The builder's methods are taken before user code can replace them.
 */
export function createTimeEvent(GearsBuilder: UserFunction): UserFunction {
  const { foreach, register } = GearsBuilder.prototype as { readonly foreach: Method; readonly register: Method };
  return (...args: unknown[]) => {
    if (args.length < 2) throw argumentError('registerTE: not enough arguments for time event');
    const seconds = args[0];
    if (!isSafeInteger(seconds) || (seconds as number) < 1) {
      throw argumentError(
        `registerTE: time argument must be a long, a whole number of seconds from 1, not ${showValue(seconds)}.`,
      );
    }
    if (typeof args[1] !== 'function') throw argumentError('registerTE: callback must be a function');
    if (args[2] !== undefined && args[2] !== null) {
      throw argumentError(
        'registerTE: a timer is a registration here and is kept without a key; leave the key out, and end it with RG.UNREGISTER.',
      );
    }
    const fn = functionOf('registerTE', args[1]);
    const builder = reflectConstruct(GearsBuilder, ['ScheduleReader', undefined, 'registerTE']) as object;
    reflectApply(foreach, builder, [() => fn()]);
    const every = (seconds as number) * 1_000;
    reflectApply(register, builder, [{ every, missed: 'skip', onFailedPolicy: 'abort' }]);
    return undefined;
  };
}
