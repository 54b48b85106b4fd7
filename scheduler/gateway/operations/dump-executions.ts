import type { ExecutionSummary } from '../../executions/executions.ts';
import type { RegisteredRun } from '../../executions/registered-runs.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { recordReply } from './records.ts';
import { readerOf } from './registered-run.ts';
import { arityError } from './syntax-error.ts';

type Parts = Pick<OperationDependencies, 'executions' | 'registeredRuns' | 'registry'>;

/** `RG.DUMPEXECUTIONS`: labels of RedisGears 1.2, ours behind them. Oldest first; those of the whole fleet. */
export function createDumpExecutionsOperation(parts: Parts): Operation {
  const { executions, registeredRuns, registry } = parts;
  return {
    name: 'RG.DUMPEXECUTIONS',
    summary: 'Lists batch executions, running and ended ones, and the last executions of registrations.',
    syntax: ['RG.DUMPEXECUTIONS'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.dumpexecutions');
      const { registrations } = registry.snapshot();
      const [all, runs] = await Promise.all([executions.list(), registeredRuns.list([...registrations.keys()])]);
      const batches = all.map((one) => ({ startedAtMs: one.createdAtMs, reply: batchReply(one) }));
      const registered = runs.map((run) => ({ startedAtMs: run.startedAtMs, reply: runReply(run, parts) }));
      return [...batches, ...registered].sort((a, b) => a.startedAtMs - b.startedAtMs).map(({ reply }) => reply);
    },
  };
}

function batchReply({ id, status, functionName, reader, createdAtMs, recordsRead }: ExecutionSummary): ReplyValue {
  const known = { executionId: id, status, registered: 0 };
  return recordReply({ ...known, function: functionName, reader, createdAtMs, recordsRead });
}

function runReply(run: RegisteredRun, { registry }: Pick<Parts, 'registry'>): ReplyValue {
  return recordReply({
    executionId: run.id,
    status: 'done',
    registered: 1,
    function: run.functionName,
    reader: readerOf(registry, run),
    createdAtMs: run.startedAtMs,
    recordsRead: run.entries,
    registration: run.registrationId,
    version: run.version,
    executions: run.executions,
    errors: run.failed,
  });
}
