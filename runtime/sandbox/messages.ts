/**
 * The protocol between a node and a sandbox process: types only, the one module both sides know.
 *
 * One pipe (fd 3), frames of `[u32le length of what follows][u8 type][u32le batch][body]`. Texts in bodies are latin1
 * unless said otherwise, numbers u32le. The child handles one frame after another, so every frame from the node is
 * answered, in order, by exactly one frame whose `answer` flag is set; before it, frames without that flag may come for
 * other batches whose work went on meanwhile. The node therefore knows at every moment which frame the child is busy
 * with: that is what the watchdog times and whom it blames.
 */

/** Node → sandbox. */
export const ToSandbox = {
  /** Create the isolate of a version and evaluate it. Body: JSON `LoadRequest` (utf8). Answer: Loaded or LoadFailed. */
  load: 1,
  /** Dispose the isolate `handle`. Body: handle. Answer: Done. */
  unload: 2,
  /** Start a batch. Body: `RunHeader` numbers, key, hashtag, payload. Answer: Progress. */
  run: 3,
  /** Replies of one round of a batch. Body: round, replies text. Answer: Progress. */
  replies: 4,
  /** Reply of one request of an `atomic` session. Body: session, reply text. Answer: Progress. */
  session: 5,
  /** Entries that have run out of time; they must not be heard of again. Body: count, positions. Answer: Progress. */
  cancel: 6,
  /** Nothing to do: is the child alive? Answer: Done. */
  ping: 7,
  /** The compiled guest runtime (utf8): the first frame of every child, once. Answer: Done. */
  boot: 8,
  /** Begin a stage of a batch run. Body: JSON `StageOpening` (utf8). Answer: Done or LoadFailed. */
  openStage: 9,
  /** Forget a stage. Body: its number. Answer: Done. */
  closeStage: 10,
  /** What do the isolates take? Answer: Done with JSON, a list of `IsolateUsage` (utf8). */
  usage: 11,
  /** Clock and dice of an isolate from now on. Body: handle, JSON `SourcesSpec` (ASCII). Answer: Done. */
  steer: 14,
} as const;

/** `RunHeader.shape` of the batches of a stage; `registrationIndex` is the stage then. */
export const StageShape = {
  /** The payload is its next input. */
  feed: 16,
  /** As many records as the batch has entries are taken from its generator. */
  pull: 17,
  /** The same from its accumulators. */
  drain: 18,
} as const;

/** Sandbox → node. */
export const FromSandbox = {
  /** Body: JSON `LoadedReport` (utf8). */
  loaded: 65,
  /** Body: JSON `GuestErrorReport` (utf8). */
  loadFailed: 66,
  /** Body: see `Progress`. */
  progress: 67,
  /** Empty body, but for the answer to `usage`. */
  done: 68,
} as const;

/** What a function's clocks show and its dice throw, where it is not the machine's time and chance. */
export interface SourcesSpec {
  /** All clocks stand at so many ms since the epoch; null = they are the machine's. */
  readonly nowMs: number | null;
  /** These values one after the other and then again from the first, or the sequence that belongs to a seed; null = chance. */
  readonly random: readonly number[] | { readonly seed: number } | null;
}

export interface LoadRequest {
  readonly handle: number;
  readonly functionName: string;
  readonly version: number;
  readonly code: string;
  /** Name of the script in stack traces, before source mapping. */
  readonly fileName: string;
  readonly memoryBytes: number;
  readonly callMs: number;
  readonly commandsPerEvent: number;
  readonly commandBytes: number;
  readonly outputBytes: number;
  readonly settings: Readonly<Record<string, string>>;
  /** True: only report what the source registers; the isolate is thrown away afterwards. */
  readonly inspectOnly: boolean;
  /** Left out = time and chance of the machine. */
  readonly sources?: SourcesSpec;
}

/** What a version takes in its process, and what it has done there since it was loaded. */
export interface IsolateUsage {
  readonly handle: number;
  /** Of its heap; 0 while it has no isolate, because the last one was lost. */
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly externalBytes: number;
  /** Time its code has used the processor, ms. */
  readonly cpuMs: number;
  readonly batches: number;
  readonly entries: number;
}

