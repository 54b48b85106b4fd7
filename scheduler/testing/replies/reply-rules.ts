import type { Reply } from '../values.ts';

/** Makes the reply of a command; undefined = there is none for these arguments. */
export type ReplyFunction = (args: readonly (string | Uint8Array)[]) => Reply | undefined;

/** Replies one after the other; the last one for all further commands. */
export class RepliesInTurn {
  readonly replies: readonly Reply[];

  constructor(replies: readonly Reply[]) {
    this.replies = replies;
  }
}

/**
 * Different replies to the same command, one after the other; the last one stays.
 * @example
 * const replies = { 'GET stock': inTurn('3', '2') };
 */
export function inTurn(...replies: readonly Reply[]): RepliesInTurn {
  return new RepliesInTurn(replies);
}

/**
 * What stands in the place of Redis: a reply for a whole command (`'GET user:1'`) or for every command of a name (`'GET'`), the
 * whole command first; or one function that answers all of them.
 * @example
 * const replies = { 'HGET user:1 name': 'Ann', INCR: ([key]) => (key === 'visits' ? 8 : 1), SADD: 1 };
 */
export type ReplyRules =
  | Readonly<Record<string, Reply | ReplyFunction | RepliesInTurn>>
  | ((name: string, args: readonly (string | Uint8Array)[]) => Reply | undefined);

/** Answers one command; undefined = nothing was given for it. */
export type Answer = (name: string, args: readonly (string | Uint8Array)[]) => Reply | undefined;

export function answerOf(rules: ReplyRules): Answer {
  if (typeof rules === 'function') return rules;
  const table = new Map(Object.entries(rules).map(([command, reply]) => [normal(command), reply] as const));
  const used = new Map<RepliesInTurn, number>();
  return (name, args) => {
    const rule = table.get(normal([name, ...args.map(String)].join(' '))) ?? lookUp(table, name);
    if (typeof rule === 'function') return rule(args);
    if (!(rule instanceof RepliesInTurn)) return rule;
    const turn = used.get(rule) ?? 0;
    used.set(rule, turn + 1);
    return rule.replies[Math.min(turn, rule.replies.length - 1)];
  };
}

function lookUp<Rule>(table: ReadonlyMap<string, Rule>, name: string): Rule | undefined {
  return table.get(normal(name));
}

/** Names of commands have no case. */
function normal(command: string): string {
  const space = command.indexOf(' ');
  return space < 0 ? command.toUpperCase() : command.slice(0, space).toUpperCase() + command.slice(space);
}
