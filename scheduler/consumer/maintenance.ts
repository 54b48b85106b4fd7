import { defineScript } from '#functions';
import type { DeliverySettings } from '../settings.ts';
import type { ConsumerLog, LeaseTable, NodeIdentity } from './contracts.ts';
import { isIdle, type Lane, modeOf, workName } from './lane.ts';
import { createLapseWatch } from './lapses.ts';
import type { ConsumerParts } from './parts.ts';
import { isLinkLost } from './redis-calls.ts';
import { type ConsumedRegistration, deliveryModeOf } from './registration.ts';
import type { Takeover } from './takeover.ts';

const RENEW = defineScript('renew', new URL('./scripts/renew.lua', import.meta.url));

export interface MaintenanceOptions {
  readonly parts: ConsumerParts;
  readonly registrations: () => Iterable<ConsumedRegistration>;
  readonly takeover: Takeover;
  readonly node: NodeIdentity;
  readonly leases: LeaseTable;
  readonly settings: DeliverySettings;
  readonly log: ConsumerLog;
}

const LAPSE_WATCH_MS = 25;
const QUEUE_REFRESH_MS = 50;
const DOUBTS_MS = 100;
const SHARE_LEASES_MS = 1_000;
const STRAYS_MS = 30_000;

/** What has to be done now and then. Returns what ends it. */
export function startMaintenance(options: MaintenanceOptions): { close(): void } {
  const { settings, parts, takeover, log } = options;
  const lanes = function* (mode?: string): Generator<Lane> {
    for (const registration of options.registrations()) {
      const { spec } = registration.active;
      if (!registration.running || (mode !== undefined && deliveryModeOf(spec) !== mode)) continue;
      yield* registration.lanes.values();
    }
  };
  const forEach = async (mode: string | undefined, work: (lane: Lane) => Promise<void>): Promise<void> => {
    for (const lane of lanes(mode)) if (lane.state === 'ready') await work(lane);
  };
  const timers = [
    setInterval(createLapseWatch(options), LAPSE_WATCH_MS),
    every(settings.renewAfterMs / 4, () => forEach(undefined, (lane) => renew(lane, options))),
    every(QUEUE_REFRESH_MS, () => forEach('async', parts.bridge.refresh)),
    every(settings.queueVisibilityMs / 2, () => forEach('async', parts.bridge.findLost)),
    every(DOUBTS_MS, () => forEach(undefined, (lane) => lookAgain(lane, options))),
    every(SHARE_LEASES_MS, () => shareLeases(options)),
    every(STRAYS_MS, takeover.findStrays),
  ];

  /** Never two rounds at once, however long one takes. */
  function every(periodMs: number, work: () => Promise<void>): NodeJS.Timeout {
    let busy = false;
    return setInterval(() => {
      if (busy) return;
      busy = true;
      work()
        .catch((error: unknown) => {
          if (!isLinkLost(error)) log.warn({ err: error }, 'upkeep of the streams failed');
        })
        .finally(() => {
          busy = false;
        });
    }, periodMs);
  }

  return {
    close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** Takes up what was given to a connection after it had been given up. */
async function lookAgain(lane: Lane, { parts }: MaintenanceOptions): Promise<void> {
  if (lane.unsureUntilMs > 0 && performance.now() >= lane.unsureUntilMs) parts.lanes.open(lane);
}

/** Slow work keeps its claim. */
async function renew(lane: Lane, { node, settings, parts }: MaintenanceOptions): Promise<void> {
  const nowMs = Date.now();
  for (const run of lane.runs) {
    if (nowMs - run.renewedAtMs < settings.renewAfterMs || !node.mayAct()) continue;
    run.renewedAtMs = nowMs;
    const owner = modeOf(lane) === 'async' ? workName(node.consumer()) : node.consumer();
    await parts.calls.script(RENEW, [lane.stream], [lane.registration.group, owner, ...run.batch.ids]);
  }
}

/** Mode `sync`: gives back more streams than this node's share. */
async function shareLeases({ registrations, parts, leases }: MaintenanceOptions): Promise<void> {
  for (const registration of registrations()) {
    if (!registration.running || registration.active.spec.mode !== 'sync') continue;
    const held = [...registration.lanes.values()].filter((lane) => lane.holdsLease && lane.state === 'ready');
    const surplus = new Set(
      await leases.surplus(
        registration.id,
        held.map(({ stream }) => stream),
        registration.lanes.size,
      ),
    );
    for (const lane of held) {
      if (surplus.has(lane.stream)) lane.yielding = true;
      if (lane.yielding) await yieldLane(lane, { parts, leases });
    }
  }
}

/** Only a stream of which nothing is pending, nor may be soon, changes hands, so that the next node begins with what is new. */
async function yieldLane(lane: Lane, { parts, leases }: Pick<MaintenanceOptions, 'parts' | 'leases'>): Promise<void> {
  await parts.reader.detach([lane]);
  if (isIdle(lane) && lane.state === 'ready' && lane.unsureUntilMs === 0) {
    lane.state = 'leaseless';
    lane.holdsLease = false;
    lane.yielding = false;
    await leases.release(lane.registration.id, lane.stream);
  }
}
