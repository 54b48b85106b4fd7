import { type LoadableVersion, PlatformError } from '#functions';
import type { RuntimeLog } from '../bindings/log-sink.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { DeathEvent, QuarantineEvent, SandboxInfo, SandboxUsage } from '../runtime.ts';
import { createErrorTransfer } from './error-transfer.ts';
import { type LoadedIsolate, leastRecentlyUsed, loadRequest, scriptName, useIsolate, versionKey } from './isolates.ts';
import { measure } from './measure.ts';
import type { LoadedReport, LoadRequest, SourcesSpec } from './messages.ts';
import { createQuarantine } from './quarantine.ts';
import type { SandboxDeath, SandboxProcess } from './sandbox.ts';
import { createSlots, type Slot } from './slots.ts';

export interface SandboxPoolOptions {
  readonly start: () => SandboxProcess;
  readonly sandboxes: number;
  readonly residentBytes: number;
  readonly quarantineAfterCrashes: number;
  readonly idleMs: number;
  readonly isolatesPerProcess: number;
  readonly log: RuntimeLog;
  /** Clock and dice of what is loaded; left out = the machine's. */
  readonly sources?: () => SourcesSpec;
  /** What a version printed while it was evaluated. */
  readonly onLoaded: (version: LoadableVersion, report: LoadedReport) => void;
  readonly onQuarantine: (event: QuarantineEvent) => void;
  /** See `Runtime.onDeath`. Default: nobody wants to know. */
  readonly onDeath?: (event: DeathEvent) => void;
}

/** Which version lives in which process. */
export interface SandboxPool extends AsyncDisposable {
  /** Resolves when the first process has booted; see `Slots.booted`. */
  ready(): Promise<void>;
  /**
   * The isolate of a version, loaded on first use and counted as used until `release`. Rejects with LoadFailure,
   * SANDBOX_QUARANTINED, SANDBOX_DIED (details.blamed says whether this version's loading was the cause), RUNTIME_CLOSED.
   */
  acquire(version: LoadableVersion): LoadedIsolate | Promise<LoadedIsolate>;
  release(isolate: LoadedIsolate): void;
  /** Evaluates a version without keeping it, in the spare process where it can harm nobody. */
  inspect(version: LoadableVersion): Promise<LoadedReport>;
  retain(versions: readonly { readonly functionName: string; readonly version: number }[]): void;
  /** See `Runtime.pardon`. */
  pardon(version: { readonly functionName: string; readonly version: number }): void;
  info(): readonly SandboxInfo[];
  /** The same with what each version takes. */
  measure(): Promise<readonly SandboxUsage[]>;
}

const LOAD_ATTEMPTS = 4;
const UPKEEP_MS = 1_000;
/** From this share of the limit on, idle isolates are given up before the watchdog has to act. */
const PRESSURE = 0.75;

export function createSandboxPool(options: SandboxPoolOptions): SandboxPool {
  return new Pool(options);
}

class Pool implements SandboxPool {
  readonly #options: SandboxPoolOptions;
  readonly #slots;
  readonly #quarantine;
  readonly #placed = new Map<string, LoadedIsolate>();
  readonly #placing = new Map<string, Promise<LoadedIsolate>>();
  /** Versions that ever crashed, to tell people and to forget them. */
  readonly #suspects = new Map<string, LoadableVersion>();
  readonly #upkeep: NodeJS.Timeout;
  #lastHandle = 0;

