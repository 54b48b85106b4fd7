import { formatDuration, type RegistrationSpec } from '#functions';
import type { ReplyValue } from './operation.ts';

/** Arguments of `register` about which events run and how many at a time; nothing where none was given. */
export function flowArguments({ flow }: RegistrationSpec): readonly ReplyValue[] {
  if (flow === undefined) return [];
  const { filter, rate, concurrency, keyed } = flow;
  return [
    ...(filter === null ? [] : ['filter', JSON.stringify(filter)]),
    ...(rate === null ? [] : ['rateLimit', ['count', rate.count, 'per', formatDuration(rate.perMs)]]),
    ...(concurrency === null ? [] : ['concurrency', concurrency]),
    ...(keyed ? ['key', 1] : []),
  ];
}
