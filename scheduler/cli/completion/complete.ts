import { settingRows } from '../../config.ts';
import type { ArgumentSpec, Command, CommandEntry, Completes, OptionSpec } from '../command.ts';

/** Something a person may want to type next. */
export interface Proposal {
  readonly value: string;
  readonly description: string;
}

/** What a shell offers: words, or files or folders, which it knows better. */
export type Offer = readonly Proposal[] | 'files' | 'folders';

export interface CompletionOptions {
  readonly entries: readonly CommandEntry[];
  /** Names that exist now; empty where nobody can tell. */
  names(kind: Completes, typed: Typed): Promise<readonly Proposal[]>;
}

/** What has been typed of a command. */
export interface Typed {
  /** Arguments before the word that is completed. */
  readonly args: readonly string[];
  /** Value of `--url`, if it was typed. */
  readonly url: string | undefined;
}

const GLOBAL: readonly OptionSpec[] = [
  { flags: '-h, --help', description: 'print help' },
  { flags: '-V, --version', description: 'print the version' },
  { flags: '--json', description: 'JSON output' },
];
const SHELL_KINDS: Readonly<Partial<Record<Completes, 'files' | 'folders'>>> = { file: 'files', folder: 'folders' };

/**
 * What may stand where the last word is. @param words those behind the program's name; the last one, maybe empty, is being typed.
 * Never fails because of what was typed.
 */
export async function complete(words: readonly string[], options: CompletionOptions): Promise<Offer> {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { entry, rest, group } = findCommand(before, options.entries);
  if (entry === undefined)
    return fitting(current, current.startsWith('-') ? optionWords(GLOBAL) : subCommands(group, options.entries));
  const command = await entry.load();
  const specs = optionsOf(command);
  const { args, given, pending, url } = readTyped(rest, specs);
  const valued = pending ?? openedHere(current, specs);
  if (valued !== undefined) return valueOffer(valued, current, { options, typed: { args, url } });
  if (current.startsWith('-')) return fitting(current, optionWords(specs.filter((spec) => !given.has(spec))));
  return argumentOffer(command.arguments ?? [], current, { options, typed: { args, url } });
}

interface Found {
  readonly entry: CommandEntry | undefined;
  readonly rest: readonly string[];
  /** First word of commands that have two, when it was typed. */
  readonly group: string | undefined;
}

function findCommand(before: readonly string[], entries: readonly CommandEntry[]): Found {
  const words = before.filter((word) => !(word.startsWith('-') || word === 'help'));
  const [first, second] = words;
  const isWhole = entries.some((each) => each.name === first);
  const entry = entries.find((each) => each.name === (isWhole ? first : `${first} ${second}`));
  if (entry === undefined) return { entry, rest: [], group: words.length > 1 ? '' : first };
  return { entry, rest: before.slice(before.indexOf((isWhole ? first : second) ?? '') + 1), group: undefined };
}

function subCommands(group: string | undefined, entries: readonly CommandEntry[]): readonly Proposal[] {
  const proposals = new Map<string, string>();
  for (const { name, summary } of entries) {
    const [first = '', second] = name.split(' ');
    if (group === undefined && !proposals.has(first))
      proposals.set(first, second === undefined ? summary : `${first} …`);
    if (group === first && second !== undefined) proposals.set(second, summary);
  }
  return [...proposals].map(([value, description]) => ({ value, description }));
}

function optionsOf(command: Command): readonly OptionSpec[] {
  const own = [...(command.options ?? []), { flags: '--json', description: 'JSON output' }, ...GLOBAL.slice(0, 1)];
  if (command.kind === 'remote') return [...own, { flags: '--url <url>', description: 'RESP door to talk to' }];
  if (command.kind === 'local') return own;
  const settings = settingRows().map(([, row]) => ({ flags: `--${row.name} <value>`, description: row.description }));
  return [
    ...own,
    { flags: '--config <file>', description: 'file with settings', completes: 'file' as const },
    ...settings,
  ];
}

interface ReadTyped extends Typed {
  readonly given: ReadonlySet<OptionSpec>;
  /** The option whose value is being typed. */
  readonly pending: OptionSpec | undefined;
}

function readTyped(rest: readonly string[], specs: readonly OptionSpec[]): ReadTyped {
  const args: string[] = [];
  const given = new Set<OptionSpec>();
  let pending: OptionSpec | undefined;
  let url: string | undefined;
  const takeValue = (spec: OptionSpec, value: string): void => {
    if (longName(spec) === '--url') url = value;
    pending = undefined;
  };
  const takeOption = (spec: OptionSpec, word: string): void => {
    given.add(spec);
    const equals = word.indexOf('=');
    if (equals >= 0) takeValue(spec, word.slice(equals + 1));
    else if (takesValue(spec)) pending = spec;
  };
  for (const word of rest) {
    const spec = specs.find(({ flags }) => flagWords(flags).includes(word.split('=', 1)[0] ?? ''));
    if (pending !== undefined) takeValue(pending, word);
    else if (spec !== undefined) takeOption(spec, word);
    else if (!word.startsWith('-')) args.push(word);
  }
  return { args, given, pending, url };
}

/** `--option=val`. */
function openedHere(current: string, specs: readonly OptionSpec[]): OptionSpec | undefined {
  if (!/^--[\w-]+=/.test(current)) return undefined;
  const name = current.slice(0, current.indexOf('='));
  return specs.find((spec) => takesValue(spec) && longName(spec) === name);
}

interface Surroundings {
  readonly options: CompletionOptions;
  readonly typed: Typed;
}

async function valueOffer(spec: OptionSpec, current: string, { options, typed }: Surroundings): Promise<Offer> {
  const prefix = current.startsWith(`${longName(spec)}=`) ? `${longName(spec)}=` : '';
  if (spec.choices !== undefined) {
    return fitting(
      current,
      spec.choices.map((value) => ({ value: `${prefix}${value}`, description: '' })),
    );
  }
  if (spec.completes === undefined) return [];
  const byShell = SHELL_KINDS[spec.completes];
  if (byShell !== undefined) return byShell;
  const names = await options.names(spec.completes, typed);
  return fitting(
    current,
    names.map((name) => ({ ...name, value: `${prefix}${name.value}` })),
  );
}

async function argumentOffer(
  specs: readonly ArgumentSpec[],
  current: string,
  { options, typed }: Surroundings,
): Promise<Offer> {
  const last = specs.at(-1);
  const spec = specs[typed.args.length] ?? (last?.syntax.includes('...') === true ? last : undefined);
  if (spec?.choices !== undefined) {
    return fitting(
      current,
      spec.choices.map((value) => ({ value, description: '' })),
    );
  }
  if (spec?.completes === undefined) return [];
  const byShell = SHELL_KINDS[spec.completes];
  if (byShell !== undefined) return byShell;
  const names = await options.names(spec.completes, typed);
  return fitting(
    current,
    names.filter(({ value }) => !typed.args.includes(value)),
  );
}

function optionWords(specs: readonly OptionSpec[]): readonly Proposal[] {
  return specs.map((spec) => ({ value: longName(spec), description: spec.description }));
}

function fitting(current: string, proposals: readonly Proposal[]): readonly Proposal[] {
  return proposals.filter(({ value }) => value.startsWith(current));
}

function flagWords(flags: string): readonly string[] {
  return flags.match(/(?<=^|[ ,])--?[\w-]+/g) ?? [];
}

function longName({ flags }: OptionSpec): string {
  return flagWords(flags).at(-1) ?? '';
}

function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<');
}
