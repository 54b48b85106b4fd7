import type { CommandTable } from '#functions';
import type { SentCommand } from '../delivery/delivery.ts';
import { latin1Of, showCommand } from '../values.ts';

/** What a function has done to a key, in a clean run and in one that was disturbed. */
export interface Deeds {
  readonly clean: readonly SentCommand[];
  readonly disturbed: readonly SentCommand[];
  readonly commands: CommandTable;
}

/** The command behind a difference, and how often it has happened. */
export interface Cause {
  readonly command: SentCommand;
  readonly times: number;
  readonly timesClean: number;
}

/**
 * The first command on the key that has happened more often than in the clean run; else the first one that did not happen there
 * at all (a value that came out different); else the last that wrote to it.
 */
export function findCause(key: string, { clean, disturbed, commands }: Deeds): Cause | null {
  const onKey = (sent: SentCommand): boolean => hasHappened(sent) && writesTo(sent, key, commands);
  const [before, after] = [clean.filter(onKey), disturbed.filter(onKey)];
  const timesOf = (list: readonly SentCommand[], command: SentCommand): number =>
    list.filter((other) => textOf(other) === textOf(command)).length;
  const more = after.filter((command) => timesOf(after, command) > timesOf(before, command));
  const repeated = more.find((command) => timesOf(before, command) > 0);
  const command = repeated ?? more[0] ?? after.at(-1) ?? before.at(-1);
  if (command === undefined) return null;
  return { command, times: timesOf(after, command), timesClean: timesOf(before, command) };
}

/** An error reply has changed nothing; a command without any reply may have happened before the crash. */
function hasHappened({ reply }: SentCommand): boolean {
  return reply !== undefined && !(reply instanceof Error);
}

function writesTo({ name, args }: SentCommand, key: string, commands: CommandTable): boolean {
  const texts = args.map(latin1Of);
  if (!isWrite({ name, args }, commands)) return false;
  return commands.keysOf([name, ...texts]).includes(key);
}

/** True for commands that change something. */
export function isWrite({ name, args }: Pick<SentCommand, 'name' | 'args'>, commands: CommandTable): boolean {
  const [sub] = args;
  return commands.find(name, typeof sub === 'string' ? sub : undefined)?.flags.has('write') ?? true;
}

function textOf({ name, args }: SentCommand): string {
  return JSON.stringify([name, ...args.map(latin1Of)]);
}

/** As a person would type it. */
export function textOfCommand({ name, args }: SentCommand): string {
  return showCommand(name, args);
}
