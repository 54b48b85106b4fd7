import type { TraceContext } from '#runtime';

/** A batch of stream entries that any node may run. References only: the entries stay in the stream. */
export interface EntriesJob {
  readonly kind: 'entries';
  readonly registrationId: string;
  readonly stream: string;
  readonly ids: readonly string[];
  /** Consumer name under which they are pending. */
  readonly readBy: string;
  /** Tells this hand-over from every other one of the same ids; the same again only where adding twice is meant to do nothing. */
  readonly round: number;
}

/** One `RG.TRIGGER` call of an `async` registration. `args` as in CommandCalls.call, base64 of the latin1 bytes. */
export interface CommandJob {
  readonly kind: 'command';
  readonly callId: string;
  readonly trigger: string;
  readonly args: string;
  /** The trace that the call belongs to. */
  readonly trace?: TraceContext;
}

/** Carries `async` executions over the fleet with BullMQ; the only place that knows BullMQ. */
export interface AsyncQueue extends AsyncDisposable {
  /** Adds a job; adding the same again (same registration, stream, ids and round) does nothing. */
  addEntries(jobs: readonly EntriesJob[]): Promise<void>;
  /** Runs a command on any node; resolves with its RESP2 reply. Rejects when no node answered in time. */
  runCommand(job: CommandJob, timeoutMs: number): Promise<string>;
  /** Begins to take jobs. */
  start(handlers: AsyncQueueHandlers): void;
  /** Stops taking jobs and waits for those in work. */
  drain(deadlineMs: number): Promise<void>;
}

export interface AsyncQueueHandlers {
  /** Claims what is still pending of the ids, runs and settles it; resolves when all have an end or wait for a retry. */
  readonly runEntries: (job: EntriesJob, signal: AbortSignal) => Promise<void>;
  readonly runCommand: (job: CommandJob, signal: AbortSignal) => Promise<string>;
}
