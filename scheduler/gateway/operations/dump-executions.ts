import type { OperationDependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

/** `RG.DUMPEXECUTIONS`: labels of RedisGears 1.2, ours behind them. Oldest first; those of the whole fleet. */
export function createDumpExecutionsOperation({ executions }: OperationDependencies): Operation {
  return {
    name: 'RG.DUMPEXECUTIONS',
    summary: 'Lists batch executions, running and ended ones.',
    syntax: ['RG.DUMPEXECUTIONS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.dumpexecutions');
      const all = await executions.list();
      return all.map(({ id, status, functionName, reader, createdAtMs, recordsRead }) =>
        recordReply({
          executionId: id,
          status,
          registered: 0,
          function: functionName,
          reader,
          createdAtMs,
          recordsRead,
        }),
      );
    },
  };
}
