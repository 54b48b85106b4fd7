import { addOutstanding, type Entry, removeOutstanding } from './batch.ts';
import { guestError } from './errors.ts';
import { type Executor, rejectLate, replyError } from './execute.ts';
import type { Parser } from './parse.ts';
import type { UserFunction } from './plan.ts';
import {
  deferred,
  freeze,
  mapDelete,
  mapGet,
  mapSet,
  NativeMap,
  promiseOf,
  promiseThen,
  rejected,
} from './primordials.ts';
import { noteSession, type Settle } from './settle.ts';
import type { Turn } from './turn.ts';

const MAX_ATTEMPTS = 100;

interface SessionWaiter {
  readonly raw: boolean;
  readonly receive: (value: unknown, error: string | null) => void;
  next: SessionWaiter | null;
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
  readonly ascii: boolean;
}

export interface Sessions {
  /** Runs `fn(tx)` until its EXEC is not refused, at most 100 times. */
  run(entry: Entry, fn: UserFunction): Promise<unknown>;
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
export function createSessions({ executor, parser, turn, settle }: SessionsOptions): Sessions {
  const sessions = new NativeMap<number, Session>();
  let lastId = 0;

  function open(entry: Entry): Session {
    const session: Session = { id: ++lastId, entry, open: true, first: null, last: null };
    mapSet(sessions, session.id, session);
    entry.sessions ??= new NativeMap();
    mapSet(entry.sessions, session.id, null);
    request(session, 'open', '');
    return session;
  }

  function request(session: Session, op: 'open' | 'command' | 'commit' | 'discard', command: string): void {
    noteSession(session.entry, op, { session: session.id, command });
    settle.touch(session.entry.batch);
  }

  function wait(session: Session, waiter: SessionWaiter): void {
    if (session.last === null) session.first = waiter;
    else session.last.next = waiter;
    session.last = waiter;
    addOutstanding(session.entry);
  }

  function forget(session: Session): void {
    session.open = false;
    mapDelete(sessions, session.id);
    if (session.entry.sessions !== null) mapDelete(session.entry.sessions, session.id);
  }

  function send(session: Session, args: readonly unknown[], raw: boolean): Promise<unknown> {
    if (!session.open || session.entry.ended) {
      throw guestError('GUEST_ERROR', 'tx.execute was called after the function of atomic had ended: await it inside.');
    }
    request(session, 'command', executor.encodeFor(session.entry, args, 'tx.execute'));
    const reply = deferred();
    wait(session, {
      raw,
      next: null,
      receive: (value, error) => {
        if (error === null) reply.resolve(value);
        else rejectLate(reply.resolve, () => replyError(error));
      },
    });
    return reply.promise;
  }

  function transactionOf(session: Session): unknown {
    const execute = (...args: unknown[]): Promise<unknown> => send(session, args, false);
    (execute as unknown as { raw: unknown }).raw = (...args: unknown[]): Promise<unknown> => send(session, args, true);
    return freeze({ execute });
  }

  function call(session: Session, fn: UserFunction): Promise<unknown> {
    executor.callingSession = true;
    try {
      return promiseOf(fn(transactionOf(session)));
    } finally {
      executor.callingSession = false;
    }
  }

  function giveUp(session: Session): void {
    if (!session.open) return;
    if (!session.entry.ended) request(session, 'discard', '');
    forget(session);
  }

  /** Commits and answers with the replies, or null when a watched key has changed. */
  function commit(session: Session): Promise<unknown> {
    session.open = false;
    const reply = deferred();
    if (session.entry.ended) return reply.promise;
    request(session, 'commit', '');
    wait(session, {
      raw: false,
      next: null,
      receive: (value, error) => {
        forget(session);
        if (error === null) reply.resolve(value);
        else rejectLate(reply.resolve, () => replyError(error));
      },
    });
    return reply.promise;
  }

  function attempt(entry: Entry, fn: UserFunction, number: number): Promise<unknown> {
    if (number > MAX_ATTEMPTS) {
      throw guestError(
        'ATOMIC_REFUSED',
        `atomic was tried ${MAX_ATTEMPTS} times and each time a key it had read was changed by somebody else before its writes.`,
      );
    }
    const session = open(entry);
    let called: Promise<unknown>;
    try {
      called = call(session, fn);
    } catch (error) {
      giveUp(session);
      throw error;
    }
    const committed = promiseThen(
      called,
      () => commit(session),
      (error) => {
        giveUp(session);
        throw error;
      },
    );
    return promiseThen(committed, (replies) => (replies === null ? attempt(entry, fn, number + 1) : replies));
  }

  return {
    run(entry, fn) {
      try {
        return attempt(entry, fn, 1);
      } catch (error) {
        return rejected(error);
      }
    },
    receive(reply) {
      const session = mapGet(sessions, reply.session);
      const waiter = session?.first ?? null;
      if (session === undefined || waiter === null) return;
      session.first = waiter.next;
      if (waiter.next === null) session.last = null;
      removeOutstanding(session.entry);
      settle.touch(session.entry.batch);
      parser.open(reply.text, 0, reply.ascii);
      const value = parser.reply(waiter.raw);
      const error = parser.lastError;
      if (session.entry.ended) return;
      turn.enter(session.entry);
      waiter.receive(value, error);
      turn.end();
    },
  };
}
