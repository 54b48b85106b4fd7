import type { Entry } from './batch.ts';
import { guestError } from './errors.ts';
import type { Executor } from './execute.ts';
import { bareList, ordinaryList } from './primordials.ts';
import { encodeResults } from './results.ts';
import type { Sessions } from './session.ts';
import type { Settle } from './settle.ts';

export interface CommandContextOptions {
  readonly executor: Pick<Executor, 'ownerOf' | 'encodeFor'>;
  readonly sessions: Pick<Sessions, 'next'>;
  readonly settle: Pick<Settle, 'touch'>;
  readonly outputBytes: number;
}

/** Stands where the name of the hooked command will: the node knows it. */
const NEXT = 'NEXT';

/** What a function may do with the client whose command it runs for: `callNext`, `overrideReply`, `getCommand`. */
export function createCommandContext(options: CommandContextOptions): Readonly<Record<string, unknown>> {
  const { executor, sessions } = options;
  const linked = (what: string): Entry => {
    const entry = executor.ownerOf(what);
    if (entry.command === null) throw guestError('GUEST_ERROR', 'Can not get command ctx');
    return entry;
  };
  return {
    callNext: (...args: unknown[]): Promise<unknown> => {
      const entry = executor.ownerOf('callNext');
      if (!entry.batch.isHook) throw guestError('GUEST_ERROR', 'Can not get CommandHook ctx');
      const command = bareList<unknown>();
      command[0] = NEXT;
      for (let i = 0; i < args.length; i++) command[i + 1] = args[i];
      return sessions.next(entry, executor.encodeFor(entry, command, 'callNext'));
    },
    overrideReply: (value: unknown): void => {
      const entry = linked('overrideReply');
      if (entry.override !== null) throw guestError('GUEST_ERROR', 'Can only override reply once');
      const limit = options.outputBytes;
      const piece = { entry, value, key: null, kept: true, next: null };
      entry.override = encodeResults(piece, false, { left: limit, limit });
    },
    getCommand: (): unknown[] => ordinaryList(linked('getCommand').command as unknown[]),
  };
}
