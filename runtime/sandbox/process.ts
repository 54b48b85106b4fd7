import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { PlatformError } from '#functions';
import type { RuntimeLog } from '../bindings/log-sink.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import { SandboxChannel, type Suspect } from './channel.ts';
import type { ChildCommand } from './child-command.ts';
import { type ChildOutput, captureOutput } from './child-output.ts';
import {
  type IsolateUsage,
  type LoadedReport,
  type LoadRequest,
  type SourcesSpec,
  type StageOpening,
  ToSandbox,
} from './messages.ts';
import { countOomKills, type OomKills } from './oom-kills.ts';
import { type ResidentMemory, watchResidentMemory } from './resident-memory.ts';
import type { GuestVariables } from '../variables.ts';
import type { BatchListener, DeathCause, RunRequest, SandboxDeath, SandboxProcess, SandboxState } from './sandbox.ts';
import type { Watchdog, Watched } from './watchdog.ts';

export interface SandboxProcessOptions {
  readonly command: ChildCommand;
  /** The compiled guest runtime, sent as the first frame. */
  readonly guest: string;
  readonly watchdog: Watchdog;
  readonly log: RuntimeLog;
  /** Takes out of what the child prints what nobody is to read. Default: nothing. */
  readonly redact?: (text: string) => string;
  /** Killed by the kernel for lack of memory while larger than this, the version at work is to blame. */
  readonly suspectBytes: number;
  /** Where the kernel counts such kills. Default `/proc/vmstat`. */
  readonly kernelCounters?: string;
  /** Largest frame the child may send. Default 128 MiB. */
  readonly maxFrameBytes?: number;
}

const MAX_FRAME_BYTES = 128 * 1024 * 1024;
/** After the exit the pipe is read to its end; longer than this nothing comes. */
const DRAIN_MS = 100;
const TAIL_CHARS = 1000;
/** Signals that people and programs send to end a process; the kernel itself only ever sends SIGKILL of these. */
const OUTSIDE_SIGNALS: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);
const INNOCENT: ReadonlySet<DeathCause> = new Set(['closed', 'outside', 'unresponsive']);

/** Starts a sandbox process; see `SandboxProcess` for what it guarantees. */
export function startSandboxProcess(options: SandboxProcessOptions): SandboxProcess {
  return new SandboxChild(options);
}

class SandboxChild implements SandboxProcess {
  readonly pid: number;
  readonly ready: Promise<void>;
  state: SandboxState = 'starting';
  booted = false;
  readonly #options: SandboxProcessOptions;
  readonly #child: ChildProcess;
  readonly #channel: SandboxChannel;
  readonly #output: ChildOutput;
  readonly #memory: ResidentMemory;
  readonly #oomKills: OomKills;
  readonly #deathListeners: ((death: SandboxDeath) => void)[] = [];
  readonly #gone = Promise.withResolvers<void>();
  readonly #booted = Promise.withResolvers<void>();
  readonly #unwatch: () => void;
  #death: SandboxDeath | null = null;
  #blamedBatch = 0;

