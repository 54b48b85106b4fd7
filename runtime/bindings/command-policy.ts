import type { CommandFacts, CommandTable } from '#functions';
import type { CommandPolicy, Refusal } from './binding.ts';
import { argumentsAt, CommandScanner, malformed } from './command-scan.ts';
import {
  allowedSubcommands,
  BLOCKING_BY_OPTION,
  blocksByOption,
  CONTAINERS,
  forbiddenFlags,
  forbiddenName,
  sortReaches,
  WITHOUT_KEYS,
} from './forbidden-commands.ts';
import { keyMatcher } from './key-patterns.ts';

export interface CommandPolicyOptions {
  /** The server's own table; a command it does not know is refused. */
  readonly table: CommandTable;
  /** Begin of the platform's own keys; no function touches them. */
  readonly prefix: string;
  /** Lower-case names: nothing else may be sent. Default: everything that is not forbidden. */
  readonly allow?: ReadonlySet<string>;
  /** Glob patterns (latin1): no other key may be touched. Default: all but the platform's. */
  readonly keys?: readonly string[];
}

/** What is known of all commands whose text begins with the same header and name. */
interface Shape {
  /** `*<argc>\r\n$<length>\r\n<NAME>\r\n`. */
  readonly head: string;
  readonly argumentCount: number;
  readonly name: string;
  /** Refused whatever the arguments. */
  readonly refusal: string | null;
  /** The arguments decide. */
  readonly inspect: boolean;
  readonly facts: CommandFacts | undefined;
}

const MAX_NAME_LENGTH = 64;
/** Server flags of commands that read or write data, or whose keys stand anywhere. */
const TOUCHING = ['write', 'readonly', 'movablekeys'] as const;
const MAX_LISTED = 10;
const MAX_SHAPES = 4096;

/** Decides which Redis commands guests may send: see `forbidden-commands.ts` for the rules. */
export function createCommandPolicy(options: CommandPolicyOptions): CommandPolicy {
  const policy = new ScanningPolicy(options);
  return {
    check: (commands, count) => policy.check(commands, count),
    checkOne: (command) => policy.check(command, 1)?.[0] ?? null,
  };
}

class ScanningPolicy {
  readonly #options: CommandPolicyOptions;
  readonly #shapes = new Map<string, Shape>();
  readonly #firstOfPrefix: number;
  /** Null = any key. */
  readonly #isOwnKey: ((key: string) => boolean) | null;

  constructor(options: CommandPolicyOptions) {
    this.#options = options;
    this.#isOwnKey = options.keys === undefined ? null : keyMatcher(options.keys);
    this.#firstOfPrefix = options.prefix.charCodeAt(0);
  }

  check(commands: string, count: number): readonly Refusal[] | null {
    const scanner = new CommandScanner(commands);
    let refusals: Refusal[] | null = null;
    let shape: Shape | null = null;
    for (let position = 0; position < count; position += 1) {
      const start = scanner.at;
      // Commands of one round mostly look alike: comparing with the one before saves parsing the header.
      if (shape === null || !commands.startsWith(shape.head, start)) shape = this.#shapeAt(scanner);
      else scanner.at = start + shape.head.length;
      const touchesPrefix = this.#walkArguments(scanner, shape.argumentCount);
      if (shape.refusal === null && !shape.inspect && !touchesPrefix) continue;
      const reason = shape.refusal ?? this.#judge(shape, argumentsAt(commands, start), touchesPrefix);
      if (reason === null) continue;
      refusals ??= [];
      refusals.push({ position, reply: refusalReply(shape.name, reason) });
    }
    if (scanner.at !== commands.length) throw malformed(scanner.at, `more text than ${count} commands`);
    return refusals;
  }

