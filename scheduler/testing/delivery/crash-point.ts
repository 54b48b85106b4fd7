/**
 * Where the sandbox process of a function is killed (SIGKILL) during a delivery, with all that it held in memory.
 *
 * - `'start'`: the record has been handed over, and none of its commands has reached Redis.
 * - `{ before }`, `{ after }`: a command, by its number in the delivery (from 1) or by its name, which means the first one of that
 *   name. Commands behind it never reach Redis, also those that were sent together with it. A transaction (`atomic`) happens
 *   as a whole or not at all.
 * - `'acknowledge'`: all effects have happened, and the platform has not acknowledged the record yet.
 *
 * A record whose sandbox was killed is not acknowledged: a platform delivers it again.
 */
export type CrashPoint =
  | 'start'
  | 'acknowledge'
  | { readonly before: number | string }
  | { readonly after: number | string };

/** Commands that happen together. */
export interface EffectUnit {
  /** Upper-case names. */
  readonly names: readonly string[];
  /** How many commands were sent before. */
  readonly sentBefore: number;
}

/** Whether the crash is to come before a unit of effects, after it, or not there. */
export function crashAt(point: CrashPoint | null, unit: EffectUnit): 'before' | 'after' | null {
  if (point === null || point === 'acknowledge') return null;
  if (point === 'start') return unit.sentBefore === 0 ? 'before' : null;
  if ('before' in point) return isIn(point.before, unit) ? 'before' : null;
  return isIn(point.after, unit) ? 'after' : null;
}

function isIn(wanted: number | string, { names, sentBefore }: EffectUnit): boolean {
  if (typeof wanted === 'string') return names.includes(wanted.toUpperCase());
  return wanted > sentBefore && wanted <= sentBefore + names.length;
}

/** In words, for messages. */
export function describeCrash(point: CrashPoint): string {
  if (point === 'start') return 'before its first command';
  if (point === 'acknowledge') return 'between its last effect and the acknowledgement';
  const [where, which] = 'before' in point ? (['before', point.before] as const) : (['after', point.after] as const);
  return typeof which === 'number' ? `${where} command ${which}` : `${where} ${which}`;
}
