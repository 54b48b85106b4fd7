import type { CapturedDelivery } from './captured-delivery.ts';

/** What becomes of ticks that came due while nobody could take them up. */
export const MISSED_POLICIES = ['skip', 'once', 'all'] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

/** When something is due: exactly one of `cron`, `everyMs` and `atMs` is given. */
export interface Schedule {
  /** Five or six fields (seconds first), or a name such as `@hourly`. */
  readonly cron: string | null;
  /** IANA name; for `cron`. Default `UTC`. */
  readonly timeZone: string;
  /** At full multiples since the epoch. */
  readonly everyMs: number | null;
  /** Once, ms since the epoch. */
  readonly atMs: number | null;
}

/** Arguments of a schedule registration, complete. */
export interface ScheduleTriggerSpec extends Schedule {
  readonly kind: 'schedule';
  /**
   * `skip`: only the newest due tick runs, and only if it is not late. `once` (default): the newest due tick runs, however
   * late. `all`: every one runs, oldest first.
   */
  readonly missed: MissedPolicy;
  readonly delivery: CapturedDelivery;
}
