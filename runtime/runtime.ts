import type { LoadableVersion, Manifest } from '#functions';
import type { GuestHost } from './host.ts';
import type { Invocation } from './invocation.ts';
import type { Outcome } from './outcome.ts';
import type { StageRequest, StageRun } from './stage.ts';

/** What the scheduler may ask of the runtime. */
export interface Runtime extends AsyncDisposable {
  /**
   * Evaluates a version in an isolate of its own and reports what it registers. Errors: GUEST_SYNTAX, GUEST_ERROR,
   * GUEST_ARGUMENT (with the user's file and line), LIMIT_*, SANDBOX_DIED.
   */
  inspect(version: LoadableVersion): Promise<Manifest>;
  /**
   * Runs a batch. Loads the version into a sandbox process on first use. Never rejects for what a guest does: every entry
   * ends through `onEnded`, exactly once, also when the process dies. Resolves after the last one.
   */
  execute(invocation: Invocation): Promise<Outcome>;
  /**
   * Begins one local stage of a batch run in a sandbox, where it stays until it is disposed of. Errors: SANDBOX_DIED (retry),
   * SANDBOX_QUARANTINED, LIMIT_*, GUEST_ERROR when the source or the plan does not load, RUNTIME_CLOSED.
   */
  openStage(request: StageRequest): Promise<StageRun>;
  /** From now on handlers may wait for futures and runs: the host answers. Before, such a request is refused. */
  serve(host: GuestHost): void;
  /** Drops the isolates of versions that nothing routes to any more. */
  retain(versions: readonly { readonly functionName: string; readonly version: number }[]): void;
  /** A version that was stopped for killing its process may run again: alone, until it has killed that as often once more. */
  pardon(version: { readonly functionName: string; readonly version: number }): void;
  /** Sandbox processes and what is loaded in them. */
  inspectPool(): readonly SandboxInfo[];
  /** The same with what each version takes; waits up to a second for processes that are at work. */
  measurePool(): Promise<readonly SandboxUsage[]>;
  /** Called for every log line a guest writes. */
  onLog(listener: (line: GuestLog) => void): () => void;
  /** Called when a version has killed its process too often; the platform pauses its registrations. */
  onQuarantine(listener: (event: QuarantineEvent) => void): () => void;
  /** Called when a sandbox process has ended for another reason than that nobody needs it any more. */
  onDeath(listener: (event: DeathEvent) => void): () => void;
}

export interface SandboxInfo {
  readonly pid: number;
  readonly residentBytes: number;
  readonly role: 'shared' | 'alone' | 'spare';
  readonly versions: readonly { readonly functionName: string; readonly version: number }[];
}

export interface SandboxUsage extends SandboxInfo {
  readonly versions: readonly VersionUsage[];
}

/** A version in a sandbox process; `usage` since it was loaded there, null while the process is too busy to tell. */
export interface VersionUsage {
  readonly functionName: string;
  readonly version: number;
  readonly usage: {
    /** Bytes of its heap, and of buffers outside of it. */
    readonly heapBytes: number;
    readonly externalBytes: number;
    /** Time its code has used the processor, ms. */
    readonly cpuMs: number;
    readonly batches: number;
    readonly entries: number;
  } | null;
}

export interface GuestLog {
  readonly functionName: string;
  readonly version: number;
  readonly level: 'debug' | 'verbose' | 'notice' | 'warning';
  readonly message: string;
  /** True for what a source writes while it is evaluated; left out otherwise. It is, in every process that loads it. */
  readonly atLoad?: true;
}

/** The end of a sandbox process. */
export interface DeathEvent {
  /** `outside`: a signal of nobody here. `unresponsive`: it did not come up, or gave no sign of life. `exit`: it ended by itself. */
  readonly cause: 'call-time' | 'memory' | 'protocol' | 'unresponsive' | 'exit' | 'outside';
  /** Whose work it died over; null = nobody is to blame. */
  readonly functionName: string | null;
}

export interface QuarantineEvent {
  readonly functionName: string;
  readonly version: number;
  /** `alone`: from now on in its own process. `stopped`: goes on killing, must not run any more. */
  readonly verdict: 'alone' | 'stopped';
  readonly reason: string;
}
