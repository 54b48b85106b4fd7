import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { TestFunction } from './test-function.ts';

/**
 * Throws DELIVERY_FAILED unless every record of a delivery ended well (done, or filtered out), with the first error, its stack and
 * the author's lines.
 * @example
 * assertDone(clicks, await clicks.deliver(streamEntries('events:web', { user: 'ann', page: '/home' })));
 */
export function assertDone(fn: Pick<TestFunction, 'name' | 'showSource'>, delivery: Delivery): void {
  const [error] = delivery.errors;
  if (error === undefined && !delivery.crashed) return;
  const lines =
    error === undefined
      ? []
      : [`${error.name}: ${error.message}`, ...framesOf(error.stack), fn.showSource(error.stack)];
  const record = error === undefined || error.record < 0 ? '' : `, record ${error.record}`;
  const title = delivery.crashed ? `${fn.name} was killed on the way` : `${fn.name} failed${record}`;
  const text = [title, ...lines].filter((line) => line !== '').join('\n');
  throw new PlatformError<SchedulerErrorCode>('DELIVERY_FAILED', text, { details: { errors: delivery.errors } });
}

function framesOf(stack: string): readonly string[] {
  return stack.split('\n').filter((line) => /^\s+at /.test(line));
}
