import type { Socket } from 'node:net';
import type { Endpoint, Shard } from '#functions';
import { openSocket } from './passage.ts';
import { ReplyFramer } from './reply-framer.ts';

export interface ShardLinkEvents {
  onFrame(link: ShardLink, frame: Buffer): void;
  /** With `wasConnected` false nothing that was sent can have reached Redis. */
  onClosed(link: ShardLink, wasConnected: boolean): void;
  onFull(isFull: boolean): void;
}

/** One client's connection to one shard; hands over whole replies. `Waiting` is what it keeps per command. */
export class ShardLink<Waiting = unknown> {
  readonly shard: Shard;
  /** Commands sent and not answered, oldest first. */
  readonly waiting: Waiting[] = [];
  readonly #socket: Socket;
  readonly #events: ShardLinkEvents;
  readonly #framer = new ReplyFramer();
  #pieces: Buffer[] = [];
  #wasConnected = false;
  #isRaw = false;

  constructor(shard: Shard, endpoint: Endpoint, events: ShardLinkEvents) {
    this.shard = shard;
    this.#events = events;
    this.#socket = openSocket(endpoint);
    this.#socket.once('connect', () => {
      this.#wasConnected = true;
    });
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('drain', () => events.onFull(false));
    // `close` follows.
    this.#socket.on('error', () => {});
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => events.onClosed(this, this.#wasConnected));
  }

  send(command: Buffer | string, waiting: Waiting): void {
    this.waiting.push(waiting);
    this.write(command);
  }

  write(data: Buffer | string): void {
    const hasRoom = typeof data === 'string' ? this.#socket.write(data, 'latin1') : this.#socket.write(data);
    if (!hasRoom) this.#events.onFull(true);
  }

  /** Collects what is written until `uncork`. */
  cork(): void {
    if (this.#socket.writableCorked === 0) this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** From now on chunks are handed over as they come. */
  becomeRaw(): void {
    this.#isRaw = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    if (this.#isRaw) {
      this.#events.onFrame(this, chunk);
      return;
    }
    let at = 0;
    while (at < chunk.length) {
      const end = this.#advance(chunk, at);
      if (end < 0) {
        this.#pieces.push(chunk.subarray(at));
        return;
      }
      const piece = chunk.subarray(at, end);
      const frame = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
      this.#pieces = [];
      at = end;
      this.#events.onFrame(this, frame);
    }
  }

  #advance(chunk: Buffer, from: number): number {
    try {
      return this.#framer.advance(chunk, from);
    } catch {
      // Not RESP: `close` tells the rest.
      this.#socket.destroy();
      return -1;
    }
  }
}
