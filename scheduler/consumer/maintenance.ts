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
const LOOK_MS = 50;
const SHARE_LEASES_MS = 1_000;
const STRAYS_MS = 30_000;
const READERS_MS = 1_000;

export interface Upkeep {
  /** A registration begins to run: there may be streams to lose. */
  wake(): void;
  close(): void;
}

/** What has to be done now and then, until it is closed. */
export function startMaintenance(options: MaintenanceOptions): Upkeep {
  const { settings, parts, takeover, log } = options;
  const forEach = (chore: Chore): Promise<void> => workThrough(options.registrations(), chore);
  const every = (periodMs: number, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(neverTwice(work, log), periodMs);
  const refresh = neverTwice(() => parts.bridge.refresh(), log);
  const timers = [
    setInterval(() => noteIdleReaders(options.registrations(), settings), READERS_MS),
    every(settings.renewAfterMs / 4, () => forEach({ isDue: isWorking, work: (lane) => renew(lane, options) })),
    setInterval(() => {
      openDoubted(parts);
      refresh();
    }, LOOK_MS),
    every(settings.queueVisibilityMs / 2, () =>
      forEach({ mode: 'async', isDue: () => true, work: (lane) => parts.bridge.findLost(lane) }),
    ),
    every(SHARE_LEASES_MS, () => shareLeases(options)),
    every(STRAYS_MS, takeover.findStrays),
  ];
  const lapses = watchLapses(createLapseWatch(options));

  return {
    wake: () => lapses.wake(),
    close() {
      lapses.close();
      for (const timer of timers) clearInterval(timer);
    },
  };
}

async function workThrough(registrations: Iterable<ConsumedRegistration>, { mode, isDue, work }: Chore): Promise<void> {
  for (const { running, active, lanes } of registrations) {
    if (!running || (mode !== undefined && deliveryModeOf(active.spec) !== mode)) continue;
    for (const lane of lanes.values()) if (lane.state === 'ready' && isDue(lane)) await work(lane);
  }
}

/** Begins the work unless the round before is still under way, however long one takes. */
function neverTwice(work: () => Promise<void>, log: ConsumerLog): () => void {
  let busy = false;
  return () => {
    if (busy) return;
    busy = true;
    work()
      .catch((error: unknown) => {
        if (!isLinkLost(error)) log.warn({ err: error }, 'upkeep of the streams failed');
      })
      .finally(() => {
        busy = false;
      });
  };
}

/** Looks only while there are streams to lose. */
function watchLapses(look: () => boolean): Upkeep {
  let timer: NodeJS.Timeout | null = null;
  function again(): void {
    timer = look() ? setTimeout(again, LAPSE_WATCH_MS) : null;
  }
  return {
    wake() {
      timer ??= setTimeout(again, LAPSE_WATCH_MS);
    },
    close: () => clearTimeout(timer ?? undefined),
  };
}

/** What was given to a connection after it had been given up can be taken up when there is no doubt any more. */
function openDoubted({ lanes, doubted }: ConsumerParts): void {
  for (const lane of doubted) {
    if (lane.unsureUntilMs === 0 || lane.state === 'closed') doubted.delete(lane);
    else if (!lane.registration.running || lane.state !== 'ready') continue;
    else if (performance.now() >= lane.unsureUntilMs) lanes.open(lane);
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
