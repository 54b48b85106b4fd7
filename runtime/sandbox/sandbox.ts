import type { GuestVariables } from '../variables.ts';
import type { RunTexts } from './frames.ts';
import type {
  IsolateUsage,
  LoadedReport,
  LoadRequest,
  Progress,
  RunHeader,
  SourcesSpec,
  StageOpening,
} from './messages.ts';

/**
 * A sandbox process as the node sees it.
 *
 * States, in this order: `starting` (started, has not answered its boot frame; frames may already be sent and wait in the
 * pipe), `ready`, `dying` (somebody decided to kill it, or it went away by itself: nothing is sent any more, what it had
 * already written is still read unless it broke the protocol), `dead`. There is no way back.
 *
 * Guarantees
 * - Frames are handled by the child one after another, in the order of the calls; frames of one tick leave in one write.
 * - A batch hears of its progress through `onProgress` until `forget` or death; after `onDeath` nothing comes any more.
 * - `onDeath` of every batch and every listener of the process is called exactly once, also when the kill was ours.
 * - Whom to blame is decided at the moment of the kill: as a rule whose frame was the oldest unanswered one. A process killed from
 *   outside is nobody's fault, unless it had grown large and the kernel killed it for lack of memory.
 * - A malformed frame, an answer to nothing, or a batch that throws SANDBOX_PROTOCOL out of `onProgress` kills the process.
 */
export interface SandboxProcess extends AsyncDisposable {
  readonly pid: number;
  readonly state: SandboxState;
  readonly residentBytes: number;
  /** Frames that have no answer yet: the measure of load. */
  readonly unanswered: number;
  /** Resolves when the child has booted; rejects with SANDBOX_DIED when it does not get there. */
  readonly ready: Promise<void>;
  /** True once `ready` has resolved, also after death. */
  readonly booted: boolean;
  /** Rejects with a LoadFailure (the guest's doing) or SANDBOX_DIED. `owner` is who is to blame for a death meanwhile. */
  load(request: LoadRequest, owner: string): Promise<LoadedReport>;
  unload(handle: number): void;
  /** Clock and dice of an isolate, from the next frame on; for rehearsals only. */
  steer(handle: number, sources: SourcesSpec): void;
  /** What the version of an isolate may read by name, from the next frame on. */
  supply(handle: number, variables: GuestVariables | null): void;
  /** What its isolates take; comes when the child has done what it was asked before. Rejects with SANDBOX_DIED. */
  usage(): Promise<readonly IsolateUsage[]>;
  /** Starts a batch and returns its number, which the other calls take. */
  run(request: RunRequest, listener: BatchListener): number;
  /** Begins a stage. Rejects with a LoadFailure (the source or its run cannot be had) or SANDBOX_DIED. */
  openStage(request: StageOpening, owner: string, callMs: number): Promise<void>;
  closeStage(stage: number): void;
  replies(batch: number, round: number, replies: string): void;
  session(batch: number, session: number, reply: string): void;
  cancel(batch: number, positions: ArrayLike<number>): void;
  /** True while the oldest unanswered frame is of this batch. */
  isBusyWith(batch: number): boolean;
  /** The batch has ended; frames that still come for it are dropped. */
  forget(batch: number): void;
  /** SIGKILL; the first cause wins. To blame is the owner of `batch`, else of the oldest unanswered frame. */
  kill(cause: DeathCause, detail: string, batch?: number): void;
  onDeath(listener: (death: SandboxDeath) => void): void;
}

export type SandboxState = 'starting' | 'ready' | 'dying' | 'dead';

export interface RunRequest {
  readonly header: RunHeader;
  readonly texts: RunTexts;
  /** Who is to blame when the process dies over it. */
  readonly owner: string;
  /** Longest time one frame of the batch may keep the child busy, ms; the grace comes on top. */
  readonly callMs: number;
}

/** The batch as its process knows it. */
export interface BatchListener {
  /** Throws SANDBOX_PROTOCOL when the progress cannot be: the process is killed for it. */
  onProgress(progress: Progress): void;
  /** @param atFault this batch's frame was the one the child died over. */
  onDeath(death: SandboxDeath, atFault: boolean): void;
}

/**
 * `call-time` and `memory`: the watchdog; `protocol`: it said something impossible; `unresponsive`: did not even answer
 * while idle; `exit`: it ended by itself (out of memory, crash of the engine); `outside`: somebody else killed it;
 * `closed`: the node is stopping or has no use for it.
 */
export type DeathCause = 'call-time' | 'memory' | 'protocol' | 'unresponsive' | 'exit' | 'outside' | 'closed';

export interface SandboxDeath {
  readonly cause: DeathCause;
  /** A sentence for people. */
  readonly message: string;
  /** Owner of the frame that was the oldest unanswered one, null when nobody is to blame. */
  readonly blamed: string | null;
}
