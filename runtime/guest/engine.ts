import type { GuestNews, ToldNews } from './api.ts';
import { type Batch, type BatchInput, createBatch, type Round, type Waiter } from './batch.ts';
import type { Executor } from './execute.ts';
import type { Logger } from './log.ts';
import { takeNews } from './news.ts';
import type { Parser } from './parse.ts';
import { bareList, mapDelete, mapGet, mapSet, mapSize, NativeMap } from './primordials.ts';
import type { Runner } from './run.ts';
import type { ReplyText, Sessions } from './session.ts';
import type { Settle } from './settle.ts';
import type { Turn } from './turn.ts';

/**
 * How long one call from outside goes on with other entries, ms. Well below any call limit, so that the limit hits single
 * stretches of user code and never a batch that is merely long; long enough that the way out and in costs nothing.
 */
const SLICE_MS = 20;
/** Ended batches that are kept because the node has not sent the replies of commands nobody waited for. */
const MAX_LINGERING = 256;

/** Replies of a round that are being handed out. */
interface Replay {
  readonly batch: Batch;
  readonly number: number;
  readonly round: Round;
}

export interface RoundReplies {
  readonly batch: number;
  readonly round: number;
  readonly text: string;
}

export interface Engine {
  run(input: BatchInput): GuestNews;
  replies(replies: RoundReplies): GuestNews;
  session(reply: ReplyText): GuestNews;
  cancel(batch: number, positions: Set<number>): GuestNews;
  go(): GuestNews;
  again(rejection: string): ToldNews | null;
}

export interface EngineOptions {
  readonly parser: Parser;
  readonly turn: Turn;
  readonly settle: Settle;
  readonly runner: Runner;
  /** Runs the batches of stages. */
  readonly stages: Runner;
  readonly executor: Executor;
  readonly sessions: Sessions;
  readonly logger: Logger;
  /** Hands news over. */
  readonly hand: (news: ToldNews) => GuestNews;
}

/** Takes what comes from outside, lets the entries go on one after the other, and collects the news. */
export function createEngine(options: EngineOptions): Engine {
  return new GuestEngine(options);
}

class GuestEngine implements Engine {
  readonly #parser: Parser;
  readonly #turn: Turn;
  readonly #settle: Settle;
  readonly #runner: Runner;
  readonly #stages: Runner;
  readonly #executor: Executor;
  readonly #sessions: Sessions;
  readonly #logger: Logger;
  readonly #hand: (news: ToldNews) => GuestNews;

  constructor(options: EngineOptions) {
    this.#parser = options.parser;
    this.#turn = options.turn;
    this.#settle = options.settle;
    this.#runner = options.runner;
    this.#stages = options.stages;
    this.#executor = options.executor;
    this.#sessions = options.sessions;
    this.#logger = options.logger;
    this.#hand = options.hand;
  }

  readonly #batches = new NativeMap<number, Batch>();
  readonly #lingering = bareList<number>();
  #lingeringFrom = 0;
  #replay: Replay | null = null;
  #unfinished = bareList<Batch>();
  #last: (number | string | Uint32Array)[] | null = null;
  /** Where log lines of no event go. */
  #recent: Batch | null = null;

  #deliver(round: Round, waiter: Waiter): void {
    this.#parser.open(round.text, round.at, true);
    const value = this.#parser.reply(waiter.raw);
    round.at = this.#parser.at;
    this.#executor.deliver(waiter, value, this.#parser.lastError);
  }

  /** Hands out replies, entry by entry. True: the slice is over before the last one. */
  #continueReplay({ batch, number, round }: Replay, deadline: number): boolean {
    while (round.first !== null) {
      const { entry } = round.first;
      this.#turn.enter(entry);
      for (let waiter: Waiter | null = round.first; waiter !== null && waiter.entry === entry; ) {
        round.first = waiter.next;
        this.#deliver(round, waiter);
        waiter = round.first;
      }
      if (this.#turn.end() > deadline && round.first !== null) break;
    }
    this.#settle.touch(batch);
    if (round.first !== null) return true;
    mapDelete(batch.rounds, number);
    return false;
  }

  #runnerOf(batch: Batch): Runner {
    return batch.stage === null ? this.#runner : this.#stages;
  }

  #letGo(batch: Batch): void {
    if (batch.ended < batch.entryCount) return;
    if (mapSize(batch.rounds) === 0) {
      mapDelete(this.#batches, batch.id);
      return;
    }
    const { length } = this.#lingering;
    this.#lingering[length] = batch.id;
    if (length - this.#lingeringFrom < MAX_LINGERING) return;
    mapDelete(this.#batches, this.#lingering[this.#lingeringFrom++] as number);
  }

  /** One slice, after what the call itself did: first the replies at hand, then every batch with news goes on and tells them. */
  #drive(): GuestNews {
    this.#last = null;
    const deadline = this.#turn.end() + SLICE_MS;
    const news = bareList<number | string | Uint32Array>();
    news[0] = 0;
    if (this.#replay !== null) {
      if (this.#continueReplay(this.#replay, deadline)) news[0] = 1;
      else this.#replay = null;
    }
    if (this.#recent !== null && this.#logger.hasLoose()) this.#settle.touch(this.#recent);
    const again = this.#unfinished;
    this.#unfinished = bareList();
    for (let i = 0; i < again.length; i++) this.#settle.touch(again[i] as Batch);
    for (let batch = this.#settle.takeDirty(); batch !== null; batch = this.#settle.takeDirty()) {
      batch.dirty = true;
      if (this.#runnerOf(batch).pump(batch, deadline)) {
        this.#unfinished[this.#unfinished.length] = batch;
        news[0] = 1;
      }
      batch.dirty = false;
      this.#recent = batch;
      const { numbers, failed, text } = takeNews(batch, this.#logger.takeLoose());
      const at = news.length;
      news[at] = batch.id;
      news[at + 1] = numbers;
      news[at + 2] = failed;
      news[at + 3] = text;
      this.#letGo(batch);
    }
    this.#last = news;
    return this.#hand(news);
  }

  run(input: BatchInput): GuestNews {
    const batch = createBatch(input);
    mapSet(this.#batches, batch.id, batch);
    if (batch.stage !== null) batch.stage.feeds[batch.stage.feeds.length] = batch;
    this.#settle.touch(batch);
    this.#turn.begin();
    return this.#drive();
  }

  replies(replies: RoundReplies): GuestNews {
    this.#turn.begin();
    const batch = mapGet(this.#batches, replies.batch);
    const round = batch === undefined ? undefined : mapGet(batch.rounds, replies.round);
    if (batch !== undefined && round !== undefined) {
      round.text = replies.text;
      this.#replay = { batch, number: replies.round, round };
    }
    return this.#drive();
  }

  session(reply: ReplyText): GuestNews {
    this.#turn.begin();
    this.#sessions.receive(reply);
    return this.#drive();
  }

  cancel(id: number, positions: Set<number>): GuestNews {
    this.#turn.begin();
    const batch = mapGet(this.#batches, id);
    if (batch !== undefined) {
      this.#settle.touch(batch);
      this.#runnerOf(batch).cancel(batch, positions);
    }
    return this.#drive();
  }

  go(): GuestNews {
    this.#turn.begin();
    return this.#drive();
  }

  again(rejection: string): ToldNews | null {
    if (this.#last === null) return null;
    this.#logger.write('warning', `A promise that nobody awaited was rejected: ${rejection}`);
    // So that `go` is called, which takes the line along.
    this.#last[0] = 1;
    return this.#last;
  }
}
