import {
  assertGroups,
  asTransaction,
  commandStarts,
  type Groups,
  transactionReplies,
  unwrapTransaction,
} from './command-groups.ts';
import type { CommandPipe, RawLink } from './raw-link.ts';
import { replyStarts } from './resp/scan.ts';

/** A pipe over one link, which it closes. Without groups the text passes untouched and unread. */
export function createSinglePipe(link: RawLink): CommandPipe {
  return {
    async send(commands, replies, groups) {
      if (!groups || groups.length === 0) return link.send(commands, replies);
      assertGroups(groups, replies);
      const starts = commandStarts(commands, replies);
      return unwrap(await link.send(wrap(commands, starts, groups), replies + 2 * groups.length), replies, groups);
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}

/** Puts MULTI and EXEC around each group. */
function wrap(commands: string, starts: Int32Array, groups: Groups): string {
  const parts: string[] = [];
  let next = 0;
  for (const [first, last] of groups) {
    parts.push(
      commands.slice(starts[next], starts[first]),
      asTransaction(commands.slice(starts[first], starts[last + 1])),
    );
    next = last + 1;
  }
  parts.push(commands.slice(starts[next]));
  return parts.join('');
}

/** Turns the replies to wrapped commands into one reply per command. */
function unwrap(text: string, commands: number, groups: Groups): string {
  const starts = replyStarts(text, commands + 2 * groups.length);
  const parts: string[] = [];
  let next = 0;
  let extra = 0;
  for (const [first, last] of groups) {
    const count = last - first + 1;
    const begin = first + extra;
    const end = begin + transactionReplies(count);
    parts.push(text.slice(starts[next + extra], starts[begin]));
    parts.push(unwrapTransaction(text.slice(starts[begin], starts[end]), count));
    next = last + 1;
    extra += 2;
  }
  parts.push(text.slice(starts[next + extra]));
  return parts.join('');
}
