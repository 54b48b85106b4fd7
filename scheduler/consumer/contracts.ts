import type { EndedEntries, FailedEntry, GuestError, Invocation, Outcome } from '#runtime';

/** What the consumer is handed by the platform; functions, so that it knows nothing of who is behind them. */

/** Runs a batch: `Runtime.execute`. */
export type Execute = (invocation: Invocation) => Promise<Outcome>;

/** Who may read a stream in mode `sync`; see `StreamLeases`. */
export interface LeaseTable {
  readonly holder: string;
  acquire(registrationId: string, stream: string): Promise<boolean>;
  release(registrationId: string, stream: string): Promise<void>;
  surplus(registrationId: string, held: readonly string[], known: number): Promise<readonly string[]>;
}

/** What this node is called, and whether it still is. */
export interface NodeIdentity {
  /** Consumer name of this node now; another one after the slot was lost. */
  consumer(): string;
  /** False while this node may have been declared dead. */
  mayAct(): boolean;
  /** True while the consumer name belongs to a living node. */
  isAlive(consumer: string): boolean;
}

/** Numbers for the journal; see `RunCount`. */
export interface RunNumbers {
  readonly triggered?: number;
  readonly success?: number;
  readonly failures?: number;
  readonly aborted?: number;
  readonly durationMs?: number;
  readonly lagMs?: number;
  readonly retries?: number;
  readonly lastError?: string | null;
}
export type Count = (registrationId: string, run: RunNumbers) => void;

/** A stream name and ids for the queue of mode `async`; see `EntriesJob`. */
export interface QueuedEntries {
  readonly kind: 'entries';
  readonly registrationId: string;
  readonly stream: string;
  readonly ids: readonly string[];
  readonly readBy: string;
  readonly round: number;
}

/** The parts of pino that are used here. */
export interface ConsumerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type { EndedEntries, FailedEntry, GuestError, Invocation, Outcome };