  constructor(options: SandboxPoolOptions) {
    this.#options = options;
    this.#quarantine = createQuarantine({ afterCrashes: options.quarantineAfterCrashes });
    this.#slots = createSlots({
      start: options.start,
      sandboxes: options.sandboxes,
      log: options.log,
      onDeath: (slot, death) => this.#onDeath(slot, death),
    });
    this.#upkeep = setInterval(() => this.#keepUp(), UPKEEP_MS);
    this.#upkeep.unref();
  }

  ready(): Promise<void> {
    return this.#slots.booted();
  }

  acquire(version: LoadableVersion): LoadedIsolate | Promise<LoadedIsolate> {
    const key = versionKey(version);
    const placed = this.#placed.get(key);
    if (placed && isUsable(placed)) return useIsolate(placed);
    return this.#acquireSlowly(version, key);
  }

  release(isolate: LoadedIsolate): void {
    isolate.uses -= 1;
    // Version 0 is a script that nobody will ask for by its name.
    if (isolate.target.version === 0 && isolate.uses === 0) this.#retire(isolate);
    else if (isolate.retired) this.#unloadUnused(isolate);
  }

  #retire(isolate: LoadedIsolate): void {
    if (isolate.retired) return;
    isolate.retired = true;
    if (this.#placed.get(isolate.key) === isolate) this.#placed.delete(isolate.key);
    this.#unloadUnused(isolate);
  }

  async inspect(version: LoadableVersion): Promise<LoadedReport> {
    const key = `inspect ${versionKey(version)}`;
    return await this.#whileInnocent(key, async () => {
      const slot = this.#slots.spare() ?? (await this.#slots.leastLoaded());
      const report = await slot.process.load(this.#request(version, this.#nextHandle(), true), key);
      this.#options.onLoaded(version, report);
      return report;
    });
  }

  retain(versions: readonly { readonly functionName: string; readonly version: number }[]): void {
    const wanted = new Set(versions.map(nameOf));
    for (const isolate of [...this.#placed.values()]) {
      if (!wanted.has(nameOf(isolate.target))) this.#retire(isolate);
    }
    for (const [key, version] of this.#suspects) {
      if (wanted.has(nameOf(version))) continue;
      this.#quarantine.forget(key);
      this.#suspects.delete(key);
    }
  }

  pardon(version: { readonly functionName: string; readonly version: number }): void {
    for (const [key, suspect] of this.#suspects) {
      if (nameOf(suspect) === nameOf(version) && this.#quarantine.standingOf(key) === 'stopped') {
        this.#quarantine.forget(key);
      }
    }
  }

  info(): readonly SandboxInfo[] {
    return this.#slots.all().map((slot) => ({
      pid: slot.process.pid,
      residentBytes: slot.process.residentBytes,
      role: slot.role,
      versions: [...slot.isolates.values()]
        .filter((isolate) => this.#placed.get(isolate.key) === isolate)
        .map(({ target }) => ({ functionName: target.functionName, version: target.version })),
    }));
  }

  measure(): Promise<readonly SandboxUsage[]> {
    return measure(this.#slots.all());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#upkeep);
    await this.#slots[Symbol.asyncDispose]();
  }

  async #acquireSlowly(version: LoadableVersion, key: string): Promise<LoadedIsolate> {
    return await this.#whileInnocent(key, async () => {
      const placed = this.#placed.get(key);
      if (placed && isUsable(placed)) return useIsolate(placed);
      const fresh = await this.#placeOnce(version, key);
      if (!isUsable(fresh))
        throw new PlatformError<RuntimeErrorCode>('SANDBOX_DIED', 'the isolate was dropped at once');
      return useIsolate(fresh);
    });
  }

  /** Loads at the same time share one load. */
  #placeOnce(version: LoadableVersion, key: string): Promise<LoadedIsolate> {
    const underWay = this.#placing.get(key);
    if (underWay) return underWay;
    const placing = this.#place(version, key).finally(() => this.#placing.delete(key));
    this.#placing.set(key, placing);
    return placing;
  }

  async #place(version: LoadableVersion, key: string): Promise<LoadedIsolate> {
    const standing = this.#quarantine.standingOf(key);
    if (standing === 'stopped') throw quarantined(version);
    const slot = standing === 'alone' ? await this.#slots.takeAlone() : await this.#slots.leastLoaded();
    this.#makeRoom(slot);
    const handle = this.#nextHandle();
    const isolate: LoadedIsolate = {
      key,
      target: version,
      slot,
      process: slot.process,
      handle,
      toGuestError: createErrorTransfer({
        artifact: version.artifact,
        fileName: scriptName(version),
        sourceName: `${version.functionName}.${version.artifact.language}`,
      }),
      uses: 0,
      lastUsedMs: performance.now(),
      retired: false,
    };
    slot.isolates.set(key, isolate);
    try {
      const report = await slot.process.load(this.#request(version, handle, false), key);
      this.#placed.set(key, isolate);
      this.#options.onLoaded(version, report);
      return isolate;
    } catch (error) {
      isolate.retired = true;
      this.#unloadUnused(isolate);
      throw error;
    }
  }

  /** A process that dies over somebody else's work is no answer: the same is tried again in another one. */
  async #whileInnocent<T>(key: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const innocent =
          error instanceof PlatformError && error.code === 'SANDBOX_DIED' && error.details.blamed !== key;
        if (!innocent || attempt >= LOAD_ATTEMPTS) throw error;
      }
    }
  }

  #request(version: LoadableVersion, handle: number, inspectOnly: boolean): LoadRequest {
    const { sources } = this.#options;
    const request = loadRequest(version, handle, inspectOnly);
    return sources === undefined ? request : { ...request, sources: sources() };
  }

  #makeRoom(slot: Slot): void {
    const surplus = slot.isolates.size - this.#options.isolatesPerProcess + 1;
    if (surplus <= 0) return;
    for (const isolate of leastRecentlyUsed(slot.isolates.values()).slice(0, surplus)) this.#retire(isolate);
  }

  #unloadUnused(isolate: LoadedIsolate): void {
    if (isolate.uses > 0) return;
    const { slot } = isolate;
    if (slot.isolates.get(isolate.key) === isolate) slot.isolates.delete(isolate.key);
    isolate.process.unload(isolate.handle);
    if (slot.role === 'alone' && slot.isolates.size === 0) slot.process.kill('closed', 'its only version was dropped');
  }

  #onDeath(slot: Slot, death: SandboxDeath): void {
    for (const isolate of slot.isolates.values()) {
      isolate.retired = true;
      if (this.#placed.get(isolate.key) === isolate) this.#placed.delete(isolate.key);
    }
    const culprit = death.blamed === null ? undefined : slot.isolates.get(death.blamed);
    slot.isolates.clear();
    const { cause } = death;
    if (cause !== 'closed') this.#options.onDeath?.({ cause, functionName: culprit?.target.functionName ?? null });
    if (!culprit) return;
    const { key, target } = culprit;
    this.#suspects.set(key, target);
    const verdict = this.#quarantine.crashed(key, Date.now());
    this.#options.log.warn({ function: target.functionName, version: target.version, verdict }, death.message);
    if (verdict === null) return;
    const { functionName, version } = target;
    this.#options.onQuarantine({ functionName, version, verdict, reason: death.message });
  }

  #keepUp(): void {
    const now = performance.now();
    for (const slot of this.#slots.all()) {
      const unused = leastRecentlyUsed(slot.isolates.values());
      for (const isolate of unused) {
        if (now - isolate.lastUsedMs > this.#options.idleMs) this.#retire(isolate);
      }
      const pressed = slot.process.residentBytes > this.#options.residentBytes * PRESSURE;
      const oldest = unused[0];
      if (pressed && oldest && slot.isolates.size > 1) this.#retire(oldest);
    }
  }

  #nextHandle(): number {
    this.#lastHandle = (this.#lastHandle % 0xffff_fffe) + 1;
    return this.#lastHandle;
  }
}

function isUsable(isolate: LoadedIsolate): boolean {
  return !isolate.retired && isolate.process.state !== 'dying' && isolate.process.state !== 'dead';
}

function nameOf(version: { readonly functionName: string; readonly version: number }): string {
  return `${version.functionName}@${version.version}`;
}

function quarantined(version: LoadableVersion): PlatformError<RuntimeErrorCode> {
  const name = `${version.functionName} version ${version.version}`;
  return new PlatformError(
    'SANDBOX_QUARANTINED',
    `${name} has killed its sandbox process too often and does not run any more; deploy a repaired version or roll back`,
  );
}
