import {
  argsOf,
  createCommandScan,
  encodeBulk,
  latin1FromUtf8,
  PlatformError,
  parseNestedRun,
  type RunSpec,
  scanCommand,
  utf8FromLatin1,
} from '#functions';
import type { LogSink } from '../bindings/binding.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { GuestHost, NestedRun } from '../host.ts';
import type { Invocation } from '../invocation.ts';
import { type LoadedIsolate, versionKey } from '../sandbox/isolates.ts';
import type { StageRequest, StageRun } from '../stage.ts';

/** One thing that an entry asks for and waits for. */
export interface Ask {
  readonly invocation: Invocation;
  readonly isolate: LoadedIsolate;
  /** Which entry of the batch. */
  readonly entry: number;
  /** RESP text: `SLEEP ms`, `WAIT future`, `COMPLETE future outcome`, `RUN spec` or `KEY key`. */
  readonly command: string;
  /** Aborted when the entry ends. */
  readonly signal: AbortSignal;
}

export interface AsksOptions {
  /** What events of one version may wait for at once. Setting `sandbox-waits`. */
  readonly mostWaits: number;
  /** Opens a stage in the isolate where the handler is. */
  readonly openWithin: (isolate: LoadedIsolate, request: StageRequest) => Promise<StageRun>;
  /** Why a version that keeps to these keys may not read what a run reads; null when it may. */
  readonly refuseReading: (keys: readonly string[] | null, run: RunSpec) => string | null;
  readonly logs: LogSink;
}

/** Answers what handlers wait for beside commands. */
export interface Asks {
  serve(host: GuestHost): void;
  /**
   * Resolves with RESP text, which may be an error for the function. Rejects when nobody can answer now, which is not the function's
   * doing; never settles or rejects, as it comes, once `signal` is aborted.
   */
  answer(ask: Ask): Promise<string>;
}

/** An ask in its parts. */
interface Wish {
  readonly what: string;
  readonly first: string;
  readonly second: string;
}

/** So many runs may stand around a function. */
const MAX_DEPTH = 3;
const OK = '+OK\r\n';
/** The longest a timer of Node can wait, ms. */
const LONGEST_SLEEP_MS = 2_147_483_647;
/** An outcome outlives whoever can still wait for it. */
const OUTCOME_SLACK_MS = 60_000;
const FUTURE_ID = /^[0-9a-z]{1,64}$/;
/** What goes wrong with a run for reasons that a function can do something about. */
const FOR_THE_FUNCTION: ReadonlySet<string> = new Set(['RESULTS_TOO_LARGE', 'EXECUTION_ABORTED', 'MANIFEST_INVALID']);

export function createAsks(options: AsksOptions): Asks {
  return new AskDesk(options);
}

class AskDesk implements Asks {
  readonly #options: AsksOptions;
  /** By version: what its events wait for now. */
  readonly #waits = new Map<string, number>();
  #host: GuestHost | null = null;

  constructor(options: AsksOptions) {
    this.#options = options;
  }

  serve(host: GuestHost): void {
    this.#host = host;
  }

  async answer(ask: Ask): Promise<string> {
    const [what = '', first = '', second = ''] = argumentsOf(ask.command);
    // Calls that wait for their key have been bounded where they came from.
    if (what === 'KEY') return takeKey(ask, first);
    const { mostWaits } = this.#options;
    const key = versionKey(ask.invocation.target);
    const waits = this.#waits.get(key) ?? 0;
    if (waits >= mostWaits) {
      const what = `events of this version wait for ${waits} timers, futures and runs already`;
      return refusal('LIMIT_WAITS', `${what} (setting sandbox-waits)`);
    }
    this.#waits.set(key, waits + 1);
    using _ = untilAborted(ask.signal, () => this.#leave(key));
    return await this.#answer(ask, { what, first, second });
  }

  #leave(key: string): void {
    const waits = (this.#waits.get(key) ?? 1) - 1;
    if (waits === 0) this.#waits.delete(key);
    else this.#waits.set(key, waits);
  }

  #answer(ask: Ask, { what, first, second }: Wish): Promise<string> {
    if (what === 'SLEEP') return sleep(Number(first), ask.signal);
    if (what === 'RUN') return this.#run(ask, first);
    if (!FUTURE_ID.test(first)) throw breach('a future of no name');
    if (what === 'WAIT') return this.#wait(ask, first);
    if (what === 'COMPLETE') return this.#complete(ask, first, second);
    throw breach(`the request ${what.slice(0, 20)}`);
  }

