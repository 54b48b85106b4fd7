import { styleText } from 'node:util';
import { Argument, Command as Commander, InvalidArgumentError, Option } from 'commander';
import { PlatformError } from '#functions';
import { doorUrl, settingRows } from '../config.ts';
import { connectDoor, type DoorClient } from './client.ts';
import type { Command, CommandEntry, CommandInput, OptionSpec, OptionValues } from './command.ts';
import { EXIT_CODE_MEANINGS, type ExitCode } from './exit-code.ts';
import { createLeaving, type Leaving } from './leaving.ts';
import { createOutput, type TextStream } from './render.ts';

/** The process as the program sees it. */
export interface ProgramStreams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Left out: nobody can go. */
  readonly leaving?: Leaving;
}

export interface ProgramOptions extends ProgramStreams {
  readonly version: string;
  readonly entries: readonly CommandEntry[];
  /** Receives what the command returned. */
  readonly onExit: (code: ExitCode) => void;
}

const GROUP_SUMMARIES: Readonly<Record<string, string>> = {
  env: 'values that a function reads by name',
  secret: 'values that only their function reads',
  dlq: 'look at dead letters, run them again, throw them away',
  token: 'make, list and end tokens of the HTTP door',
};

/** Command lines without the leading `regears`. */
export const GROUP_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  dlq: ['dlq list --since 2h', 'dlq redrive --function orders --dry-run'],
  env: ['env set mailer REGION=eu', 'env list mailer'],
  secret: ['secret set mailer API_KEY', 'secret list mailer'],
  token: ['token create grafana', 'token list'],
};
export const FIRST_STEPS: readonly string[] = [
  'init page-views',
  'start',
  'deploy functions/examples/clicks.ts',
  'tail events:web',
  'top',
];

/** Builds the commander program. Only the modules of the commands that `argv` names are loaded. */
export async function createProgram(options: ProgramOptions, argv: readonly string[]): Promise<Commander> {
  const program = new Commander('regears')
    .description('Serverless event functions on Redis Streams.')
    .version(options.version, '-V, --version', 'print the version')
    .option('--json', 'JSON on standard output, errors as JSON on standard error')
    .helpOption('-h, --help', 'print help')
    .enablePositionalOptions()
    .addHelpText('after', () => `${examplesHelp(FIRST_STEPS)}\n${exitCodeHelp()}`);
  applyStyle(program, options, argv.includes('--json'));
  const word = argv.find((argument) => !argument.startsWith('-') && argument !== 'help');
  for (const entry of options.entries) {
    const [first = '', second] = entry.name.split(' ');
    const parent = second === undefined ? program : groupOf(program, first, entry);
    const leaf = parent
      .command(second ?? first, { hidden: entry.isHidden === true })
      .summary(entry.summary)
      .description(entry.summary);
    leaf.helpGroup(`${entry.heading}:`);
    if (word === first) define(leaf, await entry.load(), options);
  }
  return program;
}

function groupOf(program: Commander, name: string, entry: CommandEntry): Commander {
  const existing = program.commands.find((command) => command.name() === name);
  if (existing !== undefined) return existing;
  const summary = GROUP_SUMMARIES[name] ?? '';
  const group = program.command(name).summary(summary).description(summary).helpGroup(`${entry.heading}:`);
  return group.addHelpText('after', () => examplesHelp(GROUP_EXAMPLES[name] ?? []));
}

