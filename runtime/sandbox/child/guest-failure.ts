import type { GuestErrorReport } from '../messages.ts';
import { LoadError } from './guest-isolate.ts';

const BOUNDARY = '(<isolated-vm boundary>)';
const MAX_TEXT = 16_384;

/** Stack lines of the user's own files: what stands before the wall between the isolates, without the guest runtime's. */
function userStack(stack: string): string {
  const lines = stack.split('\n');
  const wall = lines.findIndex((line) => line.includes(BOUNDARY));
  return (wall < 0 ? lines : lines.slice(0, wall))
    .filter((line) => !line.includes('regears:guest'))
    .join('\n')
    .slice(0, MAX_TEXT);
}

function limitReport(code: string, message: string): GuestErrorReport {
  return { code, name: 'Error', message, stack: '' };
}

/** Why a call into an isolate did not come back, as the error of the entry whose turn it was. */
export function callFailure(
  error: unknown,
  limits: { readonly callMs: number; readonly memoryBytes: number },
): GuestErrorReport {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('Script execution timed out')) {
    return limitReport(
      'LIMIT_CALL_TIME',
      `The function ran for more than ${limits.callMs} ms without a pause (setting limit-call-ms).`,
    );
  }
  if (message.includes('disposed during execution') || message.includes('memory limit')) {
    return limitReport(
      'LIMIT_MEMORY',
      `The function needed more than ${limits.memoryBytes} bytes of memory (setting limit-memory).`,
    );
  }
  return {
    code: 'GUEST_ERROR',
    name: 'Error',
    message: `The isolate failed: ${message}`.slice(0, MAX_TEXT),
    stack: '',
  };
}

/** What evaluating a source threw, as the answer to `load`. */
export function loadFailure(
  error: unknown,
  limits: { readonly callMs: number; readonly memoryBytes: number },
): GuestErrorReport {
  if (!(error instanceof LoadError)) return callFailure(error, limits);
  const { cause } = error;
  if (!(cause instanceof Error)) {
    return { code: 'GUEST_ERROR', name: 'Error', message: `The function threw ${String(cause)}.`, stack: '' };
  }
  const limit = callFailure(cause, limits);
  if (limit.code !== 'GUEST_ERROR') return limit;
  const runCode = error.isComplaint ? 'GUEST_ARGUMENT' : 'GUEST_ERROR';
  return {
    code: error.phase === 'compile' ? 'GUEST_SYNTAX' : runCode,
    name: cause.name,
    message: cause.message.slice(0, MAX_TEXT),
    stack: userStack(cause.stack ?? ''),
  };
}

/** For entries whose isolate was lost to somebody else's fault. */
export const ISOLATE_LOST: GuestErrorReport = {
  code: 'ISOLATE_LOST',
  name: 'Error',
  message: 'The isolate was lost while this entry waited; it was not its fault.',
  stack: '',
};