  constructor(options: SandboxProcessOptions) {
    this.#options = options;
    this.#child = spawnChild(options.command);
    this.pid = this.#child.pid ?? 0;
    this.#channel = new SandboxChannel({
      pipe: this.#child.stdio[3] as Duplex,
      maxFrameBytes: options.maxFrameBytes ?? MAX_FRAME_BYTES,
      onBooted: () => this.#onBooted(),
      onBreach: (error, suspect) => this.#onBreach(error, suspect),
    });
    this.#output = captureOutput({
      streams: [this.#child.stdout, this.#child.stderr],
      onLine: (line) => options.log.warn({ sandbox: this.pid }, `sandbox process printed: ${this.#redact(line)}`),
    });
    this.#memory = watchResidentMemory(this.pid);
    this.#oomKills = countOomKills(options.kernelCounters);
    this.ready = this.#booted.promise;
    // Whoever awaits it gets the rejection; nobody has to.
    this.ready.catch(() => {});
    this.#listen();
    this.#unwatch = options.watchdog.watch(this.#watched());
    this.#channel.boot(options.guest);
  }

  get residentBytes(): number {
    return this.#memory.bytes;
  }

  get unanswered(): number {
    return this.#channel.queue.size;
  }

  async load(request: LoadRequest, owner: string): Promise<LoadedReport> {
    if (this.#death) throw diedError(this.#death);
    return await this.#channel.load(request, owner);
  }

  unload(handle: number): void {
    this.#channel.unload(handle);
  }

  steer(handle: number, sources: SourcesSpec): void {
    this.#channel.steer(handle, sources);
  }

  supply(handle: number, variables: GuestVariables | null): void {
    this.#channel.supply(handle, variables);
  }

  async usage(): Promise<readonly IsolateUsage[]> {
    if (this.#death) throw diedError(this.#death);
    return await this.#channel.usage();
  }

  run(request: RunRequest, listener: BatchListener): number {
    const death = this.#death;
    if (death === null) return this.#channel.run(request, listener);
    queueMicrotask(() => listener.onDeath(death, false));
    return 0;
  }

  async openStage(request: StageOpening, owner: string, callMs: number): Promise<void> {
    if (this.#death) throw diedError(this.#death);
    await this.#channel.openStage(request, owner, callMs);
  }

  closeStage(stage: number): void {
    this.#channel.closeStage(stage);
  }

  replies(batch: number, round: number, replies: string): void {
    this.#channel.replies(batch, round, replies);
  }

  session(batch: number, session: number, reply: string): void {
    this.#channel.session(batch, session, reply);
  }

  cancel(batch: number, positions: ArrayLike<number>): void {
    this.#channel.cancel(batch, positions);
  }

  isBusyWith(batch: number): boolean {
    return this.#channel.queue.head?.batch === batch;
  }

  forget(batch: number): void {
    this.#channel.forget(batch);
  }

  onDeath(listener: (death: SandboxDeath) => void): void {
    this.#deathListeners.push(listener);
  }

  kill(cause: DeathCause, detail: string, batch?: number): void {
    const named = batch === undefined ? null : this.#channel.suspectOf(batch);
    this.#die({ cause, detail, suspect: named ?? this.#channel.queue.head });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('closed', 'it was closed');
    await this.#gone.promise;
  }

  #die(how: { readonly cause: DeathCause; readonly detail: string; readonly suspect: Suspect | undefined }): void {
    if (this.#death) return;
    const { cause, detail } = how;
    const suspect = INNOCENT.has(cause) ? undefined : how.suspect;
    this.state = 'dying';
    this.#blamedBatch = suspect?.batch ?? 0;
    this.#death = {
      cause,
      message: `the sandbox process ${this.pid} was lost: ${detail}`,
      blamed: suspect?.owner ?? null,
    };
    this.#channel.hush(cause === 'protocol' || cause === 'closed');
    this.#child.kill('SIGKILL');
  }

  #listen(): void {
    this.#child.once('error', (error) => this.#onExit(`it could not be started: ${error.message}`, null));
    this.#child.once('exit', (code, signal) => {
      this.#onExit(signal === null ? `it ended by itself with code ${code}` : `it ended by signal ${signal}`, signal);
    });
    this.#child.once('close', () => this.#bury());
  }

  #onExit(how: string, signal: NodeJS.Signals | null): void {
    const outside = signal !== null && OUTSIDE_SIGNALS.has(signal) && !this.#isOomKill(signal);
    const tail = this.#output.tail();
    const detail = tail === '' ? how : `${how}; it printed: ${this.#redact(tail).slice(-TAIL_CHARS)}`;
    this.kill(outside ? 'outside' : 'exit', detail);
    setTimeout(() => this.#bury(), DRAIN_MS);
  }

  #redact(text: string): string {
    return this.#options.redact?.(text) ?? text;
  }

  /** A small process was not the reason for the lack. Where the kernel does not count, a large one is taken for it. */
  #isOomKill(signal: NodeJS.Signals): boolean {
    if (signal !== 'SIGKILL' || this.residentBytes < this.#options.suspectBytes) return false;
    return this.#oomKills.lately() ?? true;
  }

  /** Once: everybody who waits for this process learns of its death. */
  #bury(): void {
    const death = this.#death;
    if (this.state === 'dead' || death === null) return;
    this.state = 'dead';
    this.#unwatch();
    this.#memory[Symbol.dispose]();
    const orphans = this.#channel.abandon();
    this.#child.stdio[3]?.destroy();
    const error = diedError(death);
    this.#booted.reject(error);
    for (const listener of this.#deathListeners) listener(death);
    for (const reject of orphans.loads) reject(error);
    for (const [batch, listener] of orphans.batches) listener.onDeath(death, batch === this.#blamedBatch);
    this.#gone.resolve();
  }

  #onBooted(): void {
    this.booted = true;
    if (this.state === 'starting') this.state = 'ready';
    this.#booted.resolve();
  }

  #onBreach(error: PlatformError, suspect: Suspect | undefined): void {
    this.#options.log.error({ err: error, sandbox: this.pid }, 'a sandbox process broke its protocol');
    this.#die({ cause: 'protocol', detail: error.message, suspect });
  }

  #watched(): Watched {
    const { queue } = this.#channel;
    return {
      busySinceMs: () => queue.head?.headSinceMs ?? null,
      limitMs: () => queue.head?.limitMs ?? 0,
      owesPing: () => queue.head?.type === ToSandbox.ping || queue.head?.type === ToSandbox.boot,
      measureResidentBytes: () => {
        this.#memory.look();
        this.#oomKills.look();
        return this.#memory.bytes;
      },
      excuse: (ms) => queue.excuse(ms, performance.now()),
      ping: () => this.#channel.ping(),
      kill: (cause, detail) => this.kill(cause, detail),
    };
  }
}

function spawnChild(child: ChildCommand): ChildProcess {
  return spawn(child.command, child.args, {
    // A session of its own: Ctrl-C in a terminal goes to the node alone, which ends its sandboxes after the drain.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {},
    ...(child.uid === undefined ? {} : { uid: child.uid }),
    ...(child.gid === undefined ? {} : { gid: child.gid }),
  });
}

function diedError(death: SandboxDeath): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_DIED', death.message, {
    retryable: death.blamed === null,
    details: { cause: death.cause, blamed: death.blamed },
  });
}
