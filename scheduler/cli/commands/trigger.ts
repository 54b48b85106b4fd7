import { listOf } from '../client.ts';
import type { Command } from '../command.ts';

/** `regears trigger`. */
export const trigger: Command = {
  kind: 'remote',
  description: 'Calls the command function that registered this trigger and prints its results, one a line.',
  arguments: [
    { syntax: '<trigger>', description: 'trigger name' },
    { syntax: '[arguments...]', description: 'passed to the function; put -- before arguments that begin with a dash' },
  ],
  examples: ['trigger greet ann', 'trigger add -- -1 2'],
  run: async ({ args, output, door }) => {
    const reply = await (await door()).call('RG.TRIGGER', ...args);
    output.answer(reply, () => {
      for (const result of Array.isArray(reply) ? listOf(reply) : [reply]) {
        output.line(typeof result === 'string' ? result : JSON.stringify(result));
      }
    });
    return undefined;
  },
};
