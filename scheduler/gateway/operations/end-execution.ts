import type { OperationDependencies } from './dependencies.ts';
import { EXECUTION_ERRORS, withReferenceTexts } from './execution-replies.ts';
import type { Operation } from './operation.ts';
import { OK } from './records.ts';
import { arityError } from './syntax-error.ts';

const STILL_RUNS = { EXECUTION_RUNNING: 'can not drop a not yet finished execution, abort it first.' };
const UNKNOWN = { EXECUTION_NOT_FOUND: 'execution does not exist' };

/** `RG.DROPEXECUTION`. */
export function createDropExecutionOperation({ executions, registeredRuns }: OperationDependencies): Operation {
  return {
    name: 'RG.DROPEXECUTION',
    summary: 'Forgets an ended execution with its results.',
    syntax: ['RG.DROPEXECUTION <execution id>'],
    permission: () => 'manage',
    subject: (args) => args,
    async run([id, ...rest]) {
      if (id === undefined || rest.length > 0) throw arityError('rg.dropexecution');
      if (await registeredRuns.drop(id)) return OK;
      await withReferenceTexts(executions.drop(id), { ...EXECUTION_ERRORS, ...STILL_RUNS });
      return OK;
    },
  };
}

/** `RG.ABORTEXECUTION`. */
export function createAbortExecutionOperation({ executions, registeredRuns }: OperationDependencies): Operation {
  return {
    name: 'RG.ABORTEXECUTION',
    summary: 'Ends a batch execution on every shard, whatever its code is doing.',
    syntax: ['RG.ABORTEXECUTION <execution id>'],
    permission: () => 'manage',
    subject: (args) => args,
    async run([id, ...rest]) {
      if (id === undefined || rest.length > 0) throw arityError('rg.abortexecution');
      // What has ended is left as it is.
      if ((await registeredRuns.find(id)) === null) await withReferenceTexts(executions.abort(id), UNKNOWN);
      return OK;
    },
  };
}
