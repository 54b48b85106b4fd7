import type { NodeIdentity } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
import type { ConsumerParts } from './parts.ts';
import type { ConsumedRegistration } from './registration.ts';

export interface LapseWatchOptions {
  readonly parts: Pick<ConsumerParts, 'dispatcher' | 'lanes'>;
  readonly registrations: () => Iterable<ConsumedRegistration>;
  readonly node: NodeIdentity;
}

/**
 * Mode `sync`: a node that could not show for a while that it lives (suspended, or cut off) may have lost its streams to
 * others without knowing. What it has in hand of them is interrupted and stays pending; the lanes are opened anew, lease
 * first, once the node may act again. Returns the look, to be called every few milliseconds: before anything else after
 * a suspension, since timers that are due come before what has arrived meanwhile has been worked off.
 */
export function createLapseWatch({ parts, registrations, node }: LapseWatchOptions): () => void {
  const doubted = new Set<Lane>();

  function interrupt(lane: Lane): void {
    for (const run of lane.runs) run.controller.abort();
    parts.dispatcher.dropLane(lane);
  }

  function doubtAll(): void {
    for (const { lanes } of registrations()) {
      for (const lane of lanes.values()) {
        if (modeOf(lane) !== 'sync' || !lane.holdsLease) continue;
        lane.holdsLease = false;
        doubted.add(lane);
        interrupt(lane);
      }
    }
  }

  return () => {
    if (!node.mayAct()) {
      doubtAll();
      return;
    }
    for (const lane of doubted) {
      // Whatever a run leaves to be done again belongs to whoever has the lease.
      interrupt(lane);
      if (lane.runs.size > 0 || lane.starting) continue;
      doubted.delete(lane);
      parts.lanes.open(lane);
    }
  };
}
