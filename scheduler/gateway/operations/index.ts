import { createDeadLettersOperation } from './dead-letters.ts';
import type { OperationDependencies } from './dependencies.ts';
import { createDoctorOperation } from './doctor.ts';
import { createDumpRegistrationsOperation } from './dump-registrations.ts';
import { createFunctionOperation } from './function.ts';
import { createHelpOperation } from './help.ts';
import { createJsExecuteOperation } from './js-execute.ts';
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

/** Every management command of the platform. */
export function createOperations(dependencies: OperationDependencies): OperationTable {
  const operations: Operation[] = [
    createFunctionOperation(dependencies),
    createJsExecuteOperation(dependencies),
    createDumpRegistrationsOperation(dependencies),
    createUnregisterOperation(dependencies),
    createPauseOperation(dependencies),
    createUnpauseOperation(dependencies),
    createClearStatsOperation(dependencies),
    createDeadLettersOperation(dependencies),
    createLogsOperation(dependencies),
    createNodesOperation(dependencies),
    createStreamsOperation(dependencies),
    createDoctorOperation(dependencies),
  ];
  return tableOf([...operations, createHelpOperation(() => operations)]);
}
