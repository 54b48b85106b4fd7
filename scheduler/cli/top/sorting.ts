import type { RegistrationFigures } from './figures.ts';

/** What registrations can be sorted by; figures begin with the greatest, names with the first. */
export const SORTS = ['entries', 'failed', 'lag', 'unread', 'pending', 'p99', 'name'] as const;
export type Sort = (typeof SORTS)[number];

const VALUES: Readonly<Record<Exclude<Sort, 'name'>, (registration: RegistrationFigures) => number>> = {
  entries: ({ entries }) => entries,
  failed: ({ errors }) => errors,
  lag: ({ lagAgeMs }) => lagAgeMs ?? -1,
  unread: ({ unread }) => unread,
  pending: ({ pending }) => pending,
  p99: ({ p99Ms }) => p99Ms ?? -1,
};

export function sorted(
  registrations: readonly RegistrationFigures[],
  sort: Sort,
  isReversed: boolean,
): readonly RegistrationFigures[] {
  const byName = (a: RegistrationFigures, b: RegistrationFigures): number => (a.id < b.id ? -1 : 1);
  const value = sort === 'name' ? null : VALUES[sort];
  const inOrder = registrations.toSorted((a, b) => (value === null ? 0 : value(b) - value(a)) || byName(a, b));
  return isReversed ? inOrder.reverse() : inOrder;
}

export function nextSort(sort: Sort): Sort {
  return SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? sort;
}
