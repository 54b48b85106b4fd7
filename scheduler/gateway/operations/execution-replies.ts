import { PlatformError } from '#functions';
import type { ExecutionResults } from '../../executions/executions.ts';
import type { ReplyValue } from './operation.ts';
import { referenceError } from './syntax-error.ts';

/** `[[result …], [error …]]`. */
export function executionResultsReply({ results, errors }: ExecutionResults): ReplyValue {
  return [{ resp2: results }, errors];
}

/** What clients of RedisGears read for these codes. */
export const EXECUTION_ERRORS = {
  EXECUTION_NOT_FOUND: 'execution plan does not exist',
  EXECUTION_RUNNING: 'execution is still running',
} as const;

/** Runs `work`; its errors of the given codes get the given texts. */
export async function withReferenceTexts<T>(
  work: Promise<T>,
  texts: Readonly<Partial<Record<string, string>>> = EXECUTION_ERRORS,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const text = error instanceof PlatformError ? texts[error.code] : undefined;
    throw text === undefined ? error : referenceError(text);
  }
}
