import { cellOf, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { ArgumentSpec, Command } from '../command.ts';
import type { Cell } from '../render.ts';

/** `regears registrations`. */
export const registrations: Command = {
  kind: 'remote',
  options: [{ flags: '--function <name>', description: 'only those of one function', completes: 'function' }],
  examples: ['registrations', 'registrations --function clicks --json'],
  run: async ({ options, output, door }) => {
    const name = options.text('function');
    const all = recordsOf(await (await door()).call('RG.DUMPREGISTRATIONS')).map(flatten);
    const shown = name === undefined ? all : all.filter((each) => each.function === name);
    output.answer(shown, () => {
      if (shown.length === 0)
        return output.line(`There are no registrations${name === undefined ? '' : ` of ${name}`}.`);
      output.table(['ID', 'VERSION', 'MODE', 'STATE', 'DONE', 'FAILED', 'DEAD', 'LAST ERROR'], shown.map(row));
    });
    return undefined;
  },
};

/** The reply nests what belongs to the reader and its arguments; one level is easier to filter and to print. */
function flatten(record: Record<string, Reply>): Record<string, Reply | Record<string, Reply>> {
  const data = fieldsOf(record.RegistrationData ?? null);
  const { RegistrationData: _, ...rest } = record;
  return { ...rest, ...data, ...(data.args === undefined ? {} : { args: fieldsOf(data.args) }) };
}

function row(each: Record<string, Reply | Record<string, Reply>>): readonly Cell[] {
  const cell = (name: string): Cell => cellOf(each[name] as Reply | undefined);
  const done = Number(each.done ?? 0) + Number(each.filtered ?? 0);
  const successes = Number(each.numSuccess ?? 0);
  const ended = done > 0 ? done : successes;
  const failed = Number(each.numFailures ?? 0);
  return [
    cell('id'),
    cell('version'),
    cell('mode'),
    cell('state'),
    ended,
    failed,
    Number(each.dead ?? 0),
    cell('lastError'),
  ];
}

const IDS: readonly ArgumentSpec[] = [
  {
    syntax: '<id...>',
    description: 'registration ids, as `regears registrations` prints them',
    completes: 'registration',
  },
];

/** `regears pause`. */
export const pause: Command = {
  kind: 'remote',
  description:
    'Stops taking up events for registrations, on all nodes, until `resume`. What waits stays in the streams.',
  arguments: IDS,
  examples: ['pause "clicks/stream/events:*"'],
  run: async ({ args, output, door }) => {
    await (await door()).call('RG.PAUSEREGISTRATIONS', ...args);
    output.answer({ paused: args }, () => output.line(`Paused ${args.join(', ')}.`));
    return undefined;
  },
};

/** `regears resume`. */
export const resume: Command = {
  kind: 'remote',
  description: 'Takes up events again for registrations that were paused, aborted or quarantined.',
  arguments: IDS,
  examples: ['resume "clicks/stream/events:*"'],
  run: async ({ args, output, door }) => {
    await (await door()).call('RG.UNPAUSEREGISTRATIONS', ...args);
    output.answer({ resumed: args }, () => output.line(`Resumed ${args.join(', ')}.`));
    return undefined;
  },
};
