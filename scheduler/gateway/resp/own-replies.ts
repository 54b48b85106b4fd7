import type { ClientOutput } from './client-output.ts';
import type { ConnectionState } from './connection-state.ts';
import { ReplyQueue } from './reply-queue.ts';
import { asProtocol3 } from './reply-text.ts';

export interface OwnRepliesOptions {
  readonly state: ConnectionState;
  readonly output: ClientOutput;
  /** Called after replies have been written. */
  readonly onWritten: () => void;
}

/** Replies that the door itself gives: they leave in the order of the requests, those of one tick in one write. */
export class OwnReplies {
  readonly #options: OwnRepliesOptions;
  readonly #queue = new ReplyQueue<string>((reply) => this.#emit(reply));
  #isFlushDue = false;

  constructor(options: OwnRepliesOptions) {
    this.#options = options;
  }

  /** Replies that have not left. */
  get size(): number {
    return this.#queue.size;
  }

  /** The next place; what is returned fills it. */
  expect(): (reply: string) => void {
    const place = this.#queue.take();
    return (reply) => this.#queue.fill(place, reply);
  }

  #emit(reply: string): void {
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
