import type { RegisteredRun } from '../../executions/registered-runs.ts';
import type { OperationDependencies } from './dependencies.ts';
import { executionResultsReply, withReferenceTexts } from './execution-replies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { readOptions } from './options.ts';
import { arityError } from './syntax-error.ts';

/** `RG.GETRESULTS`. */
export function createGetResultsOperation({ executions, registeredRuns }: OperationDependencies): Operation {
  return {
    name: 'RG.GETRESULTS',
    summary:
      'Results and errors of an ended execution; with CURSOR a page of them, behind the cursor of the next (0 = the last one). One started with FOLLOW gives pages while it runs, empty ones until more has come.',
    syntax: ['RG.GETRESULTS <execution id> [CURSOR <cursor>]'],
    permission: () => 'invoke',
    async run([id, ...rest]): Promise<ReplyValue> {
      if (id === undefined) throw arityError('rg.getresults');
      const cursor = readOptions(rest, { flags: [], values: ['CURSOR'] }).text('CURSOR');
      const run = await registeredRuns.find(id);
      if (run !== null) return cursor === undefined ? runReply(run) : ['0', ...runReply(run)];
      if (cursor === undefined) return executionResultsReply(await withReferenceTexts(executions.results(id)));
      const page = await withReferenceTexts(executions.page(id, cursor));
      return [page.cursor, { resp2: page.results }, page.errors];
    },
  };
}

/** `RG.GETRESULTSBLOCKING`. */
export function createGetResultsBlockingOperation({ executions, registeredRuns }: OperationDependencies): Operation {
  return {
    name: 'RG.GETRESULTSBLOCKING',
    summary: 'Waits for the end of an execution, then gives its results and errors.',
    syntax: ['RG.GETRESULTSBLOCKING <execution id>'],
    permission: () => 'invoke',
    async run([id, ...rest], { signal }) {
      if (id === undefined || rest.length > 0) throw arityError('rg.getresultsblocking');
      const run = await registeredRuns.find(id);
      if (run !== null) return runReply(run);
      await withReferenceTexts(executions.waitForEnd(id, signal));
      return executionResultsReply(await withReferenceTexts(executions.results(id)));
    },
  };
}

/** What a registered function gives at its end goes nowhere, so there are only errors. */
function runReply({ errors }: RegisteredRun): readonly [readonly ReplyValue[], readonly string[]] {
  return [[], errors];
}
