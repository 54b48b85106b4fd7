import { encodeBulk, encodeCommand, PlatformError, type StreamBatch } from '#functions';
import { createBatch } from './batch.ts';
import type { ConsumerLog } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
import { isLinkLost } from './redis-calls.ts';
import { type ConsumedRegistration, capOf, deliveryModeOf, roomOf } from './registration.ts';

/** What the readers report. */
export interface ReadSink {
  /** New entries of a lane. */
  readonly onEntries: (lane: Lane, batch: ReturnType<typeof createBatch>) => void;
  /** The lane's stream or group is not what it was; it has to be opened again. */
  readonly onBroken: (lane: Lane) => void;
  /** A read was cut: entries may be pending under our name that nobody here knows of. */
  readonly onCut: (lane: Lane) => void;
  readonly log: ConsumerLog;
}

/** Streams read by one command, and how many entries of each at most. */
export interface ReadRequest {
  readonly lanes: readonly Lane[];
  readonly consumer: string;
  readonly count: number;
  /** Left out = do not wait. */
  readonly blockMs?: number;
}

/** Text of one read, about. */
const READ_BYTES = 16 * 1024 * 1024;
/** Text of the entries of a registration that are in hand, about. */
const HELD_BYTES = 128 * 1024 * 1024;
/** Entries of a read before any size is known. */
const FIRST_READ = 100;

export function encodeRead({ lanes, consumer, count, blockMs }: ReadRequest): string {
  const { group } = (lanes[0] as Lane).registration;
  const block = blockMs === undefined ? [] : ['BLOCK', String(blockMs)];
  const head = ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(count), ...block, 'STREAMS'];
  if (lanes.length === 1) return encodeCommand([...head, (lanes[0] as Lane).stream, '>']);
  let text = `*${head.length + 2 * lanes.length}\r\n`;
  for (const arg of head) text += encodeBulk(arg);
  for (const lane of lanes) text += encodeBulk(lane.stream);
  return text + '$1\r\n>\r\n'.repeat(lanes.length);
}

/** Marks lanes as being read, so that nothing else reads them and nobody thinks them idle. */
export function beginRead(lanes: readonly Lane[], count: number): void {
  const { registration } = lanes[0] as Lane;
  registration.reserved += count;
  for (const lane of lanes) lane.reading += 1;
}

export function endRead(lanes: readonly Lane[], count: number): void {
  const { registration } = lanes[0] as Lane;
  registration.reserved -= count;
  for (const lane of lanes) lane.reading -= 1;
}

/** Gives each lane its entries out of one reply. Returns how many there were. */
export function absorb(request: ReadRequest, streams: readonly StreamBatch[], sink: ReadSink): number {
  const { lanes, count } = request;
  const { registration } = lanes[0] as Lane;
  let entries = 0;
  const nowMs = performance.now();
  for (const lane of lanes) {
    lane.more = false;
    lane.lastReadAtMs = nowMs;
  }
  for (const { key, text: payload, ids, starts } of streams) {
    const lane = registration.lanes.get(key);
    if (lane === undefined || ids.length === 0) continue;
    entries += ids.length;
    noteSize(registration, payload.length / ids.length);
    lane.more = ids.length >= count;
    const stream = { registrationId: registration.id, stream: key };
    sink.onEntries(lane, createBatch({ ...stream, origin: 'new', ids, payload, starts }));
  }
  return entries;
}

/** What a read that failed means for its lanes. */
export function rejectRead({ lanes }: ReadRequest, error: unknown, sink: ReadSink): void {
  const cut = isLinkLost(error);
  if (!cut && !(error instanceof PlatformError && error.code === 'REDIS_REPLY')) {
    sink.log.error({ err: error, stream: lanes[0]?.stream }, 'a read failed');
  }
  for (const lane of lanes) (cut ? sink.onCut : sink.onBroken)(lane);
}

/** True when new entries of the lane may be read now, room aside. */
export function wantsRead(lane: Lane): boolean {
  if (lane.state !== 'ready' || lane.yielding || !lane.registration.running) return false;
  const mode = modeOf(lane);
  if (mode === 'sync') return lane.holdsLease && !lane.parked && lane.backlog.length === 0 && lane.reading === 0;
  if (mode === 'async') return lane.queued < queueWindowOf(lane.registration);
  return true;
}

/** Mode `async`: entries of one lane that may be in the queue. */
export function queueWindowOf(registration: ConsumedRegistration): number {
  return capOf(registration) * 2;
}

/** Large entries are noticed at once, and forgotten over some reads. */
function noteSize(registration: ConsumedRegistration, bytes: number): void {
  registration.entryBytes = Math.max(bytes, registration.entryBytes / 2);
}

/**
 * Entries to ask for: whole batches, as many as there is room for; 0 when there is too little room to be worth a read. Of large
 * entries only some megabytes, for what is on its way has to be held; and a first read does not know how large they are.
 */
export function countFor(registration: ConsumedRegistration, readCount: number): number {
  const { batch } = registration.trigger;
  const { entryBytes } = registration;
  const most = entryBytes === 0 ? FIRST_READ : READ_BYTES / entryBytes;
  const wanted = Math.max(batch, Math.floor(Math.min(readCount, most) / batch) * batch);
  if (deliveryModeOf(registration.active.spec) === 'async') return wanted;
  const cap = Math.min(capOf(registration), Math.max(2 * batch, Math.floor(HELD_BYTES / Math.max(1, entryBytes))));
  const room = Math.min(roomOf(registration), cap - registration.load - registration.reserved);
  const least = Math.max(Math.min(batch, cap), Math.min(wanted, Math.floor(cap / 4)));
  return room < least ? 0 : Math.min(wanted, room);
}
