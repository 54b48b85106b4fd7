import { cellOf, type DoorClient, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { Command, CommandInput, OptionSpec, OptionValues } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { ExitCode } from '../exit-code.ts';
import { printable } from '../render.ts';
import { parseMoment, timeOf } from '../time.ts';

const DEFAULT_COUNT = 100;

const FILTERS: readonly OptionSpec[] = [
  { flags: '--function <name>', description: 'only those of one function', completes: 'function' },
  { flags: '--registration <id>', description: 'only those of one registration', completes: 'registration' },
  { flags: '--error <text>', description: 'only those whose error contains this text' },
  { flags: '--since <time>', description: 'only those that died at or after this: 15m, 2h, 3d ago, or an ISO time' },
  { flags: '--until <time>', description: 'only those that died before this' },
];

/** `regears dlq list`. */
export const dlqList: Command = {
  kind: 'remote',
  options: [
    ...FILTERS,
    {
      flags: '--count <n>',
      description: 'how many at most',
      defaultText: String(DEFAULT_COUNT),
      range: { min: 1, max: 100_000 },
    },
  ],
  examples: ['dlq list', 'dlq list --function orders --error timeout --since 2h'],
  run: async ({ options, output, door }) => {
    const count = options.number('count') ?? DEFAULT_COUNT;
    const client = await door();
    const filters = filterArguments(options);
    const letters = recordsOf(await client.call('RG.DEADLETTERS', 'LIST', ...filters, 'COUNT', count));
    output.answer(letters, () => {
      if (letters.length === 0) return output.line(`There are no ${filters.length > 0 ? 'such ' : ''}dead letters.`);
      output.table(['ID', 'REGISTRATION', 'STREAM', 'ENTRY', 'ATTEMPTS', 'DIED', 'ERROR'], letters.map(letterRow));
    });
    return undefined;
  },
};

/** `regears dlq show`. */
export const dlqShow: Command = {
  kind: 'remote',
  arguments: [
    { syntax: '<id>', description: 'id of the dead letter, as `regears dlq list` prints it', completes: 'letter' },
  ],
  examples: ['dlq show 1716890000000-0'],
  run: async ({ args, output, door }) => {
    const letter = fieldsOf(await (await door()).call('RG.DEADLETTERS', 'SHOW', ...args));
    output.answer(letter, () => {
      for (const [name, value] of Object.entries(letter)) {
        const text = name.endsWith('AtMs') ? timeOf(value) : cellOf(value);
        output.line(`${output.style('name', name.padEnd(16))} ${showText(text)}`);
      }
    });
    return undefined;
  },
};

/** `regears dlq redrive`. */
export const dlqRedrive: Command = {
  kind: 'remote',
  description: 'Runs dead letters again with the version that is active now. Counts first, and asks on a terminal.',
  options: changeOptions('count them and run nothing'),
  examples: ['dlq redrive --function orders --dry-run', 'dlq redrive --registration "orders/stream/orders:*" --yes'],
  run: (input) => change(input, { verb: 'REDRIVE', asks: 'Run', done: 'Running again' }),
};

/** `regears dlq discard`. */
export const dlqDiscard: Command = {
  kind: 'remote',
  description: 'Throws dead letters away for good. Counts first, and asks on a terminal.',
  options: changeOptions('count them and throw nothing away'),
  examples: ['dlq discard --function orders --until 30d --dry-run'],
  run: (input) => change(input, { verb: 'DISCARD', asks: 'Throw away', done: 'Thrown away' }),
};

interface Change {
  readonly verb: 'REDRIVE' | 'DISCARD';
  readonly asks: string;
  readonly done: string;
}

function changeOptions(dryRun: string): readonly OptionSpec[] {
  return [...FILTERS, { flags: '--dry-run', description: dryRun }, { flags: '-y, --yes', description: 'do not ask' }];
}

async function change(
  { options, output, door }: CommandInput,
  { verb, asks, done }: Change,
): Promise<ExitCode | undefined> {
  const client = await door();
  const filters = filterArguments(options);
  const count = await countLetters(client, filters);
  if (options.flag('dry-run') || count === 0) {
    const told = count === 0 ? 'There are no such dead letters.' : `${letters(count)} would be affected.`;
    output.answer({ count, changed: 0 }, () => output.line(told));
    return undefined;
  }
  const asksFirst = !options.flag('yes') && !output.json && canAsk();
  if (asksFirst && !(await confirm(`${asks} ${letters(count)}?`))) {
    output.note('Nothing was done.');
    return ExitCode.failed;
  }
  const changed = Number(await client.call('RG.DEADLETTERS', verb, ...filters));
  output.answer({ count, changed }, () => output.line(`${done}: ${letters(changed)}.`));
  return undefined;
}

async function countLetters(client: DoorClient, filters: readonly (string | number)[]): Promise<number> {
  return Number(await client.call('RG.DEADLETTERS', 'COUNT', ...filters));
}

function letters(count: number): string {
  return count === 1 ? '1 dead letter' : `${count} dead letters`;
}

function filterArguments(options: OptionValues): readonly (string | number)[] {
  const args: (string | number)[] = [];
  for (const name of ['function', 'registration', 'error']) {
    const value = options.text(name);
    if (value !== undefined) args.push(name.toUpperCase(), value);
  }
  for (const name of ['since', 'until']) {
    const value = options.text(name);
    if (value !== undefined) args.push(name.toUpperCase(), parseMoment(name, value, Date.now()));
  }
  return args;
}

function letterRow(letter: Record<string, Reply>): readonly (string | number | null)[] {
  const error = `${letter.errorCode ?? ''} ${letter.errorMessage ?? ''}`.trim();
  return [
    cellOf(letter.id),
    cellOf(letter.registrationId ?? letter.registration),
    cellOf(letter.stream),
    cellOf(letter.entryId),
    Number(letter.attempts ?? 0),
    timeOf(letter.diedAtMs),
    error.split('\n')[0] ?? '',
  ];
}

/** Several lines stay several lines, but nothing else that steers a terminal gets through. */
function showText(text: string | number | null): string {
  if (text === null) return '-';
  return String(text).split('\n').map(printable).join('\n                 ');
}
