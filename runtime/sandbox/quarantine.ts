/**
 * Counts who kills sandbox processes. A version is `shared` at first; after so many crashes within the window it runs
 * `alone` in a process of its own, where it harms nobody else; after as many more it is `stopped` and must not run until
 * it is forgotten. Pure: `now` is an argument.
 */
export type Standing = 'shared' | 'alone' | 'stopped';

export interface QuarantineOptions {
  /** Crashes until the next standing. */
  readonly afterCrashes: number;
  /** Crashes older than this no longer count, ms. Default one hour. */
  readonly windowMs?: number;
}

export interface Quarantine {
  standingOf(key: string): Standing;
  /** Returns the new standing when this crash changed it, else null. */
  crashed(key: string, now: number): 'alone' | 'stopped' | null;
  /** Starts afresh, a stopped version alone: when nothing routes to it any more, or when somebody wants it to run again. */
  forget(key: string): void;
}

interface Record {
  standing: Standing;
  crashes: number[];
}

const HOUR_MS = 3_600_000;

export function createQuarantine(options: QuarantineOptions): Quarantine {
  const { afterCrashes, windowMs = HOUR_MS } = options;
  const records = new Map<string, Record>();
  return {
    standingOf: (key) => records.get(key)?.standing ?? 'shared',
    crashed(key, now) {
      const record = records.get(key) ?? { standing: 'shared' as const, crashes: [] };
      records.set(key, record);
      if (record.standing === 'stopped') return null;
      record.crashes = record.crashes.filter((at) => now - at < windowMs);
      record.crashes.push(now);
      if (record.crashes.length < afterCrashes) return null;
      record.crashes = [];
      record.standing = record.standing === 'shared' ? 'alone' : 'stopped';
      return record.standing;
    },
    forget(key) {
      const record = records.get(key);
      if (record?.standing === 'stopped') records.set(key, { standing: 'alone', crashes: [] });
      else records.delete(key);
    },
  };
}
