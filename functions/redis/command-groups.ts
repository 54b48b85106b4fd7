import { PlatformError } from '../errors.ts';
import { encodeError } from './resp/encode.ts';
import { commandEnd } from './resp/frame.ts';
import { replyStarts } from './resp/scan.ts';

/** Pairs of [first, last] command positions that run as one transaction. */
export type Groups = readonly (readonly [number, number])[];

const MULTI = '*1\r\n$5\r\nMULTI\r\n';
const EXEC = '*1\r\n$4\r\nEXEC\r\n';
const WATCHED_KEY_CHANGED = encodeError('EXECABORT Transaction discarded: a watched key was changed');

/** `commands` as a transaction. */
export function asTransaction(commands: string): string {
  return MULTI + commands + EXEC;
}

/** Replies that a transaction of so many commands gets: MULTI, QUEUED for each, EXEC. */
export function transactionReplies(commands: number): number {
  return commands + 2;
}

/** Start of each of `count` commands, and behind the last one its end. Throws RESP_MALFORMED when there are not as many. */
export function commandStarts(commands: string, count: number): Int32Array {
  const starts = new Int32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    at = commandEnd(commands, at);
    if (at < 0) break;
  }
  if (at !== commands.length) {
    throw new PlatformError('RESP_MALFORMED', `malformed RESP: the text does not hold exactly ${count} commands`);
  }
  starts[count] = at;
  return starts;
}

/** Throws ARGUMENT_INVALID unless the groups are ascending, apart, and within `count` commands. */
export function assertGroups(groups: Groups, count: number): void {
  let next = 0;
  for (const [first, last] of groups) {
    if (first < next || last < first || last >= count) {
      throw new PlatformError(
        'ARGUMENT_INVALID',
        `groups must ascend, not overlap and lie within ${count} commands: [${first}, ${last}]`,
      );
    }
    next = last + 1;
  }
}

/**
 * One reply per command out of the replies of a transaction (MULTI, QUEUED …, EXEC). When it was refused, each command
 * gets its own error, or that of EXEC.
 */
export function unwrapTransaction(replies: string, commands: number): string {
  const starts = replyStarts(replies, commands + 2);
  const multi = replies.slice(0, starts[1]);
  const execStart = starts[commands + 1] ?? 0;
  const exec = replies.slice(execStart);
  if (exec.startsWith(`*${commands}\r\n`)) return exec.slice(exec.indexOf('\n') + 1);
  const error = [multi, exec].find((reply) => reply.startsWith('-')) ?? WATCHED_KEY_CHANGED;
  let text = '';
  for (let i = 1; i <= commands; i++) {
    const own = replies.slice(starts[i], starts[i + 1]);
    text += own.startsWith('-') ? own : error;
  }
  return text;
}
