import type { SessionRequest } from '../sandbox/messages.ts';
import { addOutstanding, type Entry, removeOutstanding } from './batch.ts';
import { guestError } from './errors.ts';
import { type Executor, rejectLate, replyError } from './execute.ts';
import type { Parser } from './parse.ts';
import type { UserFunction } from './plan.ts';
import {
  deferred,
  freeze,
  mapDelete,
  mapForEach,
  mapGet,
  mapSet,
  mapSize,
  NativeMap,
  promiseOf,
  promiseThen,
  rejected,
} from './primordials.ts';
import { noteSession, type Settle } from './settle.ts';
import type { Turn } from './turn.ts';

const MAX_ATTEMPTS = 100;
/** So many sessions are kept before those of ended entries are looked for. */
const SWEEP_AT = 1_024;

/** Reads one reply from a parser. */
export type ReadReply = (parser: Parser) => unknown;

interface SessionWaiter {
  readonly raw: boolean;
  /** Reads a reply that is no error; null: as replies of Redis are read. */
  readonly read: ReadReply | null;
  readonly receive: (value: unknown, error: string | null) => void;
  next: SessionWaiter | null;
}

/** A request that is a session of its own. */
interface Single {
  readonly command: string;
  readonly read: ReadReply | null;
}

interface Session {
  readonly id: number;
  readonly entry: Entry;
  open: boolean;
  first: SessionWaiter | null;
  last: SessionWaiter | null;
}

export interface ReplyText {
  readonly session: number;
  readonly text: string;
}

export interface Sessions {
  /** Runs `fn(tx)` until its EXEC is not refused, at most 100 times. */
  run(entry: Entry, fn: UserFunction): Promise<unknown>;
  /** Hands a command on to whoever is next in line for it; answers its reply. */
  next(entry: Entry, command: string): Promise<unknown>;
  /** Asks the node for something beside commands: one command, one reply. */
  ask(entry: Entry, command: string, read?: ReadReply): Promise<unknown>;
  /** The node's answer to the oldest unanswered request of a session. */
  receive(reply: ReplyText): void;
}

export interface SessionsOptions {
  readonly executor: Executor;
  readonly parser: Parser;
  readonly turn: Turn;
  readonly settle: Settle;
}

/**
 * `atomic(async tx => …)`: reads run at once under WATCH on a connection of the node's, writes are queued (they answer
 * 'QUEUED') and happen together when the function has ended, or it runs again because a watched key has changed.
 */
export function createSessions(options: SessionsOptions): Sessions {
  return new SessionDesk(options);
}

class SessionDesk implements Sessions {
  readonly #executor: Executor;
  readonly #parser: Parser;
  readonly #turn: Turn;
  readonly #settle: Settle;

  constructor(options: SessionsOptions) {
    this.#executor = options.executor;
    this.#parser = options.parser;
    this.#turn = options.turn;
    this.#settle = options.settle;
  }

  readonly #sessions = new NativeMap<number, Session>();
  #lastId = 0;
  #sweepAt = SWEEP_AT;

