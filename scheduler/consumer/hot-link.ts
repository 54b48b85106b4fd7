import { decodeReply, encodeCommand, type RawLink } from '#functions';
import type { NodeIdentity } from './contracts.ts';
import { type Lane, modeOf } from './lane.ts';
import {
  absorb,
  beginRead,
  countFor,
  encodeRead,
  endRead,
  type ReadRequest,
  type ReadSink,
  rejectRead,
  wantsRead,
} from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';

/** Lanes of one registration that one command can read. */
export interface Track {
  readonly registration: ConsumedRegistration;
  readonly lanes: Set<Lane>;
  /** Recent entries, halved every second: who deserves a connection. */
  score: number;
  hot: HotLink | null;
}

/** A blocking connection: an idle registration waits in Redis itself, a busy one always has its next read under way. */
export interface HotLink extends AsyncDisposable {
  track: Track | null;
  /** Reads under way. */
  readonly reading: number;
  /** Starts as many reads as make sense now. */
  pump(): void;
  /** Ends the wait of the present read, so that the next one can be another. */
  unblock(): void;
  reset(): void;
  watch(nowMs: number): void;
}

export interface HotLinkOptions {
  readonly link: RawLink;
  readonly node: NodeIdentity;
  readonly readCount: number;
  readonly readsInFlight: number;
  readonly blockMs: number;
  readonly readMarginMs: number;
  readonly sink: ReadSink;
  readonly wake: (clientId: number) => void;
}

/** Of so many reads one is for all lanes, the others for those that had more to give. */
const TURNS = 4;
const SLOT_POLL_MS = 50;

export function createHotLink(options: HotLinkOptions): HotLink {
  const { link, node, sink } = options;
  let clientId = 0;
  let reading = 0;
  let headSinceMs = 0;
  let turn = 0;
  let closed = false;
  let waitingForSlot = false;

  const forgetReady = link.onReady(() => {
    clientId = 0;
    headSinceMs = performance.now();
    link.send(encodeCommand(['CLIENT', 'ID']), 1).then(
      (reply) => {
        const id = decodeReply(reply);
        if (typeof id === 'number') clientId = id;
      },
      () => undefined, // The connection is gone again; its next one has another id.
    );
  });

  function depth(track: Track): number {
    if (track.lanes.size !== 1 || modeOf(only(track)) === 'sync') return 1;
    return only(track).more ? options.readsInFlight : 1;
  }

  /** What to read next: lanes that had more first, without waiting; all of them every now and then. */
  function choose(track: Track): { lanes: Lane[]; blocks: boolean } {
    const wanted: Lane[] = [];
    for (const lane of track.lanes) if (wantsRead(lane)) wanted.push(lane);
    if (wanted.length < 2) return { lanes: wanted, blocks: true };
    const busy = wanted.filter((lane) => lane.more);
    turn = (turn + 1) % TURNS;
    if (busy.length > 0 && turn !== 0) return { lanes: busy, blocks: false };
    return { lanes: wanted, blocks: busy.length === 0 };
  }

  function pump(): void {
    const { track } = hot;
    if (track === null || closed || !track.registration.running) return;
    if (!node.mayAct()) return retryLater();
    while (reading < depth(track)) {
      const count = countFor(track.registration, options.readCount);
      if (count === 0) return;
      const { lanes, blocks } = choose(track);
      if (lanes.length === 0) return;
      const request = { lanes, consumer: node.consumer(), count };
      void read(track, blocks ? { ...request, blockMs: options.blockMs } : request);
    }
  }

  function retryLater(): void {
    if (waitingForSlot) return;
    waitingForSlot = true;
    setTimeout(() => {
      waitingForSlot = false;
      pump();
    }, SLOT_POLL_MS).unref();
  }

  async function read(track: Track, request: ReadRequest): Promise<void> {
    const { lanes, count } = request;
    // A read that only waits must not keep others from the room it may never need.
    const reserved = lanes.some((lane) => lane.more) ? count : 0;
    beginRead(lanes, reserved);
    reading += 1;
    if (reading === 1) headSinceMs = performance.now();
    try {
      const text = await link.send(encodeRead(request), 1);
      endRead(lanes, reserved);
      reading -= 1;
      headSinceMs = performance.now();
      // The next read leaves before this one is looked at; what this one has brought counts as reserved so long.
      const brought = text.startsWith('*-1') ? 0 : count;
      track.registration.reserved += brought;
      pump();
      track.score += absorb(request, text, sink);
      track.registration.reserved -= brought;
    } catch (error) {
      reading -= 1;
      endRead(lanes, reserved);
      rejectRead(request, error, sink);
    }
    pump();
  }

  const hot: HotLink = {
    track: null,
    get reading() {
      return reading;
    },
    pump,
    unblock() {
      if (reading === 0) return;
      if (clientId > 0) options.wake(clientId);
      else if (link.connected) link.reset();
    },
    reset: () => link.reset(),
    watch(nowMs) {
      const waitedMs = nowMs - headSinceMs;
      if (reading === 0 || !link.connected || waitedMs < options.blockMs + options.readMarginMs) return;
      const registration = hot.track?.registration.id;
      sink.log.warn(
        { registration, waitedMs: Math.round(waitedMs) },
        'a read did not come back; its connection is made anew',
      );
      headSinceMs = nowMs;
      link.reset();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      forgetReady();
      await link[Symbol.asyncDispose]();
    },
  };
  return hot;
}

function only(track: Track): Lane {
  return track.lanes.values().next().value as Lane;
}
