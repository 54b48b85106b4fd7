import { PlatformError } from '#functions';
import { type DoorClient, listOf, type Reply } from '../client.ts';
import type { Command } from '../command.ts';

/** `regears trigger`. */
export const trigger: Command = {
  kind: 'remote',
  description: 'Calls the command function that registered this trigger and prints its results, one a line.',
  arguments: [
    { syntax: '<trigger>', description: 'trigger name', completes: 'trigger' },
    { syntax: '[arguments...]', description: 'passed to the function; put -- before arguments that begin with a dash' },
  ],
  examples: ['trigger greet ann', 'trigger add -- -1 2'],
  run: async ({ args, output, door }) => {
    const reply = await callTrigger(await door(), args);
    output.answer(reply, () => {
      for (const result of Array.isArray(reply) ? listOf(reply) : [reply]) {
        output.line(typeof result === 'string' ? result : JSON.stringify(result));
      }
    });
    return undefined;
  },
};

/** The door answers an unknown trigger with RedisGears' own text, which names neither the trigger nor what to do. */
async function callTrigger(door: DoorClient, args: readonly string[]): Promise<Reply> {
  try {
    return await door.call('RG.TRIGGER', ...args);
  } catch (error) {
    if (!(error instanceof PlatformError) || error.message !== 'subcommand not found') throw error;
    const text = `no registration answers to the trigger "${args[0]}"; see: regears registrations`;
    throw new PlatformError('TRIGGER_NOT_FOUND', text, { cause: error });
  }
}
