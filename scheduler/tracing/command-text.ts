import { argsOf, type CommandTable, createCommandScan, scanCommand, utf8FromLatin1 } from '#functions';

/** A command as a span shows it. */
export interface ShownCommand {
  /** Upper case. */
  readonly name: string;
  /** With its keys, and a `?` for each other argument. */
  readonly text: string;
}

const MOST_ARGUMENTS = 20;
const LONGEST_KEY = 200;

/** Each of `count` commands, one behind the other; values never leave. RESP_MALFORMED. */
export function* shownCommands(commands: string, count: number, table: CommandTable): Generator<ShownCommand> {
  const scan = createCommandScan();
  for (let at = 0, from = 0; at < count; at += 1, from = scan.end) {
    if (scanCommand(commands, from, scan) === null) return;
    yield shown(argsOf(commands, scan), table);
  }
}

function shown(args: readonly string[], table: CommandTable): ShownCommand {
  const name = (args[0] ?? '').toUpperCase();
  const keys = new Set(table.keysOf(args));
  const words = args.slice(1, MOST_ARGUMENTS + 1).map((word) => (keys.has(word) ? keyText(word) : '?'));
  if (args.length > MOST_ARGUMENTS + 1) words.push('…');
  return { name, text: [name, ...words].join(' ') };
}

function keyText(key: string): string {
  return utf8FromLatin1(key.slice(0, LONGEST_KEY));
}

/** Begin of an error reply, `WRONGTYPE`; null for every other reply. */
export function errorCodeOf(replies: string, at: number): string | null {
  if (replies.charAt(at) !== '-') return null;
  return /^[^\s]{1,60}/.exec(replies.slice(at + 1, at + 61))?.[0] ?? 'ERR';
}
