import type { OwnerFlag } from '../sandbox/messages.ts';
import { type AtomicGroup, addOutstanding, type Entry, removeOutstanding, type Waiter } from './batch.ts';
import { encodeCommand } from './encode.ts';
import { type GuestCode, guestError } from './errors.ts';
import type { GuestLimits } from './limits.ts';
import { reserve } from './numbers.ts';
import { deferred, indexOf, ordinaryList, promiseThen, setAdd, slice } from './primordials.ts';
import type { Settle } from './settle.ts';
import type { Turn } from './turn.ts';

/** The values of messages.ts; the guest imports its types only. */
export const FLAGS: Pick<typeof OwnerFlag, 'opensGroup' | 'closesGroup'> = {
  opensGroup: 0x8000_0000,
  closesGroup: 0x4000_0000,
};

const PLATFORM_CODES = [
  'COMMAND_FORBIDDEN',
  'CROSS_SLOT',
  'LIMIT_COMMANDS',
  'LIMIT_WAITS',
  'ATOMIC_REFUSED',
  'RESULTS_TOO_LARGE',
  'EXECUTION_ABORTED',
] as const;

export interface Executor {
  /** Queues a command of the entry whose turn it is; the promise settles with its reply. Throws for wrong arguments. */
  send(args: readonly unknown[], raw: boolean): Promise<unknown>;
  /** Hands a reply to the one who waits for it. `error`: the text of an error reply. */
  deliver(waiter: Waiter, value: unknown, error: string | null): void;
  /** Encodes a command and counts it against the limits of an entry. */
  encodeFor(entry: Entry, args: readonly unknown[], what: string): string;
  /** The entry a call of `what` belongs to. Throws outside of events and after an entry's end. */
  ownerOf(what: string): Entry;
  /** While set, commands join this group. */
  group: AtomicGroup | null;
  /** True while a function with `tx` is being called. */
  callingSession: boolean;
}

/** The error of an error reply: Redis' own text; the platform's codes stand at its begin. */
export function replyError(text: string): Error {
  let code: GuestCode = 'REDIS_REPLY';
  const space = indexOf(text, ' ');
  const word = space < 0 ? text : slice(text, 0, space);
  for (let i = 0; i < PLATFORM_CODES.length; i++) if (PLATFORM_CODES[i] === word) code = PLATFORM_CODES[i] as GuestCode;
  return guestError(code, text);
}

/**
 * Rejects through a promise whose handler makes the error: so it is made while V8 knows who awaits it, and its stack shows
 * the author's `await` instead of nothing.
 */
export function rejectLate(resolve: (value: unknown) => void, make: () => Error): void {
  const trigger = deferred();
  resolve(
    promiseThen(trigger.promise, () => {
      throw make();
    }),
  );
  trigger.resolve(undefined);
}

export interface ExecutorOptions {
  readonly turn: Turn;
  readonly settle: Settle;
  readonly limits: GuestLimits;
  readonly warn: (message: string) => void;
}

export function createExecutor(options: ExecutorOptions): Executor {
  return new CommandQueue(options);
}

class CommandQueue implements Executor {
  group: AtomicGroup | null = null;
  callingSession = false;
  readonly #turn: Turn;
  readonly #settle: Settle;
  readonly #limits: GuestLimits;
  readonly #warn: (message: string) => void;

  constructor(options: ExecutorOptions) {
    this.#turn = options.turn;
    this.#settle = options.settle;
    this.#limits = options.limits;
    this.#warn = options.warn;
  }

  ownerOf(what: string): Entry {
    const entry = this.#turn.owner();
    if (entry !== null) return entry;
    const message =
      this.#turn.entry === null
        ? `${what} works only while an event is handled, not while the function is loaded.`
        : `${what} was called after the handler of its event had ended: return or await the promise that leads to it.`;
    throw guestError('GUEST_ERROR', message);
  }

  encodeFor(entry: Entry, args: readonly unknown[], what: string): string {
    const text = encodeCommand(args, what);
    const { commandsPerEvent, commandBytes } = this.#limits;
    if (entry.commands >= commandsPerEvent) {
      throw guestError(
        'LIMIT_COMMANDS',
        `One event may send ${commandsPerEvent} commands (setting limit-commands); this is one more.`,
        'range',
      );
    }
    const bytes = entry.commandBytes + text.length;
    if (bytes > commandBytes) {
      throw guestError(
        'LIMIT_COMMANDS',
        `The commands of one event may have ${commandBytes} bytes (setting limit-command-bytes); this one would make it ${bytes}.`,
        'range',
      );
    }
    entry.commands++;
    entry.commandBytes = bytes;
    return text;
  }

  send(args: readonly unknown[], raw: boolean): Promise<unknown> {
    const { group } = this;
    const entry = group === null ? this.ownerOf('execute') : group.entry;
    if (group === null) this.#refuseStray(entry);
    return this.#enqueue(this.encodeFor(entry, args, 'execute'), raw, entry);
  }

  deliver(waiter: Waiter, value: unknown, error: string | null): void {
    const { entry, group } = waiter;
    removeOutstanding(entry);
    if (error === null) waiter.resolve(value);
    else {
      if (entry.ended) this.#warn(`A command that nobody waited for failed: ${error}`);
      rejectLate(waiter.resolve, () => replyError(error));
    }
    if (group !== null) deliverToGroup(group, value, error);
  }

  #refuseStray(entry: Entry): void {
    if (this.callingSession) {
      throw guestError(
        'GUEST_ERROR',
        'Inside atomic(async tx => …) commands are sent with tx.execute, not with execute.',
      );
    }
    if (entry.strayAtomics === 0) return;
    throw guestError(
      'GUEST_ERROR',
      'execute was called after an await inside atomic(fn): only what fn sends before its first await is atomic. Use atomic(async tx => …) when fn needs replies.',
    );
  }

  /** The last part is free of calls that could fail half-way (a full stack), so that text and owners stay in step. */
  #enqueue(text: string, raw: boolean, entry: Entry): Promise<unknown> {
    const { group } = this;
    const { batch } = entry;
    const reply = deferred();
    const waiter: Waiter = { entry, raw, resolve: reply.resolve, group, next: null };
    let owner = entry.index;
    if (group !== null) {
      if (group.count === 0) owner += FLAGS.opensGroup;
      setAdd(group.promises, reply.promise);
      group.lastOwner = batch.owners.length;
    }
    reserve(batch.owners);
    this.#settle.touch(batch);
    addOutstanding(entry);
    if (group !== null) group.count++;
    batch.owners.items[batch.owners.length++] = owner;
    batch.commands += text;
    if (batch.lastWaiter === null) batch.firstWaiter = waiter;
    else batch.lastWaiter.next = waiter;
    batch.lastWaiter = waiter;
    return reply.promise;
  }
}

function deliverToGroup(group: AtomicGroup, value: unknown, error: string | null): void {
  group.replies[group.replies.length] = value;
  if (error !== null && group.failure === null) group.failure = error;
  if (group.replies.length < group.count) return;
  if (group.failure === null) group.resolve(ordinaryList(group.replies));
  else rejectLate(group.resolve, () => replyError(group.failure as string));
}
