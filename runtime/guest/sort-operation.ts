import { argumentError, createOptionReader, optionsOf, refuseUnknown } from './arguments.ts';
import { showValue } from './describe.ts';
import { guestError } from './errors.ts';
import type { Compare, Step, UserFunction } from './plan.ts';
import { type Arguments, COLLECT, EACH, functionOf, plain } from './step-makers.ts';
import { compareNaturally } from './structure.ts';

interface SortOrder {
  readonly reverse: boolean;
  readonly comparator: UserFunction | null;
}

function sortOrder(args: Arguments): SortOrder {
  const first = args[0];
  if (typeof first === 'function') return { reverse: false, comparator: first as UserFunction };
  if (typeof first === 'boolean') {
    return { reverse: first, comparator: args[1] === undefined ? null : functionOf('sort (comparator)', args[1]) };
  }
  if (first !== undefined && (typeof first !== 'object' || first === null)) {
    throw argumentError(`sort: reverse must be true or false, not ${showValue(first)}.`);
  }
  const options = optionsOf('sort', first);
  refuseUnknown('sort', options, ['reverse', 'comparator']);
  const read = createOptionReader('sort', options);
  return { reverse: read.flag('reverse', false), comparator: read.callback('comparator') };
}

function compareWith(comparator: UserFunction): Compare {
  return (a, b) => {
    const order = comparator(a, b);
    if (typeof order === 'number') return order;
    throw guestError('GUEST_ERROR', `The comparator of sort must return a number, not ${showValue(order)}.`, 'type');
  };
}

/** `sort()`, `sort(reverse)`, `sort(comparator)`, `sort({ reverse, comparator })`: all records in one place, in order. */
export function sort(args: Arguments): readonly Step[] {
  const { reverse, comparator } = sortOrder(args);
  const upward = comparator === null ? compareNaturally : compareWith(comparator);
  const compare: Compare = reverse ? (a, b) => -upward(a, b) : upward;
  const arg = reverse ? 'reverse' : null;
  return [COLLECT, { ...plain('accumulate'), binds: true, compare, arg }, EACH];
}
