import { decodeReply, encodeCommand, type RawLink, type StreamBatch } from '#functions';
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
  /** Ends a connection's wait from another one; false = that is not allowed, or could not be said. */
  readonly wake: (clientId: number) => Promise<boolean>;
}

/** Of so many reads one is for all lanes, the others for those that had more to give. */
const TURNS = 4;
const SLOT_POLL_MS = 50;
/**
 * A wait that nothing can end from outside lasts no longer. Its connection is never given up for that: Redis may serve a
 * wait after its connection has been closed.
 */
const SHORT_BLOCK_MS = 100;

export function createHotLink(options: HotLinkOptions): HotLink {
  return new BlockingReader(options);
}

/**
 * A reply of this size brings work enough to read on meanwhile. A smaller one goes to the sandbox first: the next read is a
 * wait then, and its write would only stand before the entry's.
 */
const PLENTY_BYTES = 16 * 1024;

class BlockingReader implements HotLink {
  track: Track | null = null;
  readonly #options: HotLinkOptions;
  readonly #forgetReady: () => void;
  /** What the server calls this connection; 0 = its waits cannot be ended from another one. */
  #clientId = 0;
  #connections = 0;
  #reading = 0;
  #headSinceMs = 0;
  #turn = 0;
  #closed = false;
  #waitsForSlot = false;

  constructor(options: HotLinkOptions) {
    this.#options = options;
    this.#forgetReady = options.link.onReady(() => this.#introduce());
  }

  get reading(): number {
    return this.#reading;
  }

  pump(): void {
    const { track } = this;
    if (track === null || this.#closed || !track.registration.running) return;
    if (!this.#options.node.mayAct()) {
      this.#retryLater();
      return;
    }
    while (this.#reading < this.#depth(track)) {
      const count = countFor(track.registration, this.#options.readCount);
      const { lanes, blocks } = this.#choose(track);
      if (count === 0 || lanes.length === 0) return;
      const request = { lanes, consumer: this.#options.node.consumer(), count };
      void this.#read(track, blocks ? { ...request, blockMs: this.#blockMs() } : request);
    }
  }

  unblock(): void {
    if (this.#reading > 0 && this.#clientId > 0) void this.#options.wake(this.#clientId);
  }

  watch(nowMs: number): void {
    const { link, blockMs, readMarginMs, sink } = this.#options;
    const waitedMs = nowMs - this.#headSinceMs;
    if (this.#reading === 0 || !link.connected || waitedMs < blockMs + readMarginMs) return;
    const facts = { registration: this.track?.registration.id, waitedMs: Math.round(waitedMs) };
    sink.log.warn(facts, 'a read did not come back; its connection is made anew');
    this.#headSinceMs = nowMs;
    link.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#forgetReady();
    await this.#options.link[Symbol.asyncDispose]();
  }

  #blockMs(): number {
    const { blockMs } = this.#options;
    return this.#clientId > 0 ? blockMs : Math.min(blockMs, SHORT_BLOCK_MS);
  }

  /** Asks what the server calls this connection, and whether another one may end its waits. */
  #introduce(): void {
    const { link, wake } = this.#options;
    this.#connections += 1;
    const connection = this.#connections;
    this.#clientId = 0;
    this.#headSinceMs = performance.now();
    const ask = async (): Promise<void> => {
      const id = decodeReply(await link.send(encodeCommand(['CLIENT', 'ID']), 1));
      if (typeof id !== 'number' || !(await wake(id))) return;
      if (connection === this.#connections) this.#clientId = id;
    };
    // The connection is gone again; its next one has another id.
    ask().catch(() => undefined);
  }

  #depth(track: Track): number {
    if (track.lanes.size !== 1) return 1;
    const lane = track.lanes.values().next().value as Lane;
    return lane.more && modeOf(lane) !== 'sync' ? this.#options.readsInFlight : 1;
  }

  /** What to read next: lanes that had more first, without waiting; all of them every now and then. */
  #choose(track: Track): { lanes: Lane[]; blocks: boolean } {
    const wanted = [...track.lanes].filter(wantsRead);
    // A read that reserves room must not keep it while it waits.
    if (wanted.length < 2) return { lanes: wanted, blocks: wanted[0]?.more !== true };
    const busy = wanted.filter((lane) => lane.more);
    this.#turn = (this.#turn + 1) % TURNS;
    if (busy.length > 0 && this.#turn !== 0) return { lanes: busy, blocks: false };
    return { lanes: wanted, blocks: busy.length === 0 };
  }

  #retryLater(): void {
    if (this.#waitsForSlot) return;
    this.#waitsForSlot = true;
    setTimeout(() => {
      this.#waitsForSlot = false;
      this.pump();
    }, SLOT_POLL_MS).unref();
  }

  async #read(track: Track, request: ReadRequest): Promise<void> {
    const { lanes, count } = request;
    const { registration } = track;
    // A read that only waits must not keep others from the room it may never need.
    const reserved = lanes.some((lane) => lane.more) ? count : 0;
    beginRead(lanes, reserved);
    this.#reading += 1;
    if (this.#reading === 1) this.#headSinceMs = performance.now();
    const done = (): void => {
      endRead(lanes, reserved);
      this.#reading -= 1;
      this.#headSinceMs = performance.now();
    };
    try {
      const streams = await this.#options.link.read(encodeRead(request)).finally(done);
      if (sizeOf(streams) < PLENTY_BYTES) {
        track.score += absorb(request, streams, this.#options.sink);
        setImmediate(() => this.pump());
        return;
      }
      // The next read leaves before this one is looked at; what this one has brought counts as reserved so long.
      const brought = streams.reduce((sum, { ids }) => sum + ids.length, 0);
      registration.reserved += brought;
      this.pump();
      track.score += absorb(request, streams, this.#options.sink);
      registration.reserved -= brought;
    } catch (error) {
      rejectRead(request, error, this.#options.sink);
    }
    this.pump();
  }
}

function sizeOf(streams: readonly StreamBatch[]): number {
  return streams.reduce((sum, { text }) => sum + text.length, 0);
}
