import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { encodeCommand, type RawLink, type RedisAccess, type Shard } from '#functions';

/** One list of a registration; keys are latin1. */
export interface ListPlace {
  readonly list: string;
  /** Items taken from the list that are not in the stream yet. */
  readonly inbox: string;
  /** The stream they go to. */
  readonly items: string;
  readonly from: 'left' | 'right';
}

/**
 * Waits on a connection of its own until the list has an item, and takes it to the inbox: BLMOVE loses nothing when this
 * node dies. After each wait, whatever came of it, `onWoken` is called and nothing is waited for until `arm`.
 */
export interface ListDoorbell extends AsyncDisposable {
  arm(): void;
}

export interface ListDoorbellOptions {
  readonly access: Pick<RedisAccess, 'openRaw' | 'shardOf'>;
  readonly place: ListPlace;
  readonly onWoken: () => void;
  readonly log: Logger;
}

/** Items that another node left in the inbox are found this often. */
const BLOCK_SECONDS = 2;
const FAILED_PAUSE_MS = 250;

export function createListDoorbell(options: ListDoorbellOptions): ListDoorbell {
  return new BlockingDoorbell(options);
}

class BlockingDoorbell implements ListDoorbell {
  readonly #options: ListDoorbellOptions;
  readonly #command: string;
  #shard: Shard;
  #link: RawLink;
  #waiting = false;
  #closed = false;

  constructor(options: ListDoorbellOptions) {
    const { list, inbox, from } = options.place;
    this.#options = options;
    this.#command = encodeCommand(['BLMOVE', list, inbox, from.toUpperCase(), 'LEFT', String(BLOCK_SECONDS)]);
    this.#shard = options.access.shardOf(list);
    this.#link = options.access.openRaw(this.#shard, 'regears-list');
  }

  arm(): void {
    if (this.#waiting || this.#closed) return;
    this.#waiting = true;
    void this.#wait();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#link[Symbol.asyncDispose]();
  }

  async #wait(): Promise<void> {
    try {
      await this.#followShard();
      const reply = await this.#link.send(this.#command, 1);
      if (reply.startsWith('-')) await this.#onRefusal(reply);
    } catch (error) {
      if (!this.#closed) this.#options.log.debug({ err: error }, 'waiting for items of a list failed');
      await sleep(FAILED_PAUSE_MS, undefined, { ref: false });
    }
    this.#waiting = false;
    if (!this.#closed) this.#options.onWoken();
  }

  async #followShard(): Promise<void> {
    const { access, place } = this.#options;
    const shard = access.shardOf(place.list);
    if (shard.id === this.#shard.id) return;
    const former = this.#link;
    this.#shard = shard;
    this.#link = access.openRaw(shard, 'regears-list');
    await former[Symbol.asyncDispose]();
  }

  /** Such as a key of another type, or a slot that moves: looked at again soon. */
  async #onRefusal(reply: string): Promise<void> {
    this.#options.log.debug({ list: this.#options.place.list, reply: reply.trim() }, 'a list cannot be waited for');
    await sleep(FAILED_PAUSE_MS, undefined, { ref: false });
  }
}
