import { decodeReply, defineScript, latin1FromUtf8, scanEntries } from '#functions';
import type { DeliveryOrigin } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';
import { type ClaimedBatch, createBatch } from './batch.ts';
import type { ConsumerLog } from './contracts.ts';
import type { Lane } from './lane.ts';
import type { RedisCalls } from './redis-calls.ts';

const CLAIM = defineScript('claim', new URL('./scripts/claim.lua', import.meta.url));

export interface ClaimRequest {
  readonly lane: Lane;
  /** Ascending. */
  readonly ids: readonly string[];
  /** Consumer the entries belong to afterwards; entries that are its already are claimed too. */
  readonly owner: string;
  /** Consumers they may be taken from. */
  readonly from: readonly string[];
  readonly origin: DeliveryOrigin;
  /** True: this delivery counts as an attempt. */
  readonly counts: boolean;
  /** Entries touched less long ago stay, ms. Default 0. */
  readonly minIdleMs?: number;
}

export interface PendingRow {
  readonly id: string;
  readonly idleMs: number;
}

export interface Claimer {
  /** What could be claimed of the ids, or null if nothing. Those whose entry has gone have ended as lost_to_trim. */
  claim(request: ClaimRequest): Promise<ClaimedBatch | null>;
  /** At most `count` pending entries of a consumer after an id (exclusive; '' = from the first). */
  pending(query: PendingQuery): Promise<readonly PendingRow[]>;
}

export interface PendingQuery {
  readonly lane: Lane;
  readonly consumer: string;
  readonly after: string;
  readonly count: number;
  /** Only entries idle for so long, ms. Default 0. */
  readonly minIdleMs?: number;
}

export interface ClaimerOptions {
  readonly calls: RedisCalls;
  readonly keys: SchedulerKeys;
  readonly deadLetterCap: number;
  readonly log: ConsumerLog;
}

/** Takes pending entries over: own ones, retries, those of dead nodes, those of queue jobs. */
export function createClaimer({ calls, keys, deadLetterCap, log }: ClaimerOptions): Claimer {
  async function claimNow(request: ClaimRequest): Promise<ClaimedBatch | null> {
    const { lane } = request;
    const { tag, stream, registration } = lane;
    const { group } = registration;
    const reply = await calls.script(
      CLAIM,
      [stream, keys.stats(tag, group), keys.dead(tag, group), keys.failures(tag, group)],
      claimArgs(request, deadLetterCap),
    );
    const begin = reply.indexOf('\r\n') + 2;
    const { ids, starts, end } = scanEntries(reply, begin);
    for (let i = 0; i < starts.length; i += 1) starts[i] = (starts[i] as number) - begin;
    const attempts = decodeReply(reply, end) as number[];
    const lost = Number(reply.slice(reply.lastIndexOf(':') + 1));
    if (lost > 0) log.warn({ registration: registration.id, stream, lost }, 'pending entries were trimmed away');
    if (ids.length === 0) return null;
    const payload = reply.slice(begin, end);
    return createBatch({
      registrationId: registration.id,
      stream,
      origin: request.origin,
      ids,
      payload,
      starts,
      attempts,
    });
  }

  return {
    async claim(request) {
      if (request.ids.length === 0) return null;
      const { claimed } = request.lane;
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const id of request.ids) claimed.set(id, promise);
      try {
        return await claimNow(request).catch(unlessGone);
      } finally {
        // The caller takes the batch in hand before anything else can look.
        setImmediate(() => {
          for (const id of request.ids) if (claimed.get(id) === promise) claimed.delete(id);
          resolve();
        });
      }
    },
    async pending({ lane, consumer, after, count, minIdleMs = 0 }) {
      const idle = minIdleMs > 0 ? ['IDLE', String(minIdleMs)] : [];
      const range = [after === '' ? '-' : `(${after}`, '+', String(count), consumer];
      const rows = await calls
        .call(['XPENDING', lane.stream, lane.registration.group, ...idle, ...range])
        .catch(unlessGone);
      return ((rows ?? []) as [string, string, number, number][]).map(([id, , idleMs]) => ({ id, idleMs }));
    },
  };
}

function claimArgs({ lane, ids, owner, from, counts, minIdleMs = 0 }: ClaimRequest, deadLetterCap: number): string[] {
  const { group, active } = lane.registration;
  return [
    ...[group, owner, from[0] ?? '', from[1] ?? '', String(minIdleMs), counts ? '1' : '0', String(deadLetterCap)],
    ...[lane.stream, group, latin1FromUtf8(active.functionName), String(active.version), String(Date.now())],
    ...ids,
  ];
}

/** Without stream or group nothing is pending. */
function unlessGone(error: unknown): null {
  if (error instanceof Error && /^(NOGROUP|WRONGTYPE)/.test(error.message)) return null;
  throw error;
}
