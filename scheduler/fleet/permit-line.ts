import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { Permit, PermitRequest } from './fleet.ts';

/** What a node says of a registration, and asks for. */
export interface PermitReport {
  /** Permits there are. */
  readonly limit: number;
  /** Those this node uses. */
  readonly used: number;
  /** Those it wants besides. */
  readonly wanted: number;
}

export interface PermitLineOptions {
  /** Tells the fleet; resolves with the permits taken, below 0 when this node does not count as living. */
  readonly report: (report: PermitReport) => Promise<number>;
  /** False while this node may have been declared dead. */
  readonly mayAct: () => boolean;
  /** Told again after this even without a change: what Redis has lost is there again, and news that got lost is made up for. */
  readonly pollMs: number;
  readonly onFailed: (error: unknown) => void;
  /** Nothing is used, wanted, or known of this node any more. */
  readonly onIdle: () => void;
}

/** Permits of one registration on this node: those in use, and who waits for one. */
export interface PermitLine {
  take(request: PermitRequest): Promise<Permit | null>;
  /** There may be some: asks again. */
  wake(): void;
  /** This node could have been declared dead: nothing it holds is its own any more. Who waits goes on waiting. */
  lapse(): void;
  /** Who waits gets none. */
  close(): void;
}

interface Waiter {
  readonly request: PermitRequest;
  readonly answer: (permit: Permit | null) => void;
}

/** What is held since the last lapse. */
interface Holding {
  used: number;
  readonly lost: AbortController;
}

const UNFIT_PAUSE_MS = 20;
const FAILED_PAUSE_MS = 250;

export function createPermitLine(options: PermitLineOptions): PermitLine {
  return new ReportingLine(options);
}

/** One report at a time; what changes meanwhile goes into the next, so that a busy registration asks once per round trip. */
class ReportingLine implements PermitLine {
  readonly #options: PermitLineOptions;
  #holding = newHolding();
  #waiters: Waiter[] = [];
  #limit = 1;
  #working = false;
  #changed = false;
  #closed = false;
  #endRest: (() => void) | null = null;

  constructor(options: PermitLineOptions) {
    this.#options = options;
  }

  take(request: PermitRequest): Promise<Permit | null> {
    if (request.signal.aborted || this.#closed) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<Permit | null>();
    const giveUp = (): void => {
      this.#waiters = this.#waiters.filter((one) => one !== waiter);
      waiter.answer(null);
      this.wake();
    };
    const answer = (permit: Permit | null): void => {
      request.signal.removeEventListener('abort', giveUp);
      resolve(permit);
    };
    const waiter: Waiter = { request, answer };
    this.#waiters.push(waiter);
    request.signal.addEventListener('abort', giveUp, { once: true });
    this.wake();
    return promise;
  }

  wake(): void {
    this.#changed = true;
    this.#endRest?.();
    if (this.#working || this.#closed) return;
    this.#working = true;
    void this.#work();
  }

  lapse(): void {
    const { lost } = this.#holding;
    this.#holding = newHolding();
    const text = 'this node could not show that it lives: others may have its permits';
    lost.abort(new PlatformError<SchedulerErrorCode>('SLOT_LOST', text, { retryable: true }));
    this.wake();
  }

  close(): void {
    this.#closed = true;
    for (const { answer } of this.#waiters.splice(0)) answer(null);
    this.#endRest?.();
  }

  async #work(): Promise<void> {
    // What is asked for and given back in one tick goes together.
    await Promise.resolve();
    while (!this.#closed) {
      this.#changed = false;
      const pauseMs = await this.#round();
      if (this.#changed) continue;
      if (pauseMs === null) break;
      await this.#rest(pauseMs);
    }
    this.#working = false;
    this.#options.onIdle();
  }

  /** Resolves with the ms to wait for a change; null = there is nothing to wait for. */
  async #round(): Promise<number | null> {
    const { report, mayAct, onFailed, pollMs } = this.#options;
    if (!mayAct()) return UNFIT_PAUSE_MS;
    const holding = this.#holding;
    const { used } = holding;
    this.#limit = this.#waiters[0]?.request.limit() ?? this.#limit;
    const asked = this.#waiters.reduce((sum, { request }) => sum + request.wanted, 0);
    let taken: number;
    try {
      taken = await report({ limit: this.#limit, used, wanted: Math.min(asked, this.#limit) });
    } catch (error) {
      onFailed(error);
      return FAILED_PAUSE_MS;
    }
    if (taken < 0) return UNFIT_PAUSE_MS;
    // Whether what was taken is still ours nobody knows.
    if (holding !== this.#holding || !mayAct()) return UNFIT_PAUSE_MS;
    this.#give(holding, taken);
    // Nobody waited for all of it any more: the next report says so.
    if (holding.used < used + taken) this.#changed = true;
    return holding.used === 0 && this.#waiters.length === 0 ? null : pollMs;
  }

  #give(holding: Holding, taken: number): void {
    for (let left = taken; left > 0; ) {
      const first = this.#waiters.shift();
      if (first === undefined) return;
      const count = Math.min(left, first.request.wanted);
      left -= count;
      holding.used += count;
      first.answer(new HeldPermit(holding, count, () => this.wake()));
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#endRest = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      timer.unref();
      this.#endRest = end;
    });
  }
}

class HeldPermit implements Permit {
  count: number;
  readonly #holding: Holding;
  readonly #onReleased: () => void;

  constructor(holding: Holding, count: number, onReleased: () => void) {
    this.#holding = holding;
    this.count = count;
    this.#onReleased = onReleased;
  }

  get signal(): AbortSignal {
    return this.#holding.lost.signal;
  }

  release(count = this.count): void {
    const released = Math.min(count, this.count);
    if (released <= 0) return;
    this.count -= released;
    this.#holding.used -= released;
    this.#onReleased();
  }
}

function newHolding(): Holding {
  return { used: 0, lost: new AbortController() };
}
