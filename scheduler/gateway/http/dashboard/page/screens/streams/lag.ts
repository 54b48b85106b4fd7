import type { StreamInfo } from '../../api/types.ts';

export interface Lag {
  readonly unread: number | null;
  readonly isExact: boolean;
  readonly pending: number;
  readonly ageMs: number | null;
}

/** The lag of the group that is furthest behind; what is in work is of all. */
export function lagOf({ groups }: StreamInfo): Lag {
  const known = groups.filter(({ unread }) => unread !== null);
  const ages = groups.map(({ lagAgeMs }) => lagAgeMs).filter((age) => age !== null);
  return {
    unread: known.length === 0 ? null : Math.max(...known.map(({ unread }) => unread ?? 0)),
    isExact: groups.every(({ unreadIsExact }) => unreadIsExact),
    pending: groups.reduce((sum, { pending }) => sum + pending, 0),
    ageMs: ages.length === 0 ? null : Math.max(...ages),
  };
}

export function consumersOf({ groups }: StreamInfo): { readonly alive: number; readonly gone: number } {
  const all = groups.flatMap(({ consumers }) => consumers);
  const alive = all.filter((consumer) => consumer.alive).length;
  return { alive, gone: all.length - alive };
}
