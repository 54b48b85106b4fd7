import type { DeliverySettings } from '../settings.ts';
import type { Lane } from './lane.ts';
import { countFor, wantsRead } from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';

/** How the reading goes on this node. */
export interface ReaderState {
  /** Streams that are read here. */
  readonly lanes: number;
  /** Those that should be read and have not been for too long, as texts for the log. */
  readonly silent: readonly string[];
}

/** Scans that may be late before their lanes count as not read. */
const LATE_SCANS = 5;

/** Notes which lanes need no read now; to be called every second. */
export function noteIdleReaders(registrations: Iterable<ConsumedRegistration>, settings: DeliverySettings): void {
  const nowMs = performance.now();
  for (const lane of lanesOf(registrations)) if (!isWanted(lane, settings)) lane.lastReadAtMs = nowMs;
}

/**
 * A reader that has stopped reading looks like an idle one from outside, while its streams grow. Every lane that may be read is read
 * at least once per scan, or waited for; one that is not for much longer is silent.
 */
export function readerState(registrations: Iterable<ConsumedRegistration>, settings: DeliverySettings): ReaderState {
  const { blockMs, readMarginMs, scanIntervalMs } = settings;
  const sinceMs = performance.now() - (2 * (blockMs + readMarginMs) + LATE_SCANS * scanIntervalMs);
  const lanes = lanesOf(registrations).filter((lane) => isWanted(lane, settings));
  const silent = lanes.filter(({ lastReadAtMs }) => lastReadAtMs < sinceMs);
  return { lanes: lanes.length, silent: silent.map(({ registration, stream }) => `${registration.id} on ${stream}`) };
}

/** True when a read is under way, is about to be made possible, or may begin with room for what it brings. */
function isWanted(lane: Lane, { readCount }: DeliverySettings): boolean {
  const { registration, state, reading } = lane;
  if (!registration.running) return false;
  if (state === 'opening' || reading > 0) return true;
  return wantsRead(lane) && countFor(registration, readCount) > 0;
}

function lanesOf(registrations: Iterable<ConsumedRegistration>): readonly Lane[] {
  return [...registrations].flatMap((registration) => [...registration.lanes.values()]);
}
