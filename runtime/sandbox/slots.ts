import { PlatformError } from '#functions';
import type { RuntimeLog } from '../bindings/log-sink.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { LoadedIsolate } from './isolates.ts';
import type { DeathCause, SandboxDeath, SandboxProcess } from './sandbox.ts';

/** A place for a process in the pool, with the isolates that are in it. */
export interface Slot {
  readonly process: SandboxProcess;
  /** `spare` is warm and empty; it takes the place of a dead `shared` one, or becomes somebody's `alone`. */
  role: 'shared' | 'alone' | 'spare';
  /** Which of the node's pipes to Redis its effects use; a successor takes it over. */
  lane: number;
  /** By version key. */
  readonly isolates: Map<string, LoadedIsolate>;
}

export interface SlotsOptions {
  readonly start: () => SandboxProcess;
  /** Shared processes; one spare comes on top. */
  readonly sandboxes: number;
  readonly onDeath: (slot: Slot, death: SandboxDeath) => void;
  readonly log: RuntimeLog;
}

/** Keeps the processes going: so many shared ones, one spare, and those that run a version alone. */
export interface Slots extends AsyncDisposable {
  /**
   * Resolves when a process has booted, however busy the machine: one that does not answer in time is replaced. Rejects with
   * SANDBOX_DIED when none comes up because the program ends by itself, or after two minutes; with RUNTIME_CLOSED.
   */
  booted(): Promise<void>;
  all(): readonly Slot[];
  spare(): Slot | null;
  /** The shared slot with the least to do; waits while there is none. SANDBOX_DIED when none comes up. */
  leastLoaded(): Promise<Slot>;
  /** A process for one version only; its owner ends it. */
  takeAlone(): Promise<Slot>;
}

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;
const WAIT_MS = 10_000;
const FIRST_BOOT_MS = 120_000;
/** Deaths that say nothing of the program: another start may do. */
const BY_CHANCE: ReadonlySet<DeathCause> = new Set(['unresponsive', 'outside']);

export function createSlots(options: SlotsOptions): Slots {
  return new SupervisedSlots(options);
}

class SupervisedSlots implements Slots {
  readonly #options: SlotsOptions;
  readonly #slots = new Set<Slot>();
  readonly #waiting = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Starts in a row that never came to life. */
  #failedStarts = 0;
  readonly #firstBoot = Promise.withResolvers<void>();
  /** Processes that ended by themselves before they had booted. */
  #stillborn = 0;
  #lastDeath = '';
  /** Processes that were taken for one version: they share the pipes in turn. */
  #alone = 0;
  #closed = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
    // Whoever awaits it hears of it; nobody has to.
    this.#firstBoot.promise.catch(() => {});
    for (let lane = 0; lane < options.sandboxes; lane += 1) this.#start('shared', lane);
    this.#start('spare', 0);
  }

  async booted(): Promise<void> {
    const timer = setTimeout(() => this.#firstBoot.reject(noneUp(FIRST_BOOT_MS, this.#lastDeath)), FIRST_BOOT_MS);
    try {
      await this.#firstBoot.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  all(): readonly Slot[] {
    return [...this.#slots];
  }

  spare(): Slot | null {
    for (const slot of this.#slots) if (slot.role === 'spare' && isAlive(slot)) return slot;
    return null;
  }

  async leastLoaded(): Promise<Slot> {
    return await this.#waitFor(() => this.#leastLoaded());
  }

  async takeAlone(): Promise<Slot> {
    return await this.#waitFor(() => {
      const spare = this.spare();
      if (spare === null) return null;
      spare.role = 'alone';
      this.#alone += 1;
      spare.lane = this.#alone % this.#options.sandboxes;
      this.#start('spare', 0);
      return spare;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#firstBoot.reject(closedError());
    for (const timer of this.#timers) clearTimeout(timer);
    for (const wake of this.#waiting) wake();
    await Promise.all([...this.#slots].map((slot) => slot.process[Symbol.asyncDispose]()));
  }

  #leastLoaded(): Slot | null {
    let best: Slot | null = null;
    for (const slot of this.#slots) {
      if (slot.role !== 'shared' || !isAlive(slot)) continue;
      if (best === null || loadOf(slot) < loadOf(best)) best = slot;
    }
    return best;
  }

  #start(role: Slot['role'], lane: number): void {
    const slot: Slot = { process: this.#options.start(), role, lane, isolates: new Map() };
    this.#slots.add(slot);
    slot.process.onDeath((death) => this.#onDeath(slot, death));
    slot.process.ready.then(
      () => {
        this.#failedStarts = 0;
        this.#firstBoot.resolve();
      },
      () => {
        // Its death is handled where all deaths are.
      },
    );
    for (const wake of this.#waiting) wake();
  }

  #onDeath(slot: Slot, death: SandboxDeath): void {
    const bootless = death.cause !== 'closed' && !slot.process.booted;
    this.#slots.delete(slot);
    this.#lastDeath = death.message;
    this.#options.onDeath(slot, death);
    if (this.#closed || slot.role === 'alone') return;
    if (death.cause !== 'closed') this.#options.log.warn({ sandbox: slot.process.pid, role: slot.role }, death.message);
    if (bootless) this.#onFailedStart(death);
    const spare = slot.role === 'shared' ? this.spare() : null;
    if (spare === null) {
      this.#startSoon(slot.role, slot.lane);
      return;
    }
    spare.role = 'shared';
    spare.lane = slot.lane;
    for (const wake of this.#waiting) wake();
    this.#startSoon('spare', 0);
  }

  #onFailedStart(death: SandboxDeath): void {
    this.#failedStarts += 1;
    if (BY_CHANCE.has(death.cause)) return;
    this.#stillborn += 1;
    if (this.#stillborn <= this.#options.sandboxes) return;
    this.#firstBoot.reject(new PlatformError<RuntimeErrorCode>('SANDBOX_DIED', death.message));
  }

  /** At once, unless the last starts failed. */
  #startSoon(role: Slot['role'], lane: number): void {
    if (this.#failedStarts === 0) {
      this.#start(role, lane);
      return;
    }
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#start(role, lane);
      },
      Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failedStarts),
    );
    this.#timers.add(timer);
  }

  async #waitFor(find: () => Slot | null): Promise<Slot> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      if (this.#closed) throw closedError();
      const found = find();
      if (found) return found;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw noneUp(WAIT_MS, this.#lastDeath);
      await this.#woken(leftMs);
    }
  }

  #woken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }
}

function noneUp(ms: number, lastDeath: string): PlatformError<RuntimeErrorCode> {
  const message = `no sandbox process has come up for ${ms} ms; the last one: ${lastDeath}`;
  return new PlatformError('SANDBOX_DIED', message, { retryable: true });
}

function closedError(): PlatformError<RuntimeErrorCode> {
  return new PlatformError('RUNTIME_CLOSED', 'the runtime is closed');
}

function isAlive(slot: Slot): boolean {
  return slot.process.state === 'ready' || slot.process.state === 'starting';
}

function loadOf(slot: Slot): number {
  return slot.isolates.size + slot.process.unanswered;
}
