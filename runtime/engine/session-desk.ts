import { PlatformError } from '#functions';
import type { AtomicSession, AtomicSessions } from '../bindings/binding.ts';
import type { RuntimeErrorCode } from '../errors.ts';
import type { SessionRequest } from '../sandbox/messages.ts';

export interface SessionDeskOptions {
  readonly sessions: AtomicSessions;
  /** Hands a reply to the sandbox. */
  readonly reply: (session: number, text: string) => void;
  /** The session's connection is lost; its entry has to be given up. */
  readonly lost: (entry: number, reason: unknown) => void;
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
const OPENED = '+OK\r\n';

/** The `atomic` sessions of one batch: what the guest asks step by step, and that none outlives its entry. */
export class SessionDesk {
  readonly #options: SessionDeskOptions;
  readonly #open = new Map<number, OpenSession>();

  constructor(options: SessionDeskOptions) {
    this.#options = options;
  }

  /** Throws SANDBOX_PROTOCOL for a session that cannot be. */
  handle(request: SessionRequest): void {
    if (request.op === 'open') {
      this.#opened(request);
      return;
    }
    const known = this.#open.get(request.session);
    if (!known || known.entry !== request.entry) throw breach(`session ${request.session} is not open`);
    if (request.op === 'command') {
      this.#answer(known, request, () => known.session.command(request.command));
      return;
    }
    this.#open.delete(request.session);
    if (request.op === 'commit') this.#answer(known, request, () => known.session.commit());
    else this.#answer(known, request, () => discarded(known.session));
  }

  /** Gives back what ended entries left open. */
  sweep(): void {
    for (const [id, { entry, session }] of this.#open) {
      if (this.#options.isOpen(entry)) continue;
      this.#open.delete(id);
      void session.discard();
    }
  }

  #opened(request: SessionRequest): void {
    if (this.#open.has(request.session)) throw breach(`session ${request.session} is open already`);
    if (this.#open.size >= MAX_SESSIONS) {
      const refusal = `-BUSY more than ${MAX_SESSIONS} atomic(...) are open at once\r\n`;
      this.#options.reply(request.session, refusal);
      return;
    }
    this.#open.set(request.session, {
      entry: request.entry,
      session: this.#options.sessions.open(),
      tail: Promise.resolve(),
    });
    this.#options.reply(request.session, OPENED);
  }

  #answer(known: OpenSession, request: SessionRequest, work: () => Promise<string>): void {
    known.tail = known.tail.then(async () => {
      try {
        this.#options.reply(request.session, await work());
      } catch (reason) {
        const error = PlatformError.from(reason, 'REDIS_LINK_LOST');
        if (error.code === 'ATOMIC_REFUSED') this.#options.reply(request.session, `-BUSY ${error.message}\r\n`);
        else this.#options.lost(request.entry, error);
      }
    });
  }
}

async function discarded(session: AtomicSession): Promise<string> {
  await session.discard();
  return OPENED;
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox asked for a transaction that cannot be: ${what}`);
}
