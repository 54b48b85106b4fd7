import type { Logger } from 'pino';
import { defineScript, type RedisAccess } from '#functions';
import type { ListPlace } from './list-doorbell.ts';

const MOVE = defineScript('move-items', new URL('./scripts/move-items.lua', import.meta.url));
const RETURN = defineScript('return-items', new URL('./scripts/return-items.lua', import.meta.url));
/** One script call moves so many items at most. */
const MOST_AT_ONCE = 500;

export interface ListFeedOptions {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly registrationId: string;
  /** In order of urgency. */
  readonly places: readonly ListPlace[];
  /** Items that may be in the streams without an end, now. */
  readonly capacity: () => number;
  /** Items have been written to this stream (latin1). */
  readonly ring: (stream: string) => void;
  /** All lists are empty. */
  readonly onEmpty: () => void;
  readonly log: Logger;
}

/** Feeds items of a registration's lists into its streams, the most urgent list first, never more than there is room for. */
export interface ListFeed {
  /** Moves what can be moved. Calls while one is under way are one call after it. */
  pump(): void;
  /** True while items wait for room. */
  readonly isFull: boolean;
  /** Moves nothing any more; what was taken from the lists and is not in a stream goes back. */
  stop(): Promise<void>;
}

export function createListFeed(options: ListFeedOptions): ListFeed {
  return new ItemMover(options);
}

interface Moved {
  readonly moved: number;
  readonly left: number;
}

class ItemMover implements ListFeed {
  readonly #options: ListFeedOptions;
  /** Entries without an end per stream, as the last move saw them. */
  readonly #backlogs = new Map<string, number>();
  #pumping: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #isFull = false;
  #complained = false;

  constructor(options: ListFeedOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  pump(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pumping;
    for (const { list, inbox, from } of this.#options.places) {
      await RETURN.run(this.#options.access.client, [bytes(list), bytes(inbox)], [from]);
    }
  }

  async #pump(): Promise<void> {
    const { registrationId, log, onEmpty } = this.#options;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        this.#isFull = !(await this.#moveAll());
      } catch (error) {
        // Looked at again with the next sweep.
        this.#isFull = true;
        log.warn({ err: error, registration: registrationId }, 'items of a list could not be moved');
      }
    }
    if (!this.#isFull && !this.#stopped) onEmpty();
  }

  /** True when all lists are empty. */
  async #moveAll(): Promise<boolean> {
    const { places } = this.#options;
    const streams = new Map(places.map((place) => [place.items, place]));
    // Several streams share the room: what has ended in one of them is room in the others.
    if (streams.size > 1) for (const place of streams.values()) await this.#move(place, 0);
    for (const place of places) {
      for (;;) {
        const { moved, left } = await this.#move(place, MOST_AT_ONCE);
        if (left === 0) break;
        if (moved === 0 || this.#stopped) return false;
      }
    }
    return true;
  }

  async #move(place: ListPlace, most: number): Promise<Moved> {
    const { access, registrationId, capacity, ring } = this.#options;
    const { list, inbox, items, from } = place;
    let elsewhere = 0;
    for (const [stream, backlog] of this.#backlogs) if (stream !== items) elsewhere += backlog;
    const keys = [bytes(list), bytes(inbox), bytes(items)];
    const args = [registrationId, Math.max(0, capacity() - elsewhere), most, from, bytes(list)];
    const reply = await MOVE.run(access.client, keys, args);
    const [state, moved, left, backlog] = reply as [string, number, number, number];
    this.#backlogs.set(items, backlog);
    if (moved > 0) ring(items);
    this.#complain(state, list);
    return { moved, left };
  }

  #complain(state: string, list: string): void {
    if (state === 'wrongtype' && !this.#complained) {
      this.#options.log.warn({ registration: this.#options.registrationId, list }, 'the key is no list');
    }
    this.#complained = state === 'wrongtype';
  }
}

function bytes(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}
