import { type BundledSource, bundleFile, bundleInputs, PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import { type Deployed, deployFunction, functionName } from '../commands/deploy-function.ts';
import { createPathWatch, type PathWatch } from './path-watch.ts';

/** What became of one look at the file. */
export type WatchEvent = DeployedEvent | UnchangedEvent | RefusedEvent;

interface Looked {
  readonly file: string;
  readonly name: string;
  /** From the save to now, ms; null: nothing was saved, it was asked for. */
  readonly sinceSaveMs: number | null;
}

/** A version is in force. */
export interface DeployedEvent extends Looked {
  readonly kind: 'deployed';
  readonly deployed: Deployed;
  readonly bundled: BundledSource;
}

/** The source is what was deployed last. */
export interface UnchangedEvent extends Looked {
  readonly kind: 'unchanged';
  readonly version: number;
  /** True: it was refused in between. */
  readonly isMended: boolean;
}

/** It does not build, or does not load; what was deployed before goes on running. */
export interface RefusedEvent extends Looked {
  readonly kind: 'refused';
  readonly error: PlatformError;
  /** Null: it does not build. */
  readonly bundled: BundledSource | null;
  /** The version that goes on running, as far as this watch has deployed one. */
  readonly version: number | null;
}

/** Keeps a function as its file is: deploys it now, and again whenever something that it is made of has been saved. */
export interface FunctionWatch extends AsyncDisposable {
  /** Resolves when the file has been looked at for the first time; rejects with ARGUMENT_INVALID when it is no readable script. */
  readonly started: Promise<void>;
  /** Deploys again, also what has not changed. */
  redeploy(): void;
}

export interface FunctionWatchOptions {
  readonly file: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly activate: boolean;
  /** A new connection for each deployment: a node may have been started anew in between. */
  readonly connect: () => Promise<DoorClient>;
  readonly report: (event: WatchEvent) => void;
}

/** A platform that cannot be reached is asked again after this. */
const RETRY_MS = 1_000;

interface Wish {
  /** Null: nobody saved. */
  readonly savedAtMs: number | null;
  readonly isForced: boolean;
  /** It has been told already why this did not work. */
  readonly isRetry: boolean;
}

export function watchFunction(options: FunctionWatchOptions): FunctionWatch {
  return new Watched(options);
}

class Watched implements FunctionWatch {
  readonly started: Promise<void>;
  readonly #options: FunctionWatchOptions;
  readonly #name: string;
  readonly #paths: PathWatch;
  #wish: Wish | null = null;
  #working: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #last: { readonly source: string; readonly version: number } | null = null;
  #refusal: string | null = null;
  #closed = false;

  constructor(options: FunctionWatchOptions) {
    this.#options = options;
    this.#name = functionName(options.file, options.name);
    this.#paths = createPathWatch({
      onChange: (savedAtMs) => this.#want({ savedAtMs, isForced: false, isRetry: false }),
    });
    this.started = this.#first();
  }

  redeploy(): void {
    this.#want({ savedAtMs: null, isForced: true, isRetry: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#paths[Symbol.dispose]();
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#working;
  }

  async #first(): Promise<void> {
    const first = this.#look({ savedAtMs: null, isForced: true, isRetry: false }, true);
    // Whoever saves meanwhile has to wait for the end of it.
    this.#working = first.catch(() => undefined).then(() => this.#fulfil());
    this.#working = this.#working.finally(() => {
      this.#working = null;
    });
    await first;
  }

  #want(wish: Wish): void {
    if (this.#closed) return;
    this.#wish = { ...wish, isForced: wish.isForced || (this.#wish?.isForced ?? false) };
    this.#work();
  }

  #work(): void {
    if (this.#working !== null) return;
    this.#working = this.#fulfil().finally(() => {
      this.#working = null;
    });
  }

  async #fulfil(): Promise<void> {
    while (this.#wish !== null && !this.#closed) {
      const wish = this.#wish;
      this.#wish = null;
      await this.#look(wish, false);
    }
  }

  async #look(wish: Wish, isFirst: boolean): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    const sinceMs = Date.now();
    const { file } = this.#options;
    let bundled: BundledSource | null = null;
    try {
      bundled = await bundleFile(file);
      await this.#deploy(bundled, wish);
      this.#refusal = null;
    } catch (reason) {
      const error = PlatformError.from(reason, 'FAILED');
      if (isFirst && error.code === 'ARGUMENT_INVALID' && bundled === null) throw error;
      this.#refused(error, bundled, wish);
    }
    const paths = await bundleInputs(file);
    this.#paths.follow(paths, sinceMs);
  }

  async #deploy(bundled: BundledSource, wish: Wish): Promise<void> {
    const last = this.#last;
    if (last?.source === bundled.source && !wish.isForced) {
      const isMended = this.#refusal !== null;
      this.#tell(wish, { kind: 'unchanged', version: last.version, isMended });
      return;
    }
    await using door = await this.#options.connect();
    const { file, name, description, activate } = this.#options;
    const deployed = await deployFunction(door, { file, name, description, activate, bundled });
    this.#last = { source: bundled.source, version: deployed.version };
    this.#tell(wish, { kind: 'deployed', deployed, bundled });
  }

  #refused(error: PlatformError, bundled: BundledSource | null, wish: Wish): void {
    const refusal = `${error.code} ${error.message}`;
    const isNews = this.#refusal !== refusal || !wish.isRetry;
    this.#refusal = refusal;
    if (isNews) this.#tell(wish, { kind: 'refused', error, bundled, version: this.#last?.version ?? null });
    if (!error.retryable || this.#closed) return;
    this.#retry = setTimeout(() => this.#want({ savedAtMs: null, isForced: wish.isForced, isRetry: true }), RETRY_MS);
  }

  #tell({ savedAtMs }: Wish, event: EventBody): void {
    if (this.#closed) return;
    const sinceSaveMs = savedAtMs === null ? null : Math.max(0, Math.round(Date.now() - savedAtMs));
    this.#options.report({ ...event, file: this.#options.file, name: this.#name, sinceSaveMs });
  }
}

type EventBody =
  | Omit<DeployedEvent, keyof Looked>
  | Omit<UnchangedEvent, keyof Looked>
  | Omit<RefusedEvent, keyof Looked>;
