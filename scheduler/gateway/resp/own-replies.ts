import type { ClientOutput } from './client-output.ts';
import type { ConnectionState } from './connection-state.ts';
import { ReplyQueue } from './reply-queue.ts';
import { asProtocol3 } from './reply-text.ts';

export interface OwnRepliesOptions {
  readonly state: ConnectionState;
  readonly output: ClientOutput;
  readonly maxOutputBytes: number;
  /** Called after replies have been written. */
  readonly onWritten: () => void;
}

/** Calls of one client in work at once. */
const MAX_CALLS = 1_024;
/**
 * Answers are mostly about as long as what was asked. Those of one tick leave together, and must not look like the backlog of
 * a client that does not read.
 */
const WEIGHT_SHARE = 0.25;

/** Replies that the door itself gives: they leave in the order of the requests, those of one tick in one write. */
export class OwnReplies {
  readonly #options: OwnRepliesOptions;
  readonly #queue = new ReplyQueue<string>((reply) => this.#emit(reply));
  /** Of the places taken, in their order. */
  readonly #weights: number[] = [];
  #isFlushDue = false;
  #weight = 0;

  constructor(options: OwnRepliesOptions) {
    this.#options = options;
  }

  /** Replies that have not left. */
  get size(): number {
    return this.#queue.size;
  }

  /** True while further calls may be in work; else they wait in the client's pipeline. */
  get hasRoom(): boolean {
    return this.size < MAX_CALLS && this.#weight < this.#options.maxOutputBytes * WEIGHT_SHARE;
  }

  get hasMuchRoom(): boolean {
    return this.size < MAX_CALLS / 2;
  }

  /** The next place; what is returned fills it. @param weight bytes that were asked with. */
  expect(weight = 0): (reply: string) => void {
    this.#weights.push(weight);
    this.#weight += weight;
    const place = this.#queue.take();
    return (reply) => this.#queue.fill(place, reply);
  }

  #emit(reply: string): void {
    this.#weight -= this.#weights.shift() ?? 0;
    const { state, output } = this.#options;
    if (state.replyMode === 'on') output.gather(state.protocol === 3 ? asProtocol3(reply) : reply);
    else if (state.replyMode === 'skip-next') state.replyMode = 'on';
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      output.flush();
      this.#options.onWritten();
    });
  }
}
