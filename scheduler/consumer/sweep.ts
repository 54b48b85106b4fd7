import { encodeCommand, type RawLink } from '#functions';
import type { NodeIdentity } from './contracts.ts';
import type { Lane } from './lane.ts';
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

/** Reads without waiting over lanes that may have news: one connection per shard, many lanes per write. */
export interface Sweep extends AsyncDisposable {
  /** Reads the lane soon, and again while there is more. */
  add(lane: Lane): void;
  /** There may be room again for lanes that had to wait. */
  kick(): void;
  /** Ends the wait of a blocking read of another connection; false = it is not allowed, or could not be said. */
  unblock(clientId: number): Promise<boolean>;
  /** Tears the connection down when a read has not come back in time. */
  watch(nowMs: number): void;
}

export interface SweepOptions {
  readonly link: RawLink;
  readonly node: NodeIdentity;
  readonly readCount: number;
  readonly readMarginMs: number;
  readonly sink: ReadSink;
  /** Called with a lane that has been read and had nothing new. */
  readonly onEmpty: (lane: Lane) => void;
}

const LANES_PER_WRITE = 128;

export function createSweep(options: SweepOptions): Sweep {
  return new PipelinedReader(options);
}

class PipelinedReader implements Sweep {
  readonly #options: SweepOptions;
  readonly #queue = new Set<Lane>();
  #going = false;
  #sinceMs = 0;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  add(lane: Lane): void {
    this.#queue.add(lane);
    this.kick();
  }

  kick(): void {
    if (!this.#going && this.#queue.size > 0) void this.#go();
  }

  async unblock(clientId: number): Promise<boolean> {
    const { link, sink } = this.#options;
    try {
      return !(await link.send(encodeCommand(['CLIENT', 'UNBLOCK', String(clientId)]), 1)).startsWith('-');
    } catch (error) {
      sink.log.debug({ err: error }, 'a blocked read could not be woken');
      return false;
    }
  }

  watch(nowMs: number): void {
    const { link, readMarginMs, sink } = this.#options;
    if (this.#sinceMs === 0 || !link.connected || nowMs - this.#sinceMs < readMarginMs) return;
    const waitedMs = Math.round(nowMs - this.#sinceMs);
    sink.log.warn({ waitedMs }, 'a read did not come back; its connection is made anew');
    this.#sinceMs = nowMs;
    link.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.clear();
    await this.#options.link[Symbol.asyncDispose]();
  }

  async #go(): Promise<void> {
    this.#going = true;
    await Promise.resolve();
    for (let requests = this.#next(); requests.length > 0; requests = this.#next()) await this.#read(requests);
    this.#going = false;
  }

  #next(): ReadRequest[] {
    const { node, readCount } = this.#options;
    const requests: ReadRequest[] = [];
    if (!node.mayAct()) return requests;
    for (const lane of this.#queue) {
      if (requests.length >= LANES_PER_WRITE) break;
      if (!wantsRead(lane) || lane.reading > 0) {
        this.#queue.delete(lane);
        continue;
      }
      const count = countFor(lane.registration, readCount);
      // It stays in the queue until there is room.
      if (count === 0) continue;
      this.#queue.delete(lane);
      beginRead([lane], count);
      requests.push({ lanes: [lane], consumer: node.consumer(), count });
    }
    return requests;
  }

  async #read(requests: readonly ReadRequest[]): Promise<void> {
    this.#sinceMs = performance.now();
    await Promise.all(requests.map((request) => this.#readOne(request)));
    this.#sinceMs = 0;
  }

  async #readOne(request: ReadRequest): Promise<void> {
    const { link, sink, onEmpty } = this.#options;
    const lane = request.lanes[0] as Lane;
    try {
      const entries = absorb(request, await link.read(encodeRead(request)), sink);
      endRead(request.lanes, request.count);
      if (lane.more) this.#queue.add(lane);
      else if (entries === 0) onEmpty(lane);
    } catch (error) {
      endRead(request.lanes, request.count);
      rejectRead(request, error, sink);
    }
  }
}