  /** Moves behind the arguments that follow the name; true when one of them begins like a platform key. */
  #walkArguments(scanner: CommandScanner, argumentCount: number): boolean {
    let touches = false;
    const { text } = scanner;
    for (let left = argumentCount - 1; left > 0; left -= 1) {
      const length = scanner.bulkLength();
      if (text.charCodeAt(scanner.at) === this.#firstOfPrefix && text.startsWith(this.#options.prefix, scanner.at)) {
        touches = true;
      }
      scanner.skipBulk(length);
    }
    return touches;
  }

  #shapeAt(scanner: CommandScanner): Shape {
    const start = scanner.at;
    const argumentCount = scanner.argumentCount();
    const length = scanner.bulkLength();
    const nameStart = scanner.at;
    scanner.skipBulk(length);
    const head = scanner.text.slice(start, scanner.at);
    const known = this.#shapes.get(head);
    if (known) return known;
    const shape = this.#shapeOf({ head, argumentCount, rawName: scanner.text.slice(nameStart, nameStart + length) });
    if (length > MAX_NAME_LENGTH) return shape;
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.clear();
    this.#shapes.set(head, shape);
    return shape;
  }

  #shapeOf(parsed: { readonly head: string; readonly argumentCount: number; readonly rawName: string }): Shape {
    const name = parsed.rawName.toLowerCase();
    const facts = name.length > MAX_NAME_LENGTH ? undefined : this.#options.table.find(name);
    const inspect =
      this.#isOwnKey !== null ||
      BLOCKING_BY_OPTION.has(name) ||
      name === 'sort' ||
      name === 'sort_ro' ||
      CONTAINERS.has(name) ||
      allowedSubcommands(name) !== null;
    return {
      head: parsed.head,
      argumentCount: parsed.argumentCount,
      name,
      refusal: this.#refusalOf(name, facts),
      inspect,
      facts,
    };
  }

  #refusalOf(name: string, facts: CommandFacts | undefined): string | null {
    const { allow } = this.#options;
    const forbidden = forbiddenName(name);
    if (forbidden !== null) return forbidden;
    if (allow && !allow.has(name)) return `configure({ commands }) of the function allows ${listed([...allow])}`;
    if (!facts) return 'the server does not know it';
    return forbiddenFlags(name, facts.flags);
  }

  #judge(shape: Shape, args: readonly string[], touchesPrefix: boolean): string | null {
    const { name } = shape;
    if (BLOCKING_BY_OPTION.has(name)) {
      const blocks = blocksByOption(args);
      if (blocks !== null) return blocks;
    }
    if (name === 'sort' || name === 'sort_ro') {
      const reaches = sortReaches(args, this.#options.prefix);
      if (reaches !== null) return reaches;
    }
    const forbidden = this.#judgeSubcommand(name, args[1]?.toLowerCase() ?? '');
    if (forbidden !== null) return forbidden;
    const platformKey = touchesPrefix ? this.#platformKey(shape, args) : null;
    return platformKey ?? (this.#isOwnKey === null ? null : this.#foreignKey(shape, args, this.#isOwnKey));
  }

  /** Where keys are restricted, a command whose keys nobody can tell beforehand cannot be sent at all. */
  #foreignKey({ name, facts }: Shape, args: readonly string[], isOwn: (key: string) => boolean): string | null {
    const { table, keys: patterns = [] } = this.#options;
    const rule = `configure({ keys }) of the function allows ${listed(patterns)}`;
    const keys = table.keysOf(args);
    if (keys.length === 0) {
      const flags = (CONTAINERS.has(name) ? table.find(name, args[1]) : facts)?.flags;
      return TOUCHING.some((flag) => flags?.has(flag)) ? `its keys are not known beforehand; ${rule}` : null;
    }
    const reached = name.startsWith('sort') ? keys.slice(1).find((key) => key.includes('*')) : undefined;
    if (reached !== undefined) return `its pattern "${printable(reached)}" reaches any key; ${rule}`;
    const foreign = keys.find((key) => !isOwn(key));
    return foreign === undefined ? null : `it touches the key "${printable(foreign)}"; ${rule}`;
  }

  #judgeSubcommand(name: string, sub: string): string | null {
    const allowed = allowedSubcommands(name);
    if (allowed && !allowed.has(sub)) return `of ${name.toUpperCase()} only ${[...allowed].join(', ')} may be sent`;
    if (!CONTAINERS.has(name)) return null;
    const facts = this.#options.table.find(name, sub);
    return facts ? forbiddenFlags(name, facts.flags) : null;
  }

  #platformKey(shape: Shape, args: readonly string[]): string | null {
    const { prefix } = this.#options;
    if (WITHOUT_KEYS.has(shape.name)) return null;
    const keys = keysByPosition(shape, args) ?? args.slice(1);
    const key = keys.find((candidate) => candidate.startsWith(prefix));
    if (key === undefined) return null;
    return `"${printable(key)}" begins with "${prefix}", and such names belong to the platform`;
  }
}

/** The keys where fixed positions give all of them; null where any argument could be one. */
function keysByPosition(shape: Shape, args: readonly string[]): readonly string[] | null {
  const { facts, name } = shape;
  if (name === 'publish' || name === 'spublish') return args.slice(1, 2);
  if (!facts || facts.firstKey < 1 || facts.step < 1) return null;
  if (facts.flags.has('movablekeys') || CONTAINERS.has(name) || name.includes('.')) return null;
  const last = facts.lastKey < 0 ? args.length + facts.lastKey : facts.lastKey;
  const keys: string[] = [];
  for (let at = facts.firstKey; at <= last && at < args.length; at += facts.step) keys.push(args[at] ?? '');
  return keys;
}

function refusalReply(name: string, reason: string): string {
  return `-COMMAND_FORBIDDEN ${printable(name.toUpperCase())} may not be sent by a function: ${reason}\r\n`;
}

/** What a rule names, as far as it fits into an error line. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `only ${names.slice(0, MAX_LISTED).map(printable).join(', ')}${more}`;
}

/** Guest text inside an error line: no line ends, nothing endless. */
function printable(text: string): string {
  const short = text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}...` : text;
  return short.replace(/[^\x20-\x7e]/g, '?');
}
