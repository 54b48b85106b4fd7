import { PlatformError } from '#functions';
import type { Command } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { ExitCode } from '../exit-code.ts';
import { showDeployed } from './deploy.ts';
import { deployedOf } from './deploy-function.ts';

/** `regears rollback`. */
export const rollback: Command = {
  kind: 'remote',
  description:
    'Sends new events to an earlier version. With --from, entries from that id on are run again by that version; ' +
    'what the newer version did to them is not undone.',
  arguments: [
    { syntax: '<function>', description: 'name of the function', completes: 'function' },
    {
      syntax: '[version]',
      description: 'version to go to (default: the one before the active one)',
      completes: 'version',
    },
  ],
  options: [{ flags: '--from <id>', description: 'entry id from which on entries are run again' }],
  examples: ['rollback clicks', 'rollback clicks 3', 'rollback clicks 3 --from 1716890000000-0'],
  run: async ({ args, options, output, door }) => {
    const from = options.text('from');
    const version = args[1];
    if (version !== undefined && !/^[1-9]\d*$/.test(version)) {
      throw new PlatformError('ARGUMENT_INVALID', `version is "${version}"; allowed is a whole number from 1 on`);
    }
    const reply = await (await door()).call(
      'RG.FUNCTION',
      'ROLLBACK',
      ...args,
      ...(from === undefined ? [] : ['FROM', from]),
    );
    const result = deployedOf(reply);
    output.answer(result, () => showDeployed(output, result));
    return undefined;
  },
};

/** `regears remove`. */
export const remove: Command = {
  kind: 'remote',
  description: 'Removes a function with all its versions and registrations. Its dead letters stay.',
  arguments: [{ syntax: '<function>', description: 'name of the function', completes: 'function' }],
  options: [
    { flags: '--abort-pending', description: 'give up entries in work instead of letting them end' },
    { flags: '-y, --yes', description: 'do not ask' },
  ],
  examples: ['remove clicks', 'remove clicks --yes --abort-pending'],
  run: async ({ args, options, output, door }) => {
    const [name = ''] = args;
    const client = await door();
    if (!options.flag('yes') && !output.json && canAsk() && !(await confirm(`Remove ${name} with all its versions?`))) {
      output.note('Nothing was removed.');
      return ExitCode.failed;
    }
    await client.call('RG.FUNCTION', 'DELETE', name, ...(options.flag('abort-pending') ? ['ABORTPENDING'] : []));
    output.answer({ removed: name }, () => output.line(`Removed ${name}.`));
    return undefined;
  },
};