  async #wait({ invocation, signal }: Ask, id: string): Promise<string> {
    const { functionName } = invocation.target;
    return encodeBulk(await this.#hosted().awaitFuture({ functionName, id }, signal));
  }

  async #complete({ invocation }: Ask, id: string, outcome: string): Promise<string> {
    const { functionName, limits } = invocation.target;
    const keepMs = 2 * limits.executionMs + OUTCOME_SLACK_MS;
    return (await this.#hosted().completeFuture({ functionName, id }, outcome, keepMs)) ? ':1\r\n' : ':0\r\n';
  }

  async #run(ask: Ask, text: string): Promise<string> {
    const { invocation, isolate, signal } = ask;
    const depth = (invocation.depth ?? 0) + 1;
    if (depth > MAX_DEPTH) {
      return refusal('LIMIT_WAITS', `runs may start runs ${MAX_DEPTH} deep; this one would be the next`);
    }
    const openStage: NestedRun['openStage'] = (request) => this.#options.openWithin(isolate, { ...request, depth });
    signal.addEventListener('abort', () => this.#logAbandoned(invocation), { once: true });
    try {
      const run = readRun(text);
      const refused = this.#options.refuseReading(isolate.target.rules?.keys ?? null, run);
      if (refused !== null) return refusal('COMMAND_FORBIDDEN', refused);
      const { records, errors } = await this.#hosted().run({ target: isolate.target, run, depth, openStage }, signal);
      return `*2\r\n${listOf(records)}${listOf(errors.map(latin1FromUtf8))}`;
    } catch (reason) {
      if (!(reason instanceof PlatformError) || !FOR_THE_FUNCTION.has(reason.code)) throw reason;
      return refusal(reason.code, reason.message);
    }
  }

  #logAbandoned({ target }: Invocation): void {
    const message = 'A run was ended with the event that had started it: await it, or return what run(…) gives.';
    this.#options.logs.write(target, [{ level: 'warning', message }]);
  }

  #hosted(): GuestHost {
    if (this.#host !== null) return this.#host;
    throw new PlatformError<RuntimeErrorCode>('RUNTIME_CLOSED', 'the node has not started yet', { retryable: true });
  }
}

async function takeKey({ invocation, entry, signal }: Ask, key: string): Promise<string> {
  await invocation.takeKey?.(entry, key, signal);
  return OK;
}

/** Calls `leave` once: when the scope ends, or before, when the signal is aborted. */
function untilAborted(signal: AbortSignal, leave: () => void): Disposable {
  let left = false;
  const once = (): void => {
    if (left) return;
    left = true;
    leave();
  };
  signal.addEventListener('abort', once, { once: true });
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', once);
      once();
    },
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<string> {
  if (!(ms >= 0 && ms <= LONGEST_SLEEP_MS)) throw breach('a timer of no length');
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve(OK);
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function readRun(text: string): RunSpec {
  let spec: unknown;
  try {
    spec = JSON.parse(utf8FromLatin1(text));
  } catch {
    throw breach('a run that is no JSON');
  }
  return parseNestedRun(spec);
}

function argumentsOf(command: string): readonly string[] {
  const scan = createCommandScan();
  scanCommand(command, 0, scan);
  return argsOf(command, scan);
}

function listOf(texts: readonly string[]): string {
  return `*${texts.length}\r\n${texts.map(encodeBulk).join('')}`;
}

function refusal(code: string, message: string): string {
  return `-${code} ${latin1FromUtf8(message).replace(/[\r\n]+/g, ' ')}\r\n`;
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox asked for what cannot be: ${what}`);
}
