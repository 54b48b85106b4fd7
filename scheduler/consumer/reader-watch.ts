import type { DeliverySettings } from '../settings.ts';
import type { Lane } from './lane.ts';
import { countFor, wantsRead } from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';

/** How the reading goes on this node. */
export interface ReaderState {
  /** Streams that should be read here and have not been for too long, as texts for the log. */
  readonly silent: readonly string[];
}

/** Scans that may be late before their lanes count as not read. */
const LATE_SCANS = 5;

/** Of the time after which a lane is silent: what was read within it needs no look. */
const FRESH_SHARE = 4;

/** Notes which lanes need no read now; to be called every second. */
export function noteIdleReaders(registrations: Iterable<ConsumedRegistration>, settings: DeliverySettings): void {
  const nowMs = performance.now();
  const freshSinceMs = nowMs - silentAfterMs(settings) / FRESH_SHARE;
  for (const { lanes } of registrations) {
    for (const lane of lanes.values()) {
      if (lane.lastReadAtMs < freshSinceMs && !isWanted(lane, settings)) lane.lastReadAtMs = nowMs;
    }
  }
}

/**
 * A reader that has stopped reading looks like an idle one from outside, while its streams grow. Every lane that may be read is read
 * at least once per scan, or waited for; one that is not for much longer is silent.
 */
export function readerState(registrations: Iterable<ConsumedRegistration>, settings: DeliverySettings): ReaderState {
  const sinceMs = performance.now() - silentAfterMs(settings);
  const silent: string[] = [];
  for (const { id, lanes } of registrations) {
    for (const lane of lanes.values()) {
      if (lane.lastReadAtMs < sinceMs && isWanted(lane, settings)) silent.push(`${id} on ${lane.stream}`);
    }
  }
  return { silent };
}

function silentAfterMs({ blockMs, readMarginMs, scanIntervalMs }: DeliverySettings): number {
  return 2 * (blockMs + readMarginMs) + LATE_SCANS * scanIntervalMs;
}

/** True when a read is under way, is about to be made possible, or may begin with room for what it brings. */
function isWanted(lane: Lane, { readCount }: DeliverySettings): boolean {
  const { registration, state, reading } = lane;
  if (!registration.running) return false;
  if (state === 'opening' || reading > 0) return true;
  return wantsRead(lane) && countFor(registration, readCount) > 0;
}
