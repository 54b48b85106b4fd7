import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { childCommand } from '../../../runtime/sandbox/child-command.ts';
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
  type Frame,
} from '../../../runtime/sandbox/frames.ts';
import { guestBundle } from '../../../runtime/sandbox/guest-bundle.ts';
import {
  FromSandbox,
  type GuestErrorReport,
  type LoadedReport,
  type LoadRequest,
  type LogLine,
  OwnerFlag,
  type Progress,
  type RunHeader,
  type SessionRequest,
} from '../../../runtime/sandbox/messages.ts';

/** RESP2 text (latin1) of nested lists of strings. */
export function resp(value: unknown): string {
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(resp).join('')}`;
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(String(value), 'utf8');
  return `$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`;
}

/** Reads every RESP command of a text. */
export function commandsOf(text: string): string[][] {
  const commands: string[][] = [];
  let at = 0;
  const line = (): string => {
    const end = text.indexOf('\r\n', at);
    const content = text.slice(at + 1, end);
    at = end + 2;
    return content;
  };
  while (at < text.length) {
    const args: string[] = [];
    for (let count = Number(line()); count > 0; count--) {
      const length = Number(line());
      args.push(Buffer.from(text.slice(at, at + length), 'latin1').toString('utf8'));
      at += length + 2;
    }
    commands.push(args);
  }
  return commands;
}

/** Stream entries with the ids `1-0`, `2-0` … */
export function entriesOf(records: readonly (readonly string[])[]): string {
  return resp(records.map((fields, index) => [`${index + 1}-0`, fields]));
}

export interface SentCommand {
  readonly args: readonly string[];
  readonly entry: number;
  readonly opens: boolean;
  readonly closes: boolean;
  readonly round: number;
}

/** Everything that came of a batch. */
export interface BatchRecord {
  readonly done: number[];
  readonly filtered: number[];
  readonly failed: Map<number, GuestErrorReport>;
  readonly results: Map<number, string>;
  readonly commands: SentCommand[];
  readonly logs: LogLine[];
  readonly sessions: SessionRequest[];
  started: number;
  waiting: number;
}

export interface RunOptions extends Partial<Omit<RunHeader, 'handle'>> {
  readonly handle?: number;
  readonly key?: string;
  readonly hashtag?: string;
  readonly payload: string;
  readonly entryCount: number;
  /** Answers a command with RESP text; default `:1`. Null: the round is never answered. */
  readonly reply?: ((command: SentCommand) => string) | null;
  /** Answers a session's request; undefined = no answer. */
  readonly session?: (request: SessionRequest) => string | undefined;
}

export class ChildHarness {
  readonly child: ChildProcess;
  readonly stderr: string[] = [];
  readonly #socket: Duplex;
  readonly #waiting: ((frame: Frame) => void)[] = [];
  readonly #batches = new Map<number, { record: BatchRecord; options: RunOptions; wake: () => void; round: number }>();
  #nextBatch = 1;
  exited: Promise<number | null>;

  private constructor() {
    const { command, args } = childCommand();
    this.child = spawn(command, [...args], { env: {}, stdio: ['ignore', 'inherit', 'pipe', 'pipe'] });
    this.child.stderr?.on('data', (chunk: Buffer) => this.stderr.push(chunk.toString()));
    this.exited = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
    this.#socket = this.child.stdio[3] as Duplex;
    this.#socket.on('error', () => {});
    const reader = createFrameReader({ maxFrameBytes: 1 << 28 });
    this.#socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#onFrame(frame);
    });
  }

  static async start(): Promise<ChildHarness> {
    const harness = new ChildHarness();
    await harness.#ask(encodeBoot(await guestBundle()));
    return harness;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }

  /** Closes the socket, as the end of the node would. */
  hangUp(): void {
    this.#socket.destroy();
  }

  /** Reads nothing more, as a node that is held up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async ping(): Promise<void> {
    await this.#ask(encodePing(this.#nextBatch++));
  }

  async load(code: string, request: Partial<LoadRequest> = {}): Promise<LoadedReport> {
    const frame = await this.#ask(
      encodeLoad(this.#nextBatch++, {
        handle: 1,
        functionName: 'test',
        version: 1,
        code,
        fileName: 'test.js',
        memoryBytes: 64 * 1024 * 1024,
        callMs: 2_000,
        commandsPerEvent: 10_000,
        commandBytes: 64 * 1024 * 1024,
        outputBytes: 1024 * 1024,
        settings: { region: 'eu' },
        inspectOnly: false,
        ...request,
      }),
    );
    if (frame.type === FromSandbox.loaded) return decodeLoaded(frame);
    throw Object.assign(new Error('load failed'), { report: decodeLoadFailed(frame) });
  }

  async loadError(code: string, request: Partial<LoadRequest> = {}): Promise<GuestErrorReport> {
    try {
      await this.load(code, request);
    } catch (error) {
      return (error as { report: GuestErrorReport }).report;
    }
    throw new Error('loading succeeded');
  }

  /** Starts a batch; resolves with its record once `until` holds (default: every entry has its end). */
  async run(options: RunOptions, until?: (record: BatchRecord) => boolean): Promise<BatchRecord> {
    return (await this.begin(options, until)).record;
  }

  async begin(
    options: RunOptions,
    until: (record: BatchRecord) => boolean = (r) =>
      r.done.length + r.filtered.length + r.failed.size >= options.entryCount,
  ): Promise<{
    record: BatchRecord;
    batch: number;
    until(condition: (record: BatchRecord) => boolean): Promise<void>;
  }> {
    const batch = this.#nextBatch++;
    const record: BatchRecord = {
      done: [],
      filtered: [],
      failed: new Map(),
      results: new Map(),
      commands: [],
      logs: [],
      sessions: [],
      started: 0,
      waiting: 0,
    };
    const state = { record, options, wake: () => {}, round: 0 };
    this.#batches.set(batch, state);
    const holds = (condition: (r: BatchRecord) => boolean) =>
      new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`never held: ${JSON.stringify(record)}`)), 20_000);
        state.wake = () => {
          if (!condition(record)) return;
          clearTimeout(timer);
          resolve();
        };
        state.wake();
      });
    this.send(
      encodeRun(
        batch,
        {
          handle: options.handle ?? 1,
          registrationIndex: options.registrationIndex ?? 0,
          shape: options.shape ?? 0,
          ordered: options.ordered ?? 0,
          wantResults: options.wantResults ?? 0,
          executionSize: options.executionSize ?? 1,
          entryCount: options.entryCount,
        },
        { key: options.key ?? 'events', hashtag: options.hashtag ?? '06S', payload: options.payload },
      ),
    );
    await holds(until);
    return { record, batch, until: holds };
  }

  /** Cancels entries and waits until the child has handled it. */
  async cancel(batch: number, positions: number[]): Promise<void> {
    this.send(encodeCancel(batch, positions));
    await this.ping();
  }

  send(frame: Buffer): void {
    this.#socket.write(frame);
  }

  #ask(frame: Buffer): Promise<Frame> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.send(frame);
    });
  }

  #onFrame(frame: Frame): void {
    if (frame.type === FromSandbox.progress) {
      const progress = decodeProgress(frame);
      const state = this.#batches.get(progress.batch);
      if (state !== undefined) {
        this.#take(progress, state.record);
        this.#answer(progress, state);
        state.wake();
      }
      return;
    }
    this.#waiting.shift()?.({ ...frame, body: Buffer.from(frame.body) });
  }

  #take(progress: Progress, record: BatchRecord): void {
    record.started += progress.started;
    record.waiting = progress.waiting;
    let at = 0;
    const positions = [...progress.done, ...progress.filtered];
    progress.resultLengths.forEach((length, index) => {
      record.results.set(positions[index] ?? -1, progress.results.slice(at, at + length));
      at += length;
    });
    record.done.push(...progress.done);
    record.filtered.push(...progress.filtered);
    for (const { index, error } of progress.notes?.failed ?? []) record.failed.set(index, error);
    record.logs.push(...(progress.notes?.logs ?? []));
  }

  #answer(progress: Progress, { record, options }: { record: BatchRecord; options: RunOptions }): void {
    for (const request of progress.notes?.sessions ?? []) {
      record.sessions.push(request);
      const answer = options.session?.(request);
      if (answer !== undefined) this.send(encodeSession(progress.batch, request.session, answer));
    }
    if (progress.round === 0) return;
    const commands = commandsOf(progress.commands).map((args, index): SentCommand => {
      const owner = progress.owners[index] ?? 0;
      return {
        args,
        entry: owner & OwnerFlag.position,
        opens: (owner & OwnerFlag.opensGroup) !== 0,
        closes: (owner & OwnerFlag.closesGroup) !== 0,
        round: progress.round,
      };
    });
    record.commands.push(...commands);
    const { reply = () => ':1\r\n' } = options;
    if (reply !== null) this.send(encodeReplies(progress.batch, progress.round, commands.map(reply).join('')));
  }
}