  /** What an entry that has ended waited for is not answered any more. */
  #keep(session: Session): void {
    mapSet(this.#sessions, session.id, session);
    if (mapSize(this.#sessions) < this.#sweepAt) return;
    mapForEach(this.#sessions, ({ entry }, id) => {
      if (entry.ended) mapDelete(this.#sessions, id);
    });
    const left = 2 * mapSize(this.#sessions);
    this.#sweepAt = left > SWEEP_AT ? left : SWEEP_AT;
  }

  #open(entry: Entry): Session {
    const session: Session = { id: ++this.#lastId, entry, open: true, first: null, last: null };
    this.#keep(session);
    entry.sessions ??= new NativeMap();
    mapSet(entry.sessions, session.id, null);
    this.#request(session, 'open', '');
    return session;
  }

  #request(session: Session, op: SessionRequest['op'], command: string): void {
    noteSession(session.entry, op, { session: session.id, command });
    this.#settle.touch(session.entry.batch);
  }

  #wait(session: Session, waiter: SessionWaiter): void {
    if (session.last === null) session.first = waiter;
    else session.last.next = waiter;
    session.last = waiter;
    addOutstanding(session.entry);
  }

  #forget(session: Session): void {
    session.open = false;
    mapDelete(this.#sessions, session.id);
    if (session.entry.sessions !== null) mapDelete(session.entry.sessions, session.id);
  }

  #send(session: Session, args: readonly unknown[], raw: boolean): Promise<unknown> {
    if (!session.open || session.entry.ended) {
      throw guestError('GUEST_ERROR', 'tx.execute was called after the function of atomic had ended: await it inside.');
    }
    this.#request(session, 'command', this.#executor.encodeFor(session.entry, args, 'tx.execute'));
    const reply = deferred();
    this.#wait(session, {
      raw,
      read: null,
      next: null,
      receive: (value, error) => {
        if (error === null) reply.resolve(value);
        else rejectLate(reply.resolve, () => replyError(error));
      },
    });
    return reply.promise;
  }

  #transactionOf(session: Session): unknown {
    const execute = (...args: unknown[]): Promise<unknown> => this.#send(session, args, false);
    (execute as unknown as { raw: unknown }).raw = (...args: unknown[]): Promise<unknown> =>
      this.#send(session, args, true);
    return freeze({ execute });
  }

  #call(session: Session, fn: UserFunction): Promise<unknown> {
    this.#executor.callingSession = true;
    try {
      return promiseOf(fn(this.#transactionOf(session)));
    } finally {
      this.#executor.callingSession = false;
    }
  }

  #giveUp(session: Session): void {
    if (!session.open) return;
    if (!session.entry.ended) this.#request(session, 'discard', '');
    this.#forget(session);
  }

  /** Commits and answers with the replies, or null when a watched key has changed. */
  #commit(session: Session): Promise<unknown> {
    session.open = false;
    const reply = deferred();
    if (session.entry.ended) return reply.promise;
    this.#request(session, 'commit', '');
    this.#wait(session, {
      raw: false,
      read: null,
      next: null,
      receive: (value, error) => {
        this.#forget(session);
        if (error === null) reply.resolve(value);
        else rejectLate(reply.resolve, () => replyError(error));
      },
    });
    return reply.promise;
  }

  #attempt(entry: Entry, fn: UserFunction, number: number): Promise<unknown> {
    if (number > MAX_ATTEMPTS) {
      throw guestError(
        'ATOMIC_REFUSED',
        `atomic was tried ${MAX_ATTEMPTS} times and each time a key it had read was changed by somebody else before its writes.`,
      );
    }
    const session = this.#open(entry);
    let called: Promise<unknown>;
    try {
      called = this.#call(session, fn);
    } catch (error) {
      this.#giveUp(session);
      throw error;
    }
    const committed = promiseThen(
      called,
      () => this.#commit(session),
      (error) => {
        this.#giveUp(session);
        throw error;
      },
    );
    return promiseThen(committed, (replies) => (replies === null ? this.#attempt(entry, fn, number + 1) : replies));
  }

  run(entry: Entry, fn: UserFunction): Promise<unknown> {
    try {
      return this.#attempt(entry, fn, 1);
    } catch (error) {
      return rejected(error);
    }
  }

  next(entry: Entry, command: string): Promise<unknown> {
    return this.#single(entry, 'next', { command, read: null });
  }

  ask(entry: Entry, command: string, read?: ReadReply): Promise<unknown> {
    return this.#single(entry, 'ask', { command, read: read ?? null });
  }

  #single(entry: Entry, op: 'next' | 'ask', { command, read }: Single): Promise<unknown> {
    const session: Session = { id: ++this.#lastId, entry, open: true, first: null, last: null };
    this.#keep(session);
    this.#request(session, op, command);
    const reply = deferred();
    this.#wait(session, {
      raw: false,
      read,
      next: null,
      receive: (value, error) => {
        this.#forget(session);
        if (error === null) reply.resolve(value);
        else rejectLate(reply.resolve, () => replyError(error));
      },
    });
    return reply.promise;
  }

  receive(reply: ReplyText): void {
    const session = mapGet(this.#sessions, reply.session);
    const waiter = session?.first ?? null;
    if (session === undefined || waiter === null) return;
    session.first = waiter.next;
    if (waiter.next === null) session.last = null;
    removeOutstanding(session.entry);
    this.#settle.touch(session.entry.batch);
    this.#parser.open(reply.text, 0, true);
    const own = this.#parser.startsWith('-') ? null : waiter.read;
    const value = own === null ? this.#parser.reply(waiter.raw) : own(this.#parser);
    const error = own === null ? this.#parser.lastError : null;
    if (session.entry.ended) {
      mapDelete(this.#sessions, session.id);
      return;
    }
    this.#turn.enter(session.entry);
    waiter.receive(value, error);
    this.#turn.end();
  }
}
