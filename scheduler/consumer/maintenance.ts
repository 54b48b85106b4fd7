import { defineScript } from '#functions';
import type { DeliverySettings } from '../settings.ts';
import type { ConsumerLog, LeaseTable, NodeIdentity } from './contracts.ts';
import { isIdle, type Lane, modeOf, workName } from './lane.ts';
import { createLapseWatch } from './lapses.ts';
import type { ConsumerParts } from './parts.ts';
import { noteIdleReaders } from './reader-watch.ts';
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

/** Done to every lane that is ready and due. Thousands of lanes may be idle: nothing is awaited for those. */
interface Chore {
  readonly mode?: string;
  isDue(lane: Lane): boolean;
  work(lane: Lane): Promise<void>;
}

const LAPSE_WATCH_MS = 25;
const CALM_LAPSE_WATCH_MS = 250;
const LOOK_MS = 50;
const SHARE_LEASES_MS = 1_000;
const STRAYS_MS = 30_000;
const READERS_MS = 1_000;

/** What has to be done now and then. Returns what ends it. */
export function startMaintenance(options: MaintenanceOptions): { close(): void } {
  const { settings, parts, takeover, log } = options;
  const forEach = async ({ mode, isDue, work }: Chore): Promise<void> => {
    for (const { running, active, lanes } of options.registrations()) {
      if (!running || (mode !== undefined && deliveryModeOf(active.spec) !== mode)) continue;
      for (const lane of lanes.values()) if (lane.state === 'ready' && isDue(lane)) await work(lane);
    }
  };
  const timers = [
    setInterval(() => noteIdleReaders(options.registrations(), settings), READERS_MS),
    every(settings.renewAfterMs / 4, () => forEach({ isDue: isWorking, work: (lane) => renew(lane, options) })),
    every(LOOK_MS, () => parts.bridge.refresh()),
    every(settings.queueVisibilityMs / 2, () =>
      forEach({ mode: 'async', isDue: () => true, work: (lane) => parts.bridge.findLost(lane) }),
    ),
    setInterval(() => openDoubted(options), LOOK_MS),
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

  const lapses = watchLapses(createLapseWatch(options));

  return {
    close() {
      lapses.close();
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** Looks often only while there are streams to lose. */
function watchLapses(look: () => boolean): { close(): void } {
  const again = (): NodeJS.Timeout =>
    setTimeout(
      () => {
        timer = again();
      },
      look() ? LAPSE_WATCH_MS : CALM_LAPSE_WATCH_MS,
    );
  let timer = again();
  return { close: () => clearTimeout(timer) };
}

/** What was given to a connection after it had been given up can be taken up when there is no doubt any more. */
function openDoubted({ registrations, parts }: MaintenanceOptions): void {
  for (const { running, doubted } of registrations()) {
    if (!running || doubted.size === 0) continue;
    for (const lane of doubted) {
      if (lane.unsureUntilMs === 0 || lane.state === 'closed') doubted.delete(lane);
      else if (lane.state === 'ready' && performance.now() >= lane.unsureUntilMs) parts.lanes.open(lane);
    }
  }
}

function isWorking({ runs }: Lane): boolean {
  return runs.size > 0;
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
    if (!registration.running || deliveryModeOf(registration.active.spec) !== 'sync') continue;
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
