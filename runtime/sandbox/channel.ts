import process from 'node:process';
import type { Duplex } from 'node:stream';
import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import { BY_DONE, BY_LOAD_FAILED, BY_LOADED, BY_PROGRESS } from './answers.ts';
import { createFrameQueue, type PendingFrame } from './frame-queue.ts';
import {
  createFrameReader,
  decodeLoaded,
  decodeLoadFailed,
  decodeProgress,
  encodeBoot,
  encodeCancel,
  encodeLoad,
  encodePing,
  encodeReplies,
  encodeRun,
  encodeSession,
  encodeUnload,
  type Frame,
} from './frames.ts';
import { LoadFailure } from './load-failure.ts';
import {
  FromSandbox,
  type IsolateUsage,
  type LoadedReport,
  type LoadRequest,
  type SourcesSpec,
  type StageOpening,
  ToSandbox,
} from './messages.ts';
import type { GuestVariables } from '../variables.ts';
import type { BatchListener, RunRequest } from './sandbox.ts';
import { encodeCloseStage, encodeOpenStage, encodeSteer } from './stage-frames.ts';
import { decodeUsage, encodeUsageQuestion } from './usage-frames.ts';
import { encodeVariables } from './variable-frames.ts';

/** Whose frame it was. */
export type Suspect = Pick<PendingFrame, 'owner' | 'batch'>;

export interface ChannelOptions {
  readonly pipe: Duplex;
  readonly maxFrameBytes: number;
  /** The child has answered its boot frame. */
  readonly onBooted: () => void;
  /** The child said something impossible; nothing more is read. */
  readonly onBreach: (error: PlatformError, suspect: Suspect | undefined) => void;
}

/** Who still waits for something when a channel is closed. */
export interface Orphans {
  readonly loads: readonly ((error: unknown) => void)[];
  readonly batches: readonly (readonly [batch: number, listener: BatchListener])[];
}

interface PendingLoad {
  /** The answer; throws ProtocolError when it is not one. */
  readonly resolve: (answer: Frame) => void;
  readonly reject: (error: unknown) => void;
}

interface KnownBatch {
  readonly listener: BatchListener;
  readonly owner: string;
  readonly callMs: number;
}

/** A busy machine needs seconds for a start that takes 60 ms otherwise; killing it only makes it busier. */
const BOOT_LIMIT_MS = 30_000;
const CONTROL_LIMIT_MS = 5_000;
/** Creating the isolate and compiling come on top of the guest's own time. */
const LOAD_EXTRA_MS = 3_000;
const LARGEST_BATCH = 0xffff_ffff;

/** The frames between the node and one child: who waits for which answer, and what comes back for whom. */
export class SandboxChannel {
  readonly queue = createFrameQueue();
  readonly #options: ChannelOptions;
  readonly #reader;
  readonly #batches = new Map<number, KnownBatch>();
  readonly #loads = new Map<number, PendingLoad>();
  #lastBatch = 0;
  #corked = false;
  #mute = false;
  #deaf = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#reader = createFrameReader({ maxFrameBytes: options.maxFrameBytes });
    options.pipe.on('data', (chunk: Buffer) => this.#onData(chunk));
    // A broken pipe shows as the child's exit.
    options.pipe.on('error', () => {});
  }

  boot(guest: string): void {
    this.#send(encodeBoot(guest), { type: ToSandbox.boot, batch: 0, owner: null, limitMs: BOOT_LIMIT_MS });
  }

  ping(): void {
    this.#control(ToSandbox.ping, encodePing);
  }

  load(request: LoadRequest, owner: string): Promise<LoadedReport> {
    return new Promise((resolve, reject) => {
      const batch = this.#nextBatch();
      this.#loads.set(batch, { resolve: (answer) => resolve(decodeLoaded(answer)), reject });
      const limitMs = request.callMs + LOAD_EXTRA_MS;
      this.#send(encodeLoad(batch, request), { type: ToSandbox.load, batch, owner, limitMs });
    });
  }