/** A stage of a batch run: which steps of which run of the version, and what goes in and out. See `StageRequest`. */
export interface StageOpening {
  readonly handle: number;
  /** Names the stage from now on; unique per node. */
  readonly stage: number;
  readonly runIndex: number;
  readonly firstStep: number;
  readonly endStep: number;
  readonly input: 'keys' | 'names' | 'stream' | 'records' | 'generator';
  readonly output: 'results' | 'records' | 'partitioned';
  readonly profile: boolean;
}

/** What a batch of a stage tells of it. */
export interface StageNews {
  /** No further input is wanted. */
  readonly enough: boolean;
  /** Every accumulator is empty. */
  readonly over: boolean;
  /** Records that failed; their entries end well. */
  readonly errors?: readonly { readonly index: number; readonly error: GuestErrorReport }[];
  /** Milliseconds per step; only when asked for. */
  readonly times?: readonly number[];
}

/** What evaluating showed; unchecked until the node has parsed it. */
export interface LoadedReport {
  readonly registrations: readonly unknown[];
  /** What `configure(…)` was given; null when it was not called. */
  readonly configuration?: unknown;
  readonly runs: readonly unknown[];
  readonly logs: readonly LogLine[];
}

export interface GuestErrorReport {
  /**
   * A `RuntimeErrorCode`, `REDIS_REPLY`, `NOT_STARTED` (with `ordered` 2: an execution before it failed), or `ISOLATE_LOST`: the isolate was lost to somebody else's fault while this entry
   * waited or had not begun; it is to run again without counting as an attempt.
   */
  readonly code: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export interface RunHeader {
  readonly handle: number;
  readonly registrationIndex: number;
  /** 0 stream, 1 command, 2 keys, 3 hook. */
  readonly shape: number;
  /** 1: one execution after the other. 2: and none after one that failed (`Invocation.stopAtFailure`). 0: all at once. */
  readonly ordered: number;
  readonly wantResults: number;
  readonly executionSize: number;
  readonly entryCount: number;
}

/** Flags in the upper bits of a command's owner; the lower 24 bits are the entry's position in its batch. */
export const OwnerFlag = {
  /** First command of an `atomic` group. */
  opensGroup: 0x8000_0000,
  /** Last command of an `atomic` group. */
  closesGroup: 0x4000_0000,
  position: 0x00ff_ffff,
} as const;

/** What has come of a batch since it was last heard of. */
export interface Progress {
  readonly batch: number;
  /** True: this frame answers the oldest unanswered frame of the node. */
  readonly answer: boolean;
  /** Names this round of commands; the node repeats it in `replies`. 0 = no commands. */
  readonly round: number;
  /** Commands in order, RESP text, and who caused each. */
  readonly commands: string;
  readonly owners: Uint32Array;
  readonly done: Uint32Array;
  readonly filtered: Uint32Array;
  /** Executions that started since. */
  readonly started: number;
  /** Entries of the batch that have started but neither ended nor wait for a reply in `commands`. */
  readonly waiting: number;
  /** RESP2 texts, one per `done` and then per `filtered`; only with `wantResults`. */
  readonly results: string;
  readonly resultLengths: Uint32Array;
  /** The rare things. */
  readonly notes: ProgressNotes | null;
}

export interface ProgressNotes {
  readonly failed?: readonly { readonly index: number; readonly error: GuestErrorReport }[];
  readonly logs?: readonly LogLine[];
  readonly sessions?: readonly SessionRequest[];
  readonly stage?: StageNews;
}

export interface LogLine {
  readonly level: 'debug' | 'verbose' | 'notice' | 'warning';
  readonly message: string;
  /** Position of the entry in whose turn it was written; left out = of none. */
  readonly entry?: number;
}

/**
 * A step of `atomic(async tx => …)`. The node opens a connection for the session on `open`; a `command` that reads runs at
 * once under WATCH of its keys, one that writes is queued and answered `+QUEUED`; `commit` answers the EXEC reply (nil
 * array = somebody changed a watched key: the guest runs the function again with a new session); `discard` drops it.
 */
export interface SessionRequest {
  readonly session: number;
  readonly entry: number;
  /**
   * `next`: no session at all, but a hooked command that is handed on; its reply is the answer. `ask`: no session either, but a
   * timer, a future or a run, see `Asks`.
   */
  readonly op: 'open' | 'command' | 'commit' | 'discard' | 'next' | 'ask';
  /** One RESP command (latin1) for `command`, `next` and `ask`, else ''. */
  readonly command: string;
}
