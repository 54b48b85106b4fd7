import { defineScript, type RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import { chooseSurplus } from './fair-share.ts';
import type { Fleet, StreamLeases } from './fleet.ts';

export interface StreamLeasesOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  /** For how long the set of live nodes must have been the same before streams are given back, ms. Default 3000. */
  readonly settleMs?: number;
  /** Default `performance.now`. */
  readonly nowMs?: () => number;
}

/** Leases of streams for mode `sync`, see `StreamLeases`. */
export function createStreamLeases(options: StreamLeasesOptions): StreamLeases {
  const { access, keys, fleet, settleMs = 3_000, nowMs = () => performance.now() } = options;
  const acquireScript = defineScript('acquire-lease', new URL('./scripts/acquire-lease.lua', import.meta.url));
  const releaseScript = defineScript('release-lease', new URL('./scripts/release-lease.lua', import.meta.url));
  /** Streams given back as surplus → until when this node leaves them to the others. */
  const givenBack = new Map<string, number>();
  const membership = createMembership(fleet, nowMs);

  const holder = (): string => `${fleet.self.consumer}:${fleet.self.token}`;
  const leaseKey = (registrationId: string, stream: string): string => keys.lease(access.tagOf(stream), registrationId);

  async function attempt(registrationId: string, stream: string, formerOwner: string): Promise<string> {
    const args = [field(stream), holder(), formerOwner];
    return String(await acquireScript.run(access.client, [leaseKey(registrationId, stream)], args));
  }

  /** What we last saw of the others may be older than the lease: only a fresh round proves that an owner is gone. */
  async function isGone(owner: string): Promise<boolean> {
    const [consumer = '', token] = owner.split(':');
    if (fleet.isAlive(consumer, token)) return false;
    await fleet.refresh();
    return !fleet.isAlive(consumer, token);
  }

  return {
    get holder() {
      return holder();
    },
    async acquire(registrationId, stream) {
      if (!fleet.holdsSlot()) return false;
      if (isCoolingDown(givenBack, cooldownKey(registrationId, stream), nowMs())) {
        if (fleet.consumers().length > 1) return false;
        givenBack.delete(cooldownKey(registrationId, stream));
      }
      const owner = await attempt(registrationId, stream, '');
      const taken = owner === '' || ((await isGone(owner)) && (await attempt(registrationId, stream, owner)) === '');
      return taken && fleet.holdsSlot();
    },
    async release(registrationId, stream) {
      await releaseScript.run(access.client, [leaseKey(registrationId, stream)], [field(stream), holder()]);
    },
    async surplus(registrationId, held, known) {
      if (membership.stableForMs() < settleMs) return [];
      const request = { registrationId, held, known, self: fleet.self.consumer, consumers: fleet.consumers() };
      const surplus = chooseSurplus(request);
      const until = nowMs() + 2 * settleMs;
      for (const stream of surplus) givenBack.set(cooldownKey(registrationId, stream), until);
      return surplus;
    },
  };
}

/** Stream keys are latin1 text of bytes; the settle script, which compares the field, sends the same bytes. */
function field(stream: string): Buffer {
  return Buffer.from(stream, 'latin1');
}

function cooldownKey(registrationId: string, stream: string): string {
  return `${registrationId}\n${stream}`;
}

function isCoolingDown(givenBack: Map<string, number>, key: string, now: number): boolean {
  const until = givenBack.get(key);
  if (until === undefined) return false;
  if (now < until) return true;
  givenBack.delete(key);
  return false;
}

/** How long the set of live nodes has been what it is. */
function createMembership(fleet: Fleet, nowMs: () => number): { stableForMs(): number } {
  let seen = '';
  let since = nowMs();
  return {
    stableForMs() {
      const now = fleet.consumers().join(' ');
      if (now !== seen) {
        seen = now;
        since = nowMs();
      }
      return nowMs() - since;
    },
  };
}