  openStage(request: StageOpening, owner: string, callMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const batch = this.#nextBatch();
      this.#loads.set(batch, { resolve: () => resolve(), reject });
      const limitMs = callMs + LOAD_EXTRA_MS;
      this.#send(encodeOpenStage(batch, request), { type: ToSandbox.openStage, batch, owner, limitMs });
    });
  }

  usage(): Promise<readonly IsolateUsage[]> {
    return new Promise((resolve, reject) => {
      const batch = this.#nextBatch();
      this.#loads.set(batch, { resolve: (answer) => resolve(decodeUsage(answer)), reject });
      const pending = { type: ToSandbox.usage, batch, owner: null, limitMs: CONTROL_LIMIT_MS };
      this.#send(encodeUsageQuestion(batch), pending);
    });
  }

  closeStage(stage: number): void {
    this.#control(ToSandbox.closeStage, (batch) => encodeCloseStage(batch, stage));
  }

  steer(handle: number, sources: SourcesSpec): void {
    this.#control(ToSandbox.steer, (batch) => encodeSteer(batch, handle, sources));
  }

  supply(handle: number, variables: GuestVariables | null): void {
    this.#control(ToSandbox.variables, (batch) => encodeVariables(batch, handle, variables));
  }

  unload(handle: number): void {
    this.#control(ToSandbox.unload, (batch) => encodeUnload(batch, handle));
  }

  run(request: RunRequest, listener: BatchListener): number {
    const { header, texts, owner, callMs } = request;
    const batch = this.#nextBatch();
    this.#batches.set(batch, { listener, owner, callMs });
    this.#send(encodeRun(batch, header, texts), { type: ToSandbox.run, batch, owner, limitMs: callMs });
    return batch;
  }

  replies(batch: number, round: number, replies: string): void {
    const known = this.#batches.get(batch);
    if (known) this.#sendFor(known, ToSandbox.replies, { batch, frame: encodeReplies(batch, round, replies) });
  }

  session(batch: number, session: number, reply: string): void {
    const known = this.#batches.get(batch);
    if (known) this.#sendFor(known, ToSandbox.session, { batch, frame: encodeSession(batch, session, reply) });
  }

  cancel(batch: number, positions: ArrayLike<number>): void {
    const known = this.#batches.get(batch);
    if (known) this.#sendFor(known, ToSandbox.cancel, { batch, frame: encodeCancel(batch, positions) });
  }

  forget(batch: number): void {
    this.#batches.delete(batch);
  }

  /** Who would be to blame for what a batch does; null once it is forgotten. */
  suspectOf(batch: number): Suspect | null {
    const known = this.#batches.get(batch);
    return known ? { batch, owner: known.owner } : null;
  }

  /** From now on nothing is sent; with `deaf` nothing is read either. */
  hush(deaf: boolean): void {
    this.#mute = true;
    this.#deaf ||= deaf;
  }

  /** Hands out, once, everybody who still waits. */
  abandon(): Orphans {
    this.hush(true);
    const loads = [...this.#loads.values()].map(({ reject }) => reject);
    const batches = [...this.#batches].map(([batch, { listener }]) => [batch, listener] as const);
    this.#loads.clear();
    this.#batches.clear();
    return { loads, batches };
  }

  #nextBatch(): number {
    do {
      this.#lastBatch = (this.#lastBatch % LARGEST_BATCH) + 1;
    } while (this.#batches.has(this.#lastBatch));
    return this.#lastBatch;
  }

  /** What is nobody's work: its answer is waited for by nobody. */
  #control(type: number, encode: (batch: number) => Buffer): void {
    const batch = this.#nextBatch();
    this.#send(encode(batch), { type, batch, owner: null, limitMs: CONTROL_LIMIT_MS });
  }

  #sendFor(known: KnownBatch, type: number, sent: { readonly batch: number; readonly frame: Buffer }): void {
    this.#send(sent.frame, { type, batch: sent.batch, owner: known.owner, limitMs: known.callMs });
  }

  /** All frames of one tick leave in one write. */
  #send(frame: Buffer, pending: Omit<PendingFrame, 'headSinceMs' | 'lifeSigns'>): void {
    if (this.#mute) return;
    const { pipe } = this.#options;
    this.queue.push({ ...pending, headSinceMs: performance.now(), lifeSigns: 0 });
    if (!this.#corked) {
      this.#corked = true;
      pipe.cork();
      process.nextTick(() => {
        this.#corked = false;
        pipe.uncork();
      });
    }
    pipe.write(frame);
  }

  #onData(chunk: Buffer): void {
    if (this.#deaf) return;
    let current: Frame | undefined;
    try {
      for (const frame of this.#reader.push(chunk)) {
        if (this.#deaf) return;
        current = frame;
        this.#onFrame(frame);
      }
    } catch (reason) {
      this.hush(true);
      const suspect = (current && this.suspectOf(current.batch)) ?? this.queue.head;
      this.#options.onBreach(PlatformError.from(reason, 'SANDBOX_PROTOCOL'), suspect);
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case FromSandbox.progress: {
        const progress = decodeProgress(frame);
        if (progress.answer) this.#answered(frame.batch, BY_PROGRESS);
        else this.queue.lifeSign(frame.batch, performance.now());
        // Unknown: it ended meanwhile, and what is late is nobody's any more.
        this.#batches.get(frame.batch)?.listener.onProgress(progress);
        return;
      }
      case FromSandbox.done:
        this.#onDone(this.#answered(frame.batch, BY_DONE), frame);
        return;
      case FromSandbox.loaded:
        this.#answered(frame.batch, BY_LOADED);
        this.#settledLoad(frame.batch).resolve(frame);
        return;
      case FromSandbox.loadFailed:
        this.#answered(frame.batch, BY_LOAD_FAILED);
        this.#settledLoad(frame.batch).reject(new LoadFailure(decodeLoadFailed(frame)));
        return;
      default:
        throw breach(`there is no frame of type ${frame.type}`);
    }
  }

  #onDone({ type, batch }: PendingFrame, answer: Frame): void {
    if (type === ToSandbox.boot) this.#options.onBooted();
    if (type === ToSandbox.openStage || type === ToSandbox.usage) this.#settledLoad(batch).resolve(answer);
  }

  #settledLoad(batch: number): PendingLoad {
    const load = this.#loads.get(batch);
    if (!load) throw breach(`load ${batch} was never asked for`);
    this.#loads.delete(batch);
    return load;
  }

  /** Takes the oldest unanswered frame off the queue; it must be the one that this is an answer to. */
  #answered(batch: number, types: ReadonlySet<number>): PendingFrame {
    const frame = this.queue.head;
    if (!frame || frame.batch !== batch || !types.has(frame.type)) throw breach(`an answer to nothing, batch ${batch}`);
    this.queue.shift(performance.now());
    return frame;
  }
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox sent what cannot be: ${what}`);
}
