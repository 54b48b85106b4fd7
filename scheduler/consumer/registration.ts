import type {
  ActiveRegistration,
  DeliveryMode,
  LoadableVersion,
  RegistrationSpec,
  StreamTriggerSpec,
} from '#functions';
import { latin1FromUtf8 } from '#functions';
import { type EventFilter, eventFilterOf } from './event-filter.ts';
import type { Lane } from './lane.ts';
import type { StreamSource } from './stream-source.ts';

/** Entries waiting for a retry may be so many times what may be in work. */
const WAITING_FACTOR = 10;

/** A stream registration as this node consumes it. Made when it appears, kept while it exists. */
export interface ConsumedRegistration {
  readonly id: string;
  /** Name of the consumer group: the id as latin1 bytes. */
  readonly group: string;
  active: ActiveRegistration;
  trigger: StreamTriggerSpec;
  /** What entries have to match to run; null = nothing. */
  filter: EventFilter | null;
  /** Stream name, or its begin when `isPrefix`; latin1. */
  readonly pattern: string;
  readonly isPrefix: boolean;
  /** Streams known by name, latin1. */
  streams: readonly string[];
  /** True while events are taken up. */
  running: boolean;
  /** Entries that were read and neither ended nor wait for a retry; parked lanes excluded. */
  load: number;
  /** Entries that reads under way may bring. */
  reserved: number;
  /** Text of one entry, as of late; 0 = not known yet. */
  entryBytes: number;
  /** Entries that wait for a retry. */
  waiting: number;
  /** Entries in the sandbox. */
  inWork: number;
  /** Batches in hand that start when less is in work. */
  overflow: { readonly entries: number; readonly run: () => void; readonly drop: () => void }[];
  readonly lanes: Map<string, Lane>;
  /** Lanes of all registrations of which something may be pending that nobody here knows of, see `Lane.unsureUntilMs`. */
  readonly doubted: Set<Lane>;
  /** By version. */
  readonly targets: Map<number, LoadableVersion>;
}

export function createConsumedRegistration(
  active: ActiveRegistration,
  { trigger, pattern, isPrefix, streams }: StreamSource,
  doubted: Set<Lane>,
): ConsumedRegistration {
  return {
    id: active.spec.id,
    group: latin1FromUtf8(active.spec.id),
    active,
    trigger,
    filter: entryFilterOf(active),
    pattern,
    isPrefix,
    streams,
    running: false,
    load: 0,
    reserved: 0,
    entryBytes: 0,
    waiting: 0,
    inWork: 0,
    overflow: [],
    lanes: new Map(),
    doubted,
    targets: new Map(),
  };
}

/** Events of keys are compared before they are written down, see `KeysTable`. */
export function entryFilterOf({ spec }: ActiveRegistration): EventFilter | null {
  return spec.trigger.kind === 'keys' ? null : eventFilterOf(spec);
}

/** True when order is kept per key, see `FlowControl`. */
export function isKeyed({ active }: ConsumedRegistration): boolean {
  return active.spec.flow?.keyed === true;
}

/**
 * How its events are delivered. With a `key` those of a stream are read by one node, whatever the mode: who keeps the order of a key
 * has to see all of it. With `concurrency` those of mode `async` run on the node that reads them, whichever that is: a job
 * that waits for a permit would hold one of the few places of the queue's workers.
 */
export function deliveryModeOf({ mode, flow, trigger }: RegistrationSpec): DeliveryMode {
  if (flow?.keyed === true && trigger.kind !== 'command') return 'sync';
  return mode === 'async' && (flow?.concurrency ?? null) !== null ? 'async_local' : mode;
}

/** Executions at once in the fleet; null = no permits are needed. */
export function permitsOf({ active }: ConsumedRegistration): number | null {
  return active.spec.flow?.concurrency ?? null;
}

/** Entries that one run may hold: those of a registration with keys may all be in work at once. */
export function runSizeOf(registration: ConsumedRegistration): number {
  if (!isKeyed(registration)) return Number.POSITIVE_INFINITY;
  const limits = registration.targets.get(registration.active.version)?.limits;
  return Math.min(registration.trigger.maxInFlight, limits?.concurrency ?? 1);
}

/**
 * Most entries of the registration that may be in hand at once: what the function asks for, what its version allows, and no
 * more than a bucket of its rate, or twice its permits, so that what has to wait stays in the stream for whoever has some.
 */
export function capOf(registration: ConsumedRegistration): number {
  const { batch, maxInFlight } = registration.trigger;
  const concurrency = registration.targets.get(registration.active.version)?.limits.concurrency;
  const allowed = concurrency === undefined ? maxInFlight : Math.min(maxInFlight, concurrency * batch);
  const tokens = registration.active.spec.flow?.rate?.count ?? Number.POSITIVE_INFINITY;
  const permitted = inHandOf(registration.active.spec, batch);
  return Math.max(Math.min(allowed, tokens, permitted), batch);
}

/** Entries that a node with all permits can make use of: those in work, and as many that begin when these end. */
export function inHandOf({ flow }: RegistrationSpec, batch: number): number {
  return 2 * (flow?.concurrency ?? Number.POSITIVE_INFINITY) * batch;
}

/** Entries that may still be read. */
export function roomOf(registration: ConsumedRegistration): number {
  const cap = capOf(registration);
  if (registration.waiting >= cap * WAITING_FACTOR) return 0;
  return cap - registration.load - registration.reserved;
}

/** True when a key, latin1, is one of the registration's streams. */
export function matchesStream(registration: ConsumedRegistration, key: string): boolean {
  return registration.isPrefix ? key.startsWith(registration.pattern) : registration.streams.includes(key);
}
