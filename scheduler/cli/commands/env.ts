import { PlatformError } from '#functions';
import { cellOf, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { ArgumentSpec, Command, OptionSpec, OptionValues } from '../command.ts';
import { timeOf } from '../time.ts';

export const FUNCTION: ArgumentSpec = { syntax: '<function>', description: 'name of the function' };
export const IF_REVISION: OptionSpec = {
  flags: '--if-revision <n>',
  description: 'refuse unless the variables are at this revision, as `list` prints it',
  range: { min: 0, max: Number.MAX_SAFE_INTEGER },
};

/** What the door takes as the revision that is expected. */
export function revisionOf(options: OptionValues): string {
  return String(options.number('if-revision') ?? '*');
}

/** `regears env set`. */
export const envSet: Command = {
  kind: 'remote',
  description:
    'Sets values that the function reads with env(name), all of them or none. Whoever may look at functions can read them; ' +
    'for others there is `regears secret set`. The function sees them from its next env(name) on, without a new version.',
  arguments: [FUNCTION, { syntax: '<name=value...>', description: 'names and values' }],
  options: [IF_REVISION],
  examples: ['env set mailer REGION=eu SENDER="The shop"', 'env set mailer REGION=us --if-revision 12'],
  run: async ({ args, options, output, door }) => {
    const [name = '', ...pairs] = args;
    const words = pairs.flatMap(pairOf);
    const client = await door();
    const changed = fieldsOf(await client.call('RG.ENV', 'SET', name, revisionOf(options), ...words));
    const names = words.filter((_, at) => at % 2 === 0);
    output.answer({ function: name, set: names, ...changed }, () => {
      output.line(`Set ${names.join(', ')} of ${name} (revision ${changed.revision}).`);
    });
    return undefined;
  },
};

/** `regears env list`. */
export const envList: Command = {
  kind: 'remote',
  arguments: [FUNCTION],
  examples: ['env list mailer', 'env list mailer --json'],
  run: async ({ args, output, door }) => {
    const [name = ''] = args;
    const { revision, variables } = fieldsOf(await (await door()).call('RG.ENV', 'LIST', name));
    const rows = recordsOf(variables ?? []).map(({ readable, sealed, ...row }) => {
      return { ...row, readable: readable === 1, sealed: sealed === 1 };
    });
    output.answer({ function: name, revision, variables: rows }, () => {
      if (rows.length === 0) return output.line(`${name} has no variables.`);
      output.table(['NAME', 'UPDATED', 'VALUE'], rows.map(envRow));
      output.note(`Revision ${revision}.`);
    });
    return undefined;
  },
};

/** `regears env unset`. */
export const envUnset: Command = {
  kind: 'remote',
  description: 'Takes values away, all of them or none: env(name) then answers null, or the default it is given.',
  arguments: [FUNCTION, { syntax: '<name...>', description: 'names' }],
  options: [IF_REVISION],
  examples: ['env unset mailer REGION'],
  run: async ({ args, options, output, door }) => {
    const [name = '', ...names] = args;
    const changed = fieldsOf(await (await door()).call('RG.ENV', 'UNSET', name, revisionOf(options), ...names));
    output.answer({ function: name, unset: names, ...changed }, () => {
      output.line(`Unset ${names.join(', ')} of ${name} (revision ${changed.revision}).`);
    });
    return undefined;
  },
};

function envRow(row: Readonly<Record<string, Reply | boolean>>): readonly (string | number | null)[] {
  const value = row.readable === true ? cellOf(row.value as Reply) : '(sealed with a key that the node does not have)';
  return [cellOf(row.name as Reply), timeOf(row.updatedAtMs as Reply), value];
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  throw new PlatformError('ARGUMENT_INVALID', `"${shown}" is no NAME=VALUE, such as REGION=eu`);
}
