import { commandEnd, PlatformError } from '#functions';
import type { AtomicSession, AtomicSessions } from '../bindings/binding.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { SessionRequest } from '../sandbox/messages.ts';
import { OpenAsks } from './open-asks.ts';

export interface SessionDeskOptions {
  readonly sessions: AtomicSessions;
  /** Hands a reply to the sandbox. */
  readonly reply: (session: number, text: string) => void;
  /** Hands a hooked command on. */
  readonly next: (entry: number, command: string) => Promise<string>;
  /** Answers what an entry asks for, with RESP text; `signal` is aborted with the end of the entry. */
  readonly ask: (entry: number, command: string, signal: AbortSignal) => Promise<string>;
  /** The session's connection is lost; its entry has to be given up. */
  readonly lost: (entry: number, reason: unknown) => void;
  /** A command was no RESP: the sandbox is to be killed. */
  readonly breach: (error: PlatformError) => void;
  /** True while the entry has no end. */
  readonly isOpen: (entry: number) => boolean;
}

interface OpenSession {
  readonly entry: number;
  readonly session: AtomicSession;
  /** Steps of one session run one after the other, however fast the guest asks for them. */
  tail: Promise<void>;
}

const MAX_SESSIONS = 1_000;

/**
 * The `atomic` sessions of one batch: what the guest asks step by step, and that none outlives its entry. `command` and
 * `commit` are answered, `open` and `discard` are not.
 */
export class SessionDesk {
  readonly #options: SessionDeskOptions;
  readonly #open = new Map<number, OpenSession>();
  readonly #asks = new OpenAsks();

  constructor(options: SessionDeskOptions) {
    this.#options = options;
  }

  /** Throws SANDBOX_PROTOCOL for a session that cannot be. */
  handle(request: SessionRequest): void {
    if (request.op === 'next') {
      this.#next(request);
      return;
    }
    if (request.op === 'ask') {
      this.#ask(request);
      return;
    }
    if (request.op === 'open') {
      this.#opened(request);
      return;
    }
    const known = this.#open.get(request.session);
    if (!known) {
      // Swept away with its entry, which the guest did not know yet.
      if (!this.#options.isOpen(request.entry)) return;
      throw breach(`session ${request.session} is not open`);
    }
    if (known.entry !== request.entry) throw breach(`session ${request.session} is not of entry ${request.entry}`);
    if (request.op === 'command') {
      this.#answer(known, request, () => known.session.command(request.command));
      return;
    }
    this.#open.delete(request.session);
    if (request.op === 'commit') this.#answer(known, request, () => known.session.commit());
    else known.tail = known.tail.then(() => known.session.discard());
  }

  /** Gives back what ended entries left open. */
  sweep(): void {
    this.#asks.sweep(this.#options.isOpen);
    for (const [id, { entry, session }] of this.#open) {
      if (this.#options.isOpen(entry)) continue;
      this.#open.delete(id);
      void session.discard();
    }
  }

  #next({ entry, session, command }: SessionRequest): void {
    if (commandEnd(command, 0) !== command.length) throw breach('what is to be handed on is no command');
    this.#options.next(entry, command).then(
      (reply) => this.#options.reply(session, reply),
      (reason: unknown) => this.#options.lost(entry, reason),
    );
  }

  /** What cannot be answered for a reason outside of the function makes its entry run again. */
  #ask({ entry, session, command }: SessionRequest): void {
    if (!this.#options.isOpen(entry)) return;
    if (commandEnd(command, 0) !== command.length) throw breach('what is asked for is no command');
    const ask = this.#asks.begin(entry);
    this.#options.ask(entry, command, ask.signal).then(
      (reply) => {
        ask.end();
        this.#options.reply(session, reply);
      },
      (reason: unknown) => {
        ask.end();
        if (ask.signal.aborted) return;
        const error = PlatformError.from(reason, 'REDIS_LINK_LOST');
        if (error.code === 'SANDBOX_PROTOCOL') this.#options.breach(error);
        else this.#options.lost(entry, error);
      },
    );
  }

  #opened(request: SessionRequest): void {
    if (this.#open.has(request.session)) throw breach(`session ${request.session} is open already`);
    const full = this.#open.size >= MAX_SESSIONS;
    const session = full ? REFUSING : this.#options.sessions.open(undefined, request.entry);
    this.#open.set(request.session, { entry: request.entry, session, tail: Promise.resolve() });
  }

  #answer(known: OpenSession, request: SessionRequest, work: () => Promise<string>): void {
    known.tail = known.tail.then(async () => {
      try {
        this.#options.reply(request.session, await work());
      } catch (reason) {
        const error = PlatformError.from(reason, 'REDIS_LINK_LOST');
        if (error.code === 'ATOMIC_REFUSED') this.#options.reply(request.session, refusal(error.message));
        else if (error.code === 'SANDBOX_PROTOCOL') this.#options.breach(error);
        else this.#options.lost(request.entry, error);
      }
    });
  }
}

const TOO_MANY = refusal(`more than ${MAX_SESSIONS} atomic(...) of one batch are open at once`);

const REFUSING: AtomicSession = {
  command: async () => TOO_MANY,
  commit: async () => TOO_MANY,
  discard: async () => {},
};

function refusal(message: string): string {
  return `-ATOMIC_REFUSED ${message}\r\n`;
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox asked for a transaction that cannot be: ${what}`);
}
