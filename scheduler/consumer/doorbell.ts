import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReplies, encodeCommand, isReplyError, type RawLink } from '#functions';
import type { ConsumerLog } from './contracts.ts';
import type { Lane } from './lane.ts';

/** One blocking wait for many streams that have no connection of their own; it reads nothing for any group. */
export interface Doorbell extends AsyncDisposable {
  /** Begins to wait, once there is something to wait for. */
  wake(): void;
  /** The lane's stream is waited for: what is written to it rings. */
  covers(lane: Lane): boolean;
}

export interface DoorbellOptions {
  readonly link: RawLink;
  /** Lanes to wait for now; the same array as long as they are the same. */
  readonly lanes: () => readonly Lane[];
  /** Something has been written to the lane's stream. */
  readonly onRing: (lane: Lane) => void;
  readonly log: ConsumerLog;
}

/** A wait over more streams would cost Redis more than a sweep over them does. */
const MOST_STREAMS = 1_024;
/** Short, so that lanes that have become cold meanwhile are soon waited for too. */
const BLOCK_MS = 500;
/** Of many streams the wait itself costs a millisecond: it lasts as long as a scan does by default, which finds what is not waited for yet. */
const LONG_BLOCK_MS = 2_000;
const MANY_STREAMS = 256;
const FAILED_PAUSE_MS = 500;

export function createDoorbell(options: DoorbellOptions): Doorbell {
  return new WaitingLink(options);
}

class WaitingLink implements Doorbell {
  readonly #options: DoorbellOptions;
  /** Newest id of a stream when it was last looked at: what comes after it rings. */
  #heads = new Map<string, string>();
  /** Lanes by stream, as long as those to wait for are these. */
  #known: { readonly lanes: readonly Lane[]; readonly streams: ReadonlyMap<string, readonly Lane[]> } | null = null;
  #waiting = false;
  #closed = false;

  constructor(options: DoorbellOptions) {
    this.#options = options;
  }

  wake(): void {
    if (this.#waiting || this.#closed || this.#options.lanes().length === 0) return;
    this.#waiting = true;
    void this.#wait();
  }

  covers(lane: Lane): boolean {
    return this.#waiting && this.#heads.has(lane.stream);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#options.link[Symbol.asyncDispose]();
  }

  async #wait(): Promise<void> {
    for (let lanes = this.#lanes(); lanes.size > 0 && !this.#closed; lanes = this.#lanes()) {
      try {
        await this.#look(lanes);
        await this.#listen(lanes);
      } catch (error) {
        if (this.#closed) break;
        this.#options.log.debug({ err: error }, 'waiting for news of streams failed');
        this.#heads.clear();
        await sleep(FAILED_PAUSE_MS, undefined, { ref: false });
      }
    }
    this.#waiting = false;
  }

  /** Lanes by stream; several registrations may have the same one. */
  #lanes(): ReadonlyMap<string, readonly Lane[]> {
    const lanes = this.#options.lanes();
    const areReady = lanes.every(({ state }) => state === 'ready');
    if (areReady && this.#known?.lanes === lanes) return this.#known.streams;
    const streams = new Map<string, Lane[]>();
    for (const lane of lanes) {
      if (lane.state !== 'ready') continue;
      const list = streams.get(lane.stream) ?? [];
      list.push(lane);
      streams.set(lane.stream, list);
      if (streams.size >= MOST_STREAMS) break;
    }
    this.#heads = new Map([...this.#heads].filter(([stream]) => streams.has(stream)));
    this.#known = areReady ? { lanes, streams } : null;
    return streams;
  }

  /** Finds the heads that are not known. What lies before them is swept, what comes after them rings. */
  async #look(lanes: ReadonlyMap<string, readonly Lane[]>): Promise<void> {
    const unknown = [...lanes.keys()].filter((stream) => !this.#heads.has(stream));
    if (unknown.length === 0) return;
    const commands = unknown.map((stream) => encodeCommand(['XREVRANGE', stream, '+', '-', 'COUNT', '1']));
    const replies = decodeReplies(await this.#options.link.send(commands.join(''), unknown.length));
    for (const [index, stream] of unknown.entries()) {
      const reply = replies[index] ?? null;
      if (reply === null || isReplyError(reply)) continue;
      this.#heads.set(stream, (reply as [string, unknown][])[0]?.[0] ?? '0-0');
      for (const lane of lanes.get(stream) ?? []) this.#options.onRing(lane);
    }
  }

  async #listen(lanes: ReadonlyMap<string, readonly Lane[]>): Promise<void> {
    const streams = [...lanes.keys()].filter((stream) => this.#heads.has(stream));
    if (streams.length === 0) {
      await sleep(BLOCK_MS, undefined, { ref: false });
      return;
    }
    const ids = streams.map((stream) => this.#heads.get(stream) as string);
    const blockMs = streams.length > MANY_STREAMS ? LONG_BLOCK_MS : BLOCK_MS;
    const args = ['XREAD', 'COUNT', '1', 'BLOCK', String(blockMs), 'STREAMS', ...streams, ...ids];
    // The next look finds how far it has come and tells of it.
    for (const { key } of await this.#options.link.read(encodeCommand(args))) this.#heads.delete(key);
  }
}
