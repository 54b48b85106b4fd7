import type { ConsumerLog, NodeIdentity } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
import type { ConsumerParts } from './parts.ts';
import { type ConsumedRegistration, deliveryModeOf } from './registration.ts';

export interface LapseWatchOptions {
  readonly parts: Pick<ConsumerParts, 'dispatcher' | 'lanes' | 'reader'>;
  readonly registrations: () => Iterable<ConsumedRegistration>;
  readonly node: NodeIdentity;
  readonly log: ConsumerLog;
}

/** Thousands of lanes may be idle. */
const PUMP_MS = 1_000;

/**
 * Mode `sync`: a node that could not show for a while that it lives (suspended, or cut off) may have lost its streams to
 * others without knowing. What it has in hand of them is interrupted and stays pending; the lanes are opened anew, lease
 * first, once the node may act again. Returns the look, to be called every few milliseconds: before anything else after
 * a suspension, since timers that are due come before what has arrived meanwhile has been worked off. It answers whether
 * there may be streams to lose; while there are none, no look is needed until a registration begins to run.
 */
export function createLapseWatch({ parts, registrations, node, log }: LapseWatchOptions): () => boolean {
  const doubted = new Set<Lane>();
  let nextPumpMs = 0;
  let mayLose = true;

  function interrupt(lane: Lane): void {
    for (const run of lane.runs) run.controller.abort();
    parts.dispatcher.dropLane(lane);
  }

  /** A read that still waits would be given entries that belong to the next owner. */
  function endReads(lanes: readonly Lane[]): void {
    parts.reader.detach(lanes).catch((error: unknown) => log.debug({ err: error }, 'reads could not be ended'));
  }

  function doubtAll(): void {
    const lapsed: Lane[] = [];
    for (const { lanes } of registrations()) {
      for (const lane of lanes.values()) {
        if (modeOf(lane) !== 'sync' || !lane.holdsLease) continue;
        lane.holdsLease = false;
        lapsed.push(lane);
        doubted.add(lane);
        interrupt(lane);
      }
    }
    if (lapsed.length > 0) endReads(lapsed);
  }

  function pumpAll(): void {
    mayLose = false;
    for (const registration of registrations()) {
      if (deliveryModeOf(registration.active.spec) !== 'sync') continue;
      // One that has stopped may have work under way still.
      mayLose = true;
      if (registration.running) pumpWaiting(registration, parts.dispatcher);
    }
  }

  return () => {
    if (!node.mayAct()) {
      nextPumpMs = 0;
      doubtAll();
      return true;
    }
    for (const lane of doubted) {
      // Whatever a run leaves to be done again belongs to whoever has the lease.
      interrupt(lane);
      if (lane.runs.size > 0 || lane.starting) continue;
      doubted.delete(lane);
      parts.lanes.open(lane);
    }
    // After every lapse that was seen; a shorter one may not have been.
    const nowMs = performance.now();
    if (nowMs >= nextPumpMs) {
      pumpAll();
      nextPumpMs = mayLose ? nowMs + PUMP_MS : 0;
    }
    return mayLose || doubted.size > 0;
  };
}

/** A batch whose turn came just when the node might not act would wait for ever. */
function pumpWaiting({ lanes }: ConsumedRegistration, dispatcher: ConsumerParts['dispatcher']): void {
  for (const lane of lanes.values()) {
    if (lane.holdsLease && lane.runs.size === 0 && lane.backlog.length > 0) dispatcher.pump(lane);
  }
}
