import { PlatformError } from '../errors.ts';
import { assertGroups, asTransaction, type Groups, transactionReplies, unwrapTransaction } from './command-groups.ts';
import type { CommandTable } from './command-table.ts';
import { slotOfKey } from './hash-tags.ts';
import { encodeError } from './resp/encode.ts';
import { argsOf, type CommandScan, createCommandScan, replyStarts, scanCommand } from './resp/scan.ts';

/** What goes to one shard as it is: one command, or one transaction. */
export interface Unit {
  /** Commands of the caller in it. */
  readonly commands: number;
  /** RESP as it is sent, MULTI and EXEC included. */
  readonly text: string;
  /** Replies the server gives to `text`. */
  readonly replies: number;
  /** −1 when none of its commands has a key. */
  readonly slot: number;
  /** The reply for each command when it cannot be sent at all. */
  readonly refusal: string | null;
}

/** Splits a text of `count` commands into units. Throws RESP_MALFORMED or ARGUMENT_INVALID. */
export function splitUnits(commands: string, count: number, options: SplitOptions): Unit[] {
  const { table, groups } = options;
  assertGroups(groups, count);
  const scan = createCommandScan();
  const units: Unit[] = [];
  let at = 0;
  let group = 0;
  for (let i = 0; i < count; ) {
    const [first, last] = groups[group] ?? [-1, -1];
    const size = first === i ? last - first + 1 : 1;
    if (first === i) group++;
    const keys: string[] = [];
    const start = at;
    for (let c = 0; c < size; c++) at = collectKeys({ commands, at, scan, table }, keys);
    const text = commands.slice(start, at);
    units.push(first === i ? transaction(text, size, keys) : unitOf(text, { commands: 1, replies: 1, keys }));
    i += size;
  }
  if (at !== commands.length) {
    throw new PlatformError('RESP_MALFORMED', `malformed RESP: the text holds more than ${count} commands`);
  }
  return units;
}

export interface SplitOptions {
  readonly table: CommandTable;
  readonly groups: Groups;
}

interface ScanPlace {
  readonly commands: string;
  readonly at: number;
  readonly scan: CommandScan;
  readonly table: CommandTable;
}

/** Adds the keys of the command at `at`; returns its end. */
function collectKeys({ commands, at, scan, table }: ScanPlace, keys: string[]): number {
  if (!scanCommand(commands, at, scan)) {
    throw new PlatformError('RESP_MALFORMED', 'malformed RESP: the text ends within a command');
  }
  for (const key of table.keysOf(argsOf(commands, scan))) keys.push(key);
  return scan.end;
}

interface UnitFacts {
  readonly commands: number;
  readonly replies: number;
  readonly keys: readonly string[];
}

function transaction(text: string, commands: number, keys: readonly string[]): Unit {
  return unitOf(asTransaction(text), { commands, replies: transactionReplies(commands), keys });
}

function unitOf(text: string, { commands, replies, keys }: UnitFacts): Unit {
  const [first, ...others] = keys;
  const slot = first === undefined ? -1 : slotOfKey(first);
  const stray = others.find((key) => slotOfKey(key) !== slot);
  const refusal = stray === undefined ? null : crossSlot(first ?? '', stray).repeat(commands);
  return { commands, text, replies, slot, refusal };
}

function crossSlot(one: string, other: string): string {
  const show = (key: string): string => `${JSON.stringify(key.slice(0, 100))} (slot ${slotOfKey(key)})`;
  return encodeError(
    `CROSS_SLOT the keys ${show(one)} and ${show(other)} are in different slots; give keys that belong together the same {tag}`,
  );
}

/** Where a unit was told to go instead, or why it has to be sent again. */
export type Redirection =
  | { readonly kind: 'moved' | 'ask'; readonly slot: number; readonly host: string; readonly port: number }
  | { readonly kind: 'later' };

/** Reads the reply to a unit: null when it was executed (or refused for good). */
export function redirectionOf(reply: string, unit: Unit): Redirection | null {
  if (unit.replies === 1) return reply.startsWith('-') ? redirectionIn(reply) : null;
  // A transaction is executed only when none of its commands was refused while queueing.
  if (!reply.includes('\r\n-')) return null;
  const starts = replyStarts(reply, unit.replies);
  if (!reply.startsWith('-EXECABORT', starts[unit.replies - 1])) return null;
  for (let i = 1; i <= unit.commands; i++) {
    const found = redirectionIn(reply.slice(starts[i], starts[i + 1]));
    if (found) return found;
  }
  return null;
}

/** The replies of an executed unit, one per command. */
export function repliesOf(reply: string, unit: Unit): string {
  return unit.replies === unit.commands ? reply : unwrapTransaction(reply, unit.commands);
}

function redirectionIn(error: string): Redirection | null {
  if (/^-(?:TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN)\b/.test(error)) return { kind: 'later' };
  const match = /^-(MOVED|ASK) (\d+) (\S*):(\d+)\r\n/.exec(error);
  if (!match) return null;
  const kind = match[1] === 'ASK' ? 'ask' : 'moved';
  return { kind, slot: Number(match[2]), host: match[3] ?? '', port: Number(match[4]) };
}
