import type { RegistrationStats } from '../triggers/trigger.ts';

/** What a run adds to a registration's numbers; only what is given counts. Times in ms. */
export interface RunCount {
  readonly triggered?: number;
  readonly success?: number;
  readonly failures?: number;
  readonly aborted?: number;
  readonly durationMs?: number;
  readonly lagMs?: number;
  readonly retries?: number;
  /** Text of the newest error; null clears it (a later success does). */
  readonly lastError?: string | null;
}

export interface FunctionLogLine {
  /** Stream id in the log: time and position. */
  readonly id: string;
  readonly functionName: string;
  readonly version: number;
  readonly level: string;
  readonly message: string;
}

/**
 * Counters and logs: written in the background in batches, read by the doors. Counting never slows or fails an event. The
 * ends of entries (done, filtered, dead, expired) are not counted here but by the settle script, with the XACK.
 */
export interface Journal extends AsyncDisposable {
  count(registrationId: string, run: RunCount): void;
  /** Sums over all nodes and slots, settle's counters included. */
  stats(registrationIds: readonly string[]): Promise<ReadonlyMap<string, RegistrationStats>>;
  /** @param registrationIds left out = of all registrations, also removed ones. */
  clearStats(registrationIds?: readonly string[]): Promise<void>;
  log(line: Omit<FunctionLogLine, 'id'>): void;
  /** Newest last. `after`: only lines after this id. At most `count`. Null name = all functions. */
  logs(functionName: string | null, after: string | null, count: number): Promise<readonly FunctionLogLine[]>;
}
