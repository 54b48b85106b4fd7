import type { GuestNews } from './api.ts';
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
  readonly ascii: boolean;
}

export interface Engine {
  run(input: BatchInput): GuestNews;
  replies(replies: RoundReplies): GuestNews;
  session(reply: ReplyText): GuestNews;
  cancel(batch: number, positions: Set<number>): GuestNews;
  go(): GuestNews;
  again(rejection: string): GuestNews | null;
}

export interface EngineOptions {
  readonly parser: Parser;
  readonly turn: Turn;
  readonly settle: Settle;
  readonly runner: Runner;
  readonly executor: Executor;
  readonly sessions: Sessions;
  readonly logger: Logger;
}

/** Takes what comes from outside, lets the entries go on one after the other, and collects the news. */
export function createEngine({ parser, turn, settle, runner, executor, sessions, logger }: EngineOptions): Engine {
  const batches = new NativeMap<number, Batch>();
  const lingering = bareList<number>();
  let lingeringFrom = 0;
  let replay: Replay | null = null;
  let unfinished = bareList<Batch>();
  let last: (number | string | Uint32Array)[] | null = null;
  /** Where log lines of no event go. */
  let recent: Batch | null = null;

  function deliver(round: Round, waiter: Waiter): void {
    parser.open(round.text, round.at, round.ascii);
    const value = parser.reply(waiter.raw);
    round.at = parser.at;
    executor.deliver(waiter, value, parser.lastError);
  }

  /** Hands out replies, entry by entry. True: the slice is over before the last one. */
  function continueReplay({ batch, number, round }: Replay, deadline: number): boolean {
    while (round.first !== null) {
      const { entry } = round.first;
      turn.enter(entry);
      for (let waiter: Waiter | null = round.first; waiter !== null && waiter.entry === entry; ) {
        round.first = waiter.next;
        deliver(round, waiter);
        waiter = round.first;
      }
      if (turn.end() > deadline && round.first !== null) break;
    }
    settle.touch(batch);
    if (round.first !== null) return true;
    mapDelete(batch.rounds, number);
    return false;
  }

  function letGo(batch: Batch): void {
    if (batch.ended < batch.entryCount) return;
    if (mapSize(batch.rounds) === 0) {
      mapDelete(batches, batch.id);
      return;
    }
    lingering[lingering.length] = batch.id;
    if (lingering.length - lingeringFrom > MAX_LINGERING) mapDelete(batches, lingering[lingeringFrom++] as number);
  }

  /** One slice, after what the call itself did: first the replies at hand, then every batch with news goes on and tells them. */
  function drive(): GuestNews {
    last = null;
    const deadline = turn.end() + SLICE_MS;
    const news = bareList<number | string | Uint32Array>();
    news[0] = 0;
    if (replay !== null) {
      if (continueReplay(replay, deadline)) news[0] = 1;
      else replay = null;
    }
    if (recent !== null && logger.hasLoose()) settle.touch(recent);
    const again = unfinished;
    unfinished = bareList();
    for (let i = 0; i < again.length; i++) settle.touch(again[i] as Batch);
    for (let batch = settle.takeDirty(); batch !== null; batch = settle.takeDirty()) {
      batch.dirty = true;
      if (runner.pump(batch, deadline)) {
        unfinished[unfinished.length] = batch;
        news[0] = 1;
      }
      batch.dirty = false;
      recent = batch;
      const { numbers, failed, text } = takeNews(batch, logger.takeLoose());
      const at = news.length;
      news[at] = batch.id;
      news[at + 1] = numbers;
      news[at + 2] = failed;
      news[at + 3] = text;
      letGo(batch);
    }
    last = news;
    return news;
  }

  return {
    run(input) {
      const batch = createBatch(input);
      mapSet(batches, batch.id, batch);
      settle.touch(batch);
      turn.begin();
      return drive();
    },
    replies(replies) {
      turn.begin();
      const batch = mapGet(batches, replies.batch);
      const round = batch === undefined ? undefined : mapGet(batch.rounds, replies.round);
      if (batch !== undefined && round !== undefined) {
        round.text = replies.text;
        round.ascii = replies.ascii;
        replay = { batch, number: replies.round, round };
      }
      return drive();
    },
    session(reply) {
      turn.begin();
      sessions.receive(reply);
      return drive();
    },
    cancel(id, positions) {
      turn.begin();
      const batch = mapGet(batches, id);
      if (batch !== undefined) {
        settle.touch(batch);
        runner.cancel(batch, positions);
      }
      return drive();
    },
    go() {
      turn.begin();
      return drive();
    },
    again(rejection) {
      if (last === null) return null;
      logger.write('warning', `A promise that nobody awaited was rejected: ${rejection}`);
      // So that `go` is called, which takes the line along.
      last[0] = 1;
      return last;
    },
  };
}
