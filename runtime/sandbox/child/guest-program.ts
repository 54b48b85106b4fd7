import type ivm from 'isolated-vm';

/** Name of the guest runtime in stack traces; the guest takes these frames out. */
export const RUNTIME_FILE = 'regears:guest';

export type GuestApiReference = ivm.Reference<Record<string, unknown>>;

/**
 * The guest runtime, as every isolate of this process begins with it. What V8 has compiled of it in one isolate serves the others:
 * compiling is three quarters of the time until a function can run.
 */
export class GuestProgram {
  readonly #code: string;
  #compiled: ivm.ExternalCopy<ArrayBuffer> | null = null;

  /** @param bundle text of `buildGuestBundle`. */
  constructor(bundle: string) {
    this.#code = `(function ($0, $1, $2) {${bundle}\nreturn regears.start(new Uint32Array($0), $1, $2);})`;
  }

  /** Starts the runtime in a fresh context. */
  start(isolate: ivm.Isolate, context: ivm.Context, args: readonly unknown[]): GuestApiReference {
    const script = this.#compile(isolate, this.#compiled === null ? {} : { cachedData: this.#compiled });
    const start = script.runSync(context, { reference: true }) as ivm.Reference<(...args: never[]) => unknown>;
    script.release();
    return start.applySync(undefined, args as never[], { result: { reference: true } }) as GuestApiReference;
  }

  /** Keeps what has been compiled in an isolate that was started by this program, functions that have run included. */
  keepCompiled(isolate: ivm.Isolate): void {
    // V8 finds the script it knows already, with all that it has compiled of it since.
    const script = this.#compile(isolate, { produceCachedData: true });
    this.#compiled = script.cachedData ?? null;
    script.release();
  }

  #compile(isolate: ivm.Isolate, data: ivm.CachedDataOptions): ivm.Script & ivm.CachedDataResult {
    return isolate.compileScriptSync(this.#code, { filename: RUNTIME_FILE, ...data });
  }
}
