import { encodeCommand, type RawLink, replyStarts } from '#functions';
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
  /** Ends the wait of a blocking read of another connection. */
  unblock(clientId: number): void;
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
  const { link, node, sink } = options;
  const queue = new Set<Lane>();
  let going = false;
  let sinceMs = 0;

  function next(): ReadRequest[] {
    const requests: ReadRequest[] = [];
    const consumer = node.consumer();
    if (!node.mayAct()) return requests;
    for (const lane of queue) {
      if (requests.length >= LANES_PER_WRITE) break;
      if (!wantsRead(lane) || lane.reading > 0) {
        queue.delete(lane);
        continue;
      }
      const count = countFor(lane.registration, options.readCount);
      if (count === 0) continue;
      queue.delete(lane);
      const request = { lanes: [lane], consumer, count };
      beginRead(request.lanes, count);
      requests.push(request);
    }
    return requests;
  }

  async function go(): Promise<void> {
    going = true;
    await Promise.resolve();
    for (let requests = next(); requests.length > 0; requests = next()) await read(requests);
    going = false;
  }

  async function read(requests: readonly ReadRequest[]): Promise<void> {
    let failure: unknown;
    sinceMs = performance.now();
    const text = await link.send(requests.map(encodeRead).join(''), requests.length).catch((error: unknown) => {
      failure = error;
      return null;
    });
    sinceMs = 0;
    const starts = text === null ? null : replyStarts(text, requests.length);
    for (const [index, request] of requests.entries()) {
      if (text === null || starts === null) {
        endRead(request.lanes, request.count);
        rejectRead(request, failure, sink);
        continue;
      }
      const entries = absorb(request, text, sink, starts[index]);
      endRead(request.lanes, request.count);
      const lane = request.lanes[0] as Lane;
      if (lane.more) queue.add(lane);
      else if (entries === 0) options.onEmpty(lane);
    }
  }

  return {
    add(lane) {
      queue.add(lane);
      if (!going) void go();
    },
    kick() {
      if (!going && queue.size > 0) void go();
    },
    unblock(clientId) {
      link.send(encodeCommand(['CLIENT', 'UNBLOCK', String(clientId)]), 1).catch((error: unknown) => {
        sink.log.debug({ err: error }, 'a blocked read could not be woken');
      });
    },
    watch(nowMs) {
      if (sinceMs === 0 || !link.connected || nowMs - sinceMs < options.readMarginMs) return;
      sink.log.warn({ waitedMs: Math.round(nowMs - sinceMs) }, 'a read did not come back; its connection is made anew');
      sinceMs = nowMs;
      link.reset();
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}
