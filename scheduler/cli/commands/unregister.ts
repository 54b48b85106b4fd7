import { PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import type { Command } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { ExitCode } from '../exit-code.ts';

/** `regears unregister`. */
export const unregister: Command = {
  kind: 'remote',
  description:
    'Takes registrations out of force on all nodes; their functions and counters stay. Loading or rolling back the ' +
    'function registers them again. To stop for a while only: `pause`.',
  arguments: [
    {
      syntax: '<id...>',
      description: 'registration ids, as `regears registrations` prints them',
      completes: 'registration',
    },
  ],
  options: [
    { flags: '--abort-pending', description: 'give up entries in work instead of letting them end' },
    { flags: '-y, --yes', description: 'do not ask' },
  ],
  examples: ['unregister "clicks/stream/events:*"', 'unregister greet/command/greet --yes'],
  run: async ({ args, options, output, door }) => {
    const client = await door();
    const asksFirst = !options.flag('yes') && !output.json && canAsk();
    if (asksFirst && !(await confirm(`Take ${args.join(', ')} out of force?`))) {
      output.note('Nothing was done.');
      return ExitCode.failed;
    }
    const pending = options.flag('abort-pending') ? ['ABORTPENDING'] : [];
    for (const id of args) await unregisterOne(client, id, pending);
    output.answer({ unregistered: args }, () => output.line(`Took ${args.join(', ')} out of force.`));
    return undefined;
  },
};

/** The door answers an unknown id with RedisGears' own text, which does not name it. */
async function unregisterOne(client: DoorClient, id: string, options: readonly string[]): Promise<void> {
  try {
    await client.call('RG.UNREGISTER', id, ...options);
  } catch (error) {
    if (!(error instanceof PlatformError) || !/is not registered$/.test(error.message)) throw error;
    const text = `there is no registration ${id}; see: regears registrations`;
    throw new PlatformError('REGISTRATION_NOT_FOUND', text, { cause: error });
  }
}
