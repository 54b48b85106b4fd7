import { timeOfId } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import { hold, type Lane, letGo } from './lane.ts';
import { isLinkLost, pause } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Lets events of registrations with a rate start when there are tokens for them. */
export interface Admission {
  /**
   * Waits until some of these entries may start and resolves with how many: the first ones, whole batches where the rate
   * allows. Who asks first is served first, per registration. 0: they were dropped.
   */
  admit(lane: Lane, ids: readonly string[]): Promise<number>;
  /** Whatever waits in the lane is dropped. */
  drop(lane: Lane): void;
}

export interface AdmissionOptions {
  readonly takeTokens: TokenBucket;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

interface Waiter {
  readonly lane: Lane;
  readonly ids: readonly string[];
  readonly resolve: (admitted: number) => void;
  isOver: boolean;
}

/** A wait shorter than this would only be a busy one. */
const LEAST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 1_000;

export function createAdmission({ takeTokens, signal, log }: AdmissionOptions): Admission {
  const lines = new Map<ConsumedRegistration, Waiter[]>();

  /** Serves the first in line until there is none. */
  async function serve(registration: ConsumedRegistration, line: Waiter[]): Promise<void> {
    for (let first = line[0]; first !== undefined; first = line[0]) {
      const rate = registration.active.spec.flow?.rate ?? null;
      if (first.isOver || rate === null) {
        end(first, first.ids.length);
        line.shift();
        continue;
      }
      if (isTooOld(first)) {
        // It ends as expired, which takes no token.
        end(first, 1);
        line.shift();
        continue;
      }
      const { batch } = registration.trigger;
      const wanted = first.ids.length;
      const { taken, waitMs } = await takeTokens({ registrationId: registration.id, rate, wanted, least: batch });
      if (taken === 0) await pause(Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, waitMs)), signal);
      else {
        end(first, taken);
        line.shift();
      }
    }
    // At once: who comes next begins a line of their own.
    lines.delete(registration);
  }

  function failed(registration: ConsumedRegistration, line: readonly Waiter[], error: unknown): void {
    lines.delete(registration);
    if (!isLinkLost(error)) log.error({ err: error }, 'tokens of a rate could not be taken');
    for (const waiter of line) end(waiter, 0);
  }

  return {
    admit(lane, ids) {
      if (ids.length === 0) return Promise.resolve(0);
      const { promise, resolve } = Promise.withResolvers<number>();
      const waiter: Waiter = { lane, ids, resolve, isOver: false };
      const { registration } = lane;
      const known = lines.get(registration);
      if (known !== undefined) known.push(waiter);
      else {
        const line = [waiter];
        lines.set(registration, line);
        serve(registration, line).catch((error: unknown) => failed(registration, line, error));
      }
      return promise;
    },
    drop(lane) {
      for (const waiter of lines.get(lane.registration) ?? []) if (waiter.lane === lane) end(waiter, 0);
    },
  };
}

export function isRated({ registration }: Lane): boolean {
  return (registration.active.spec.flow?.rate ?? null) !== null;
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
    const admitted = await admission.admit(lane, waiting);
    letGo(lane, waiting);
    lane.queued -= waiting.length;
    if (admitted === 0) return;
    each(waiting.slice(0, admitted));
    at += admitted;
  }
}

function end(waiter: Waiter, admitted: number): void {
  if (waiter.isOver) return;
  waiter.isOver = true;
  waiter.resolve(admitted);
}

function isTooOld({ lane, ids }: Waiter): boolean {
  const { maxAgeMs } = lane.registration.trigger;
  return maxAgeMs !== null && timeOfId(ids[0] ?? '0-0') < Date.now() - maxAgeMs;
}
