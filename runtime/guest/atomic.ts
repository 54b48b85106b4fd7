import type { AtomicGroup, Entry, Waiter } from './batch.ts';
import { guestError } from './errors.ts';
import { type Executor, FLAGS } from './execute.ts';
import type { UserFunction } from './plan.ts';
import { bareList, deferred, NativeSet, promiseOf, promiseThen, rejected, setHas } from './primordials.ts';
import type { Sessions } from './session.ts';

/** What must be put back when a function threw before anything was sent. */
interface Before {
  readonly commands: string;
  readonly owners: number;
  readonly lastWaiter: Waiter | null;
  readonly outstanding: number;
  readonly count: number;
  readonly bytes: number;
}

function remember(entry: Entry): Before {
  const { batch } = entry;
  return {
    commands: batch.commands,
    owners: batch.owners.length,
    lastWaiter: batch.lastWaiter,
    outstanding: entry.outstanding,
    count: entry.commands,
    bytes: entry.commandBytes,
  };
}

function putBack(entry: Entry, before: Before): void {
  const { batch } = entry;
  batch.commands = before.commands;
  batch.owners.length = before.owners;
  batch.lastWaiter = before.lastWaiter;
  if (before.lastWaiter === null) batch.firstWaiter = null;
  else before.lastWaiter.next = null;
  if (before.outstanding === 0 && entry.outstanding > 0 && !entry.ended) batch.blocked--;
  entry.outstanding = before.outstanding;
  entry.commands = before.count;
  entry.commandBytes = before.bytes;
}

function isPromiseLike(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}

/** From the next microtask on until `out` settles, commands of the entry are strays of its function. */
function watchAwaits(entry: Entry, out: unknown): void {
  let settled = false;
  let armed = false;
  const end = (): void => {
    settled = true;
    if (armed) entry.strayAtomics--;
  };
  promiseThen(promiseOf(out), end, end);
  promiseThen(promiseOf(undefined), () => {
    if (settled) return;
    armed = true;
    entry.strayAtomics++;
  });
}

function callInGroup(executor: Executor, group: AtomicGroup, fn: UserFunction): unknown {
  executor.group = group;
  try {
    return fn();
  } finally {
    executor.group = null;
  }
}

function createGroup(entry: Entry, resolve: (value: unknown) => void): AtomicGroup {
  return {
    entry,
    promises: new NativeSet(),
    replies: bareList(),
    count: 0,
    lastOwner: 0,
    failure: null,
    resolve,
  };
}

/** The commands that `fn` sends before it returns or first awaits leave as one group. */
function writesOnly(executor: Executor, entry: Entry, fn: UserFunction): Promise<unknown> {
  const result = deferred();
  const group = createGroup(entry, result.resolve);
  const before = remember(entry);
  let out: unknown;
  try {
    out = callInGroup(executor, group, fn);
  } catch (error) {
    putBack(entry, before);
    return rejected(error);
  }
  if (group.count === 0) result.resolve([]);
  else {
    const { items } = entry.batch.owners;
    items[group.lastOwner] = (items[group.lastOwner] as number) + FLAGS.closesGroup;
  }
  if (!isPromiseLike(out) || setHas(group.promises, out)) return result.promise;
  watchAwaits(entry, out);
  // What an async function throws rejects the whole, although its commands have left.
  return promiseThen(promiseOf(out), () => result.promise);
}

/**
 * `atomic(fn)`. Without a parameter the commands that `fn` sends before it returns (before its first await, when it is
 * async) leave as one group; what it throws takes the whole group back. With a parameter it is a session, see session.ts.
 * Resolves with the replies of the writes.
 */
export function createAtomic(executor: Executor, sessions: Sessions): (fn: unknown) => Promise<unknown> {
  return (fn) => {
    if (typeof fn !== 'function') {
      throw guestError('GUEST_ERROR', 'atomic: the argument must be a function, such as () => { execute(…) }.', 'type');
    }
    if (executor.group !== null || executor.callingSession) {
      throw guestError('GUEST_ERROR', 'Already inside an atomic block: atomic cannot be nested.');
    }
    const entry = executor.ownerOf('atomic');
    return fn.length === 0 ? writesOnly(executor, entry, fn as UserFunction) : sessions.run(entry, fn as UserFunction);
  };
}
