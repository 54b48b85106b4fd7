import { timeOfId } from '#functions';
import type { Permit, Permits } from '../fleet/fleet.ts';
import type { ConsumerLog } from './contracts.ts';
import { hold, type Lane, letGo, modeOf } from './lane.ts';
import { type PermitNeed, permitNeedOf } from './permit-share.ts';
import { isLinkLost, pause } from './redis-calls.ts';
import { type ConsumedRegistration, isKeyed, permitsOf, runSizeOf } from './registration.ts';
import { executionSizeOf } from './runner.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Entries that may start. */
export interface Admitted {
  /** The first ones; 0: they were dropped. */
  readonly count: number;
  /** What their executions run with, to be given back by whoever starts them; null = they need none. */
  readonly permit: Permit | null;
}

/** Lets events of registrations with a rate or with permits start when there are tokens and permits for them. */
export interface Admission {
  /**
   * Waits until some of these entries may start: whole batches where the rate allows. Who asks first is served first, per
   * registration.
   */
  admit(lane: Lane, ids: readonly string[]): Promise<Admitted>;
  /** Whatever waits in the lane is dropped. */
  drop(lane: Lane): void;
}

export interface AdmissionOptions {
  readonly takeTokens: TokenBucket;
  readonly permits: Permits;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

interface Waiter {
  readonly lane: Lane;
  readonly ids: readonly string[];
  readonly resolve: (admitted: Admitted) => void;
  permit: Permit | null;
  /** Ends its wait for a permit. */
  asking: AbortController | null;
  isOver: boolean;
}

/** A wait shorter than this would only be a busy one. */
const LEAST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 1_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NOTHING: Admitted = { count: 0, permit: null };

export function createAdmission(options: AdmissionOptions): Admission {
  return new AdmissionLines(options);
}

class AdmissionLines implements Admission {
  readonly #options: AdmissionOptions;
  readonly #waiting = new Set<Waiter>();
  /** Who waits for tokens, in order. */
  readonly #lines = new Map<ConsumedRegistration, Waiter[]>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  admit(lane: Lane, ids: readonly string[]): Promise<Admitted> {
    if (ids.length === 0) return Promise.resolve(NOTHING);
    const { promise, resolve } = Promise.withResolvers<Admitted>();
    const waiter: Waiter = { lane, ids, resolve, permit: null, asking: null, isOver: false };
    this.#waiting.add(waiter);
    const over = promise.finally(() => this.#waiting.delete(waiter));
    // Permits come before tokens: a token that waits for a permit would let more events start at once than the rate allows.
    if (needsPermits(lane)) void this.#askForPermits(waiter);
    else this.#askForTokens(waiter);
    return over;
  }

  drop(lane: Lane): void {
    for (const waiter of this.#waiting) if (waiter.lane === lane) end(waiter, 0);
  }

  /** Permits keep their own line, in which all who wait ask together. */
  async #askForPermits(waiter: Waiter): Promise<void> {
    const { permits, signal } = this.#options;
    const { registration } = waiter.lane;
    while (!waiter.isOver && waiter.permit === null) {
      // What is too old ends as expired, which takes neither permit nor token.
      if (isTooOld(waiter)) return end(waiter, 1);
      const asking = new AbortController();
      waiter.asking = asking;
      const timer = wakeWhenTooOld(waiter, asking);
      waiter.permit = await permits.take({
        registrationId: registration.id,
        limit: () => permitsOf(registration) ?? Number.MAX_SAFE_INTEGER,
        wanted: needOf(waiter).wanted,
        signal: AbortSignal.any([asking.signal, signal]),
      });
      clearTimeout(timer);
      // The node stops.
      if (waiter.permit === null && !asking.signal.aborted) end(waiter, 0);
    }
    if (waiter.isOver) waiter.permit?.release();
    else this.#askForTokens(waiter);
  }

  #askForTokens(waiter: Waiter): void {
    const { registration } = waiter.lane;
    const known = this.#lines.get(registration);
    if (known !== undefined) known.push(waiter);
    else if (!isRated(waiter.lane)) end(waiter, startable(waiter));
    else {
      const line = [waiter];
      this.#lines.set(registration, line);
      this.#serve(registration, line).catch((error: unknown) => this.#failed(registration, line, error));
    }
  }

