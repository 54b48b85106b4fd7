import type { Entry } from './batch.ts';
import { userFrames } from './describe.ts';
import type { Executor } from './execute.ts';
import { indexOf, NativeError, quote, reflectApply, slice } from './primordials.ts';
import type { Settle } from './settle.ts';

/** Where the caller stands, in the author's code as it was compiled; '' when nobody can tell. */
function callSite(): string {
  // What user code has made of stacks is its own affair.
  const stack: unknown = new NativeError().stack;
  if (typeof stack !== 'string') return '';
  const frames = userFrames(stack);
  const first = indexOf(frames, '\n') + 1;
  if (first === 0) return '';
  const end = indexOf(frames, '\n', first);
  return slice(frames, first, end < 0 ? frames.length : end);
}

/** A line of the log that counts against no limit: the entry, the number of its command, and where it was sent. */
function note({ batch, index, commands }: Entry): void {
  const json = `{"level":"debug","message":${quote(`\u0000${index} ${commands} ${callSite()}`)}}`;
  batch.logsJson += batch.logsJson === '' ? json : `,${json}`;
}

/** Rehearsals only: tells the node from which line each command is sent. */
export function noteCallSites(executor: Pick<Executor, 'encodeFor'>, settle: Pick<Settle, 'touch'>): void {
  const original = executor.encodeFor;
  executor.encodeFor = (...args) => {
    const text = reflectApply(original, executor, args) as string;
    settle.touch(args[0].batch);
    note(args[0]);
    return text;
  };
}