function define(leaf: Commander, command: Command, options: ProgramOptions): void {
  if (command.description !== undefined) leaf.description(command.description);
  for (const { syntax, description, choices } of command.arguments ?? []) {
    const argument = new Argument(syntax, description);
    leaf.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  for (const option of command.options ?? []) leaf.addOption(optionOf(option));
  if (command.kind === 'remote')
    leaf.option('--url <url>', 'RESP door to talk to (default: REGEARS_URL, else redis://127.0.0.1:6380)');
  else if (command.kind === 'settings') addSettings(leaf);
  leaf.option('--json', 'JSON on standard output, errors as JSON on standard error');
  leaf.addHelpText('after', () => examplesHelp(command.examples));
  leaf.action(async () => {
    options.onExit((await runCommand(leaf, command, options)) ?? 0);
  });
}

/** Options whose name is a setting's name, so that `--help` groups them apart. */
function addSettings(leaf: Commander): void {
  leaf.option('--config <file>', 'file with settings (default: regears.config.json, if it is there)');
  for (const [, row] of settingRows()) {
    const shown = row.defaultText ?? (typeof row.default === 'function' ? '' : row.kind.show(row.default));
    const option = new Option(`--${row.name} ${row.kind.placeholder}`, `${row.description} (default: ${shown})`);
    if (row.repeatable === true) {
      option.argParser((value: string, before?: string) => (before === undefined ? value : `${before},${value}`));
    }
    leaf.addOption(option.helpGroup('Settings:'));
  }
}

function optionOf(spec: OptionSpec): Option {
  const shown = spec.defaultText === undefined ? '' : ` (default: ${spec.defaultText})`;
  const option = new Option(spec.flags, `${spec.description}${shown}`);
  if (spec.choices !== undefined) option.choices(spec.choices);
  const { range } = spec;
  if (range !== undefined) {
    option.argParser((value: string) => {
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (number >= range.min && number <= range.max) return number;
      throw new InvalidArgumentError(`Allowed is a whole number from ${range.min} to ${range.max}.`);
    });
  }
  return option;
}

async function runCommand(leaf: Commander, command: Command, streams: ProgramStreams): Promise<ExitCode | undefined> {
  const given = leaf.optsWithGlobals<Record<string, unknown>>();
  const values = optionValues(given);
  await using doors = new AsyncDisposableStack();
  let connecting: Promise<DoorClient> | undefined;
  const input: CommandInput = {
    args: leaf.args,
    options: values,
    settingFlags: command.kind === 'settings' ? settingFlags(values) : {},
    output: createOutput({ json: values.flag('json'), stdout: streams.stdout, stderr: streams.stderr }),
    door: () => {
      connecting ??= openDoor(values.text('url')).then((door) => doors.use(door));
      return connecting;
    },
    beforeLeaving: (work) => (streams.leaving ?? createLeaving()).before(work),
    newDoor: () => openDoor(values.text('url')),
  };
  return await command.run(input);
}

function openDoor(url: string | undefined): Promise<DoorClient> {
  return url === undefined ? connectDoor(doorUrl(), 'REGEARS_URL') : connectDoor(url, '--url');
}

function optionValues(given: Readonly<Record<string, unknown>>): OptionValues {
  const find = (name: string): unknown => given[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
  return {
    text: (name) => {
      const value = find(name);
      return value === undefined ? undefined : String(value);
    },
    number: (name) => {
      const value = find(name);
      if (value === undefined || typeof value === 'number') return value;
      throw new PlatformError('ARGUMENT_INVALID', `--${name} is ${String(value)}; allowed is a number`);
    },
    list: (name) => {
      const value = find(name);
      return Array.isArray(value) ? value.map(String) : [];
    },
    flag: (name) => find(name) === true,
  };
}

function settingFlags(values: OptionValues): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const [, row] of settingRows()) {
    const value = values.text(row.name);
    if (value !== undefined) flags[row.name] = value;
  }
  return flags;
}

/** Sub-commands inherit nothing from commander that is set after they were made, so this comes first. */
function applyStyle(program: Commander, { stdout, stderr }: ProgramStreams, json: boolean): void {
  program.exitOverride();
  program.configureOutput({
    writeOut: (text) => stdout.write(text),
    // Help after a group without its sub-command; programs that asked for JSON want nothing but the error.
    writeErr: (text) => (json ? undefined : void stderr.write(text)),
    outputError: () => {},
  });
  program.configureHelp({
    styleTitle: (text) => styleText('bold', text),
    styleCommandText: (text) => styleText('cyan', text),
    styleSubcommandText: (text) => styleText('cyan', text),
    styleOptionTerm: (text) => styleText('cyan', text),
    styleArgumentTerm: (text) => styleText('cyan', text),
  });
}

function exitCodeHelp(): string {
  const lines = EXIT_CODE_MEANINGS.map(([code, meaning]) => `  ${code}  ${meaning}`);
  return `\n${styleText('bold', 'Exit codes:')}\n${lines.join('\n')}`;
}

/** A prompt that is no part of what is copied, then the command with its options. */
function examplesHelp(examples: readonly string[]): string {
  const lines = examples.map((example) => {
    const words = example.replace(/(?<= )--?[a-z][\w-]*/g, (option) => styleText('yellow', option));
    return `  ${styleText('dim', '$')} ${styleText('cyan', 'regears')} ${words}`;
  });
  return `\n${styleText('bold', 'Examples:')}\n${lines.join('\n')}`;
}