  /** Serves the first in line until there is none. */
  async #serve(registration: ConsumedRegistration, line: Waiter[]): Promise<void> {
    for (let first = line[0]; first !== undefined; first = line[0]) {
      const rate = registration.active.spec.flow?.rate ?? null;
      if (rate === null) end(first, startable(first));
      else if (isTooOld(first)) end(first, 1);
      if (first.isOver || rate === null) {
        line.shift();
        continue;
      }
      const { batch } = registration.trigger;
      const request = { registrationId: registration.id, rate, wanted: startable(first), least: batch };
      const { taken, waitMs } = await this.#options.takeTokens(request);
      if (taken === 0) await pause(Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, waitMs)), this.#options.signal);
      else {
        end(first, taken);
        line.shift();
      }
    }
    // At once: who comes next begins a line of their own.
    this.#lines.delete(registration);
  }

  #failed(registration: ConsumedRegistration, line: readonly Waiter[], error: unknown): void {
    this.#lines.delete(registration);
    if (!isLinkLost(error)) this.#options.log.error({ err: error }, 'tokens of a rate could not be taken');
    for (const waiter of line) end(waiter, 0);
  }
}

/** Entries on their way to the queue, which they may not fill: those that wait count as being in it. */
export interface QueueBound {
  readonly lane: Lane;
  readonly ids: readonly string[];
  /** Takes the next part, in order, when there are tokens for it. */
  readonly each: (part: readonly string[]) => void;
}

/** Resolves when all have been admitted, or the rest was dropped. */
export async function admitAll(admission: Admission, { lane, ids, each }: QueueBound): Promise<void> {
  for (let at = 0; at < ids.length; ) {
    const waiting = ids.slice(at);
    lane.queued += waiting.length;
    hold(lane, waiting);
    const { count, permit } = await admission.admit(lane, waiting);
    letGo(lane, waiting);
    lane.queued -= waiting.length;
    // Of a registration that needs permits from now on; whoever runs the job takes them.
    permit?.release();
    if (count === 0) return;
    each(waiting.slice(0, count));
    at += count;
  }
}

export function isRated({ registration }: Lane): boolean {
  return (registration.active.spec.flow?.rate ?? null) !== null;
}

export function needsPermits({ registration }: Lane): boolean {
  return permitsOf(registration) !== null;
}

/** Permits that are not needed for so many entries go back. */
function end(waiter: Waiter, count: number): void {
  if (waiter.isOver) return;
  waiter.isOver = true;
  waiter.asking?.abort();
  const { permit } = waiter;
  permit?.release(permit.count - (count === 0 ? 0 : needOf(waiter).permitsFor(count)));
  waiter.resolve({ count, permit });
}

/** Entries that may start as far as permits go. */
function startable(waiter: Waiter): number {
  const { permit, ids } = waiter;
  return permit === null ? ids.length : needOf(waiter).entriesWith(permit.count);
}

function needOf({ lane, ids }: Waiter): PermitNeed {
  const { registration } = lane;
  const shape = { mode: modeOf(lane), keyed: isKeyed(registration), executionSize: executionSizeOf(lane) };
  return permitNeedOf(shape, Math.min(ids.length, runSizeOf(registration)));
}

function isTooOld(waiter: Waiter): boolean {
  return ageLeftMs(waiter) < 0;
}

function ageLeftMs({ lane, ids }: Waiter): number {
  const { maxAgeMs } = lane.registration.trigger;
  return maxAgeMs === null ? Number.POSITIVE_INFINITY : timeOfId(ids[0] ?? '0-0') + maxAgeMs - Date.now();
}

function wakeWhenTooOld(waiter: Waiter, asking: AbortController): NodeJS.Timeout | undefined {
  const leftMs = ageLeftMs(waiter);
  if (leftMs > LONGEST_TIMER_MS) return undefined;
  return setTimeout(() => asking.abort(), Math.max(LEAST_WAIT_MS, leftMs + 1));
}
