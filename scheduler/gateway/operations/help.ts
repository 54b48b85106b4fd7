import type { Operation } from './operation.ts';
import { arityError } from './syntax-error.ts';

const CALLS = [
  'RG.TRIGGER <trigger> [<argument> ...]',
  '    Runs the command function that registered this trigger.',
  'RG.TRIGGERONKEY <trigger> <key> [<argument> ...]',
  '    The same with a key, by which cluster clients find the way.',
];

/** `RG.HELP`: every command of the platform with its syntax. */
export function createHelpOperation(others: () => readonly Operation[]): Operation {
  return {
    name: 'RG.HELP',
    summary: 'Shows this text.',
    syntax: ['RG.HELP'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.help');
      return [...CALLS, ...others().flatMap(({ syntax, summary }) => [...syntax, `    ${summary}`])];
    },
  };
}
