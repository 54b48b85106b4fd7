import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { readOptions } from './options.ts';
import { recordReply } from './records.ts';

const DEFAULT_COUNT = 100;

/** `RG.LOGS`: what functions wrote. */
export function createLogsOperation({ journal }: OperationDependencies): Operation {
  return {
    name: 'RG.LOGS',
    summary: 'Shows what functions wrote with log() and console, newest last.',
    syntax: ['RG.LOGS [FUNCTION <name>] [AFTER <id>] [COUNT <n>]'],
    permission: () => 'read',
    async run(args) {
      const options = readOptions(args, { flags: [], values: ['FUNCTION', 'AFTER', 'COUNT'] });
      const count = options.number('COUNT', 1) ?? DEFAULT_COUNT;
      const lines = await journal.logs(options.text('FUNCTION') ?? null, options.text('AFTER') ?? null, count);
      return lines.map(({ id, functionName, version, level, message }) =>
        recordReply({ id, function: functionName, version, level, message }),
      );
    },
  };
}
