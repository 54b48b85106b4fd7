import { createConfigGetOperation, createConfigSetOperation } from './config.ts';
import { createDeadLettersOperation } from './dead-letters.ts';
import type { OperationDependencies } from './dependencies.ts';
import { createDoctorOperation } from './doctor.ts';
import { createDumpExecutionsOperation } from './dump-executions.ts';
import { createDumpPluginsOperation } from './dump-plugins.ts';
import { createDumpRegistrationsOperation } from './dump-registrations.ts';
import { createAbortExecutionOperation, createDropExecutionOperation } from './end-execution.ts';
import { createFiguresOperation } from './figures.ts';
import { createFunctionOperation } from './function.ts';
import { createGetExecutionOperation } from './get-execution.ts';
import { createGetResultsBlockingOperation, createGetResultsOperation } from './get-results.ts';
import { createHelpOperation } from './help.ts';
import { createInfoClusterOperation, createRefreshClusterOperation } from './info-cluster.ts';
import { createJsDumpSessionsOperation } from './js-dump-sessions.ts';
import { createJsExecuteOperation } from './js-execute.ts';
import { createJsStatsOperation } from './js-stats.ts';
import { createLogsOperation } from './logs.ts';
import { createNodesOperation } from './nodes.ts';
import type { Operation } from './operation.ts';
import { type OperationTable, tableOf } from './operation-table.ts';
import {
  createClearStatsOperation,
  createPauseOperation,
  createUnpauseOperation,
  createUnregisterOperation,
} from './registrations.ts';
import { createStreamsOperation } from './streams.ts';
import { createTokensOperation } from './tokens.ts';
import { createEnvOperation, createSecretOperation } from './variable-commands.ts';

/** Every management command of the platform. */
export function createOperations(dependencies: OperationDependencies): OperationTable {
  const operations: Operation[] = [
    createFunctionOperation(dependencies),
    createJsExecuteOperation(dependencies),
    createDumpExecutionsOperation(dependencies),
    createGetExecutionOperation(dependencies),
    createGetResultsOperation(dependencies),
    createGetResultsBlockingOperation(dependencies),
    createDropExecutionOperation(dependencies),
    createAbortExecutionOperation(dependencies),
    createDumpRegistrationsOperation(dependencies),
    createUnregisterOperation(dependencies),
    createPauseOperation(dependencies),
    createUnpauseOperation(dependencies),
    createClearStatsOperation(dependencies),
    createDeadLettersOperation(dependencies),
    createLogsOperation(dependencies),
    createNodesOperation(dependencies),
    createFiguresOperation(dependencies),
    createStreamsOperation(dependencies),
    createDoctorOperation(dependencies),
    createConfigGetOperation(dependencies),
    createConfigSetOperation(dependencies),
    createInfoClusterOperation(dependencies),
    createRefreshClusterOperation(dependencies),
    createDumpPluginsOperation(),
    createJsStatsOperation(dependencies),
    createJsDumpSessionsOperation(dependencies),
    createTokensOperation(dependencies),
    createEnvOperation(dependencies),
    createSecretOperation(dependencies),
  ];
  return tableOf([...operations, createHelpOperation(() => operations)]);
}
