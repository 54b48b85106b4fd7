import { type LoadableVersion, PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import { createErrorTransfer } from './error-transfer.ts';
import { scriptName } from './isolates.ts';
import { LoadFailure } from './load-failure.ts';

const BY_CAUSE: Readonly<Record<string, RuntimeErrorCode>> = {
  'call-time': 'LIMIT_CALL_TIME',
  memory: 'LIMIT_MEMORY',
  protocol: 'SANDBOX_PROTOCOL',
};

/** Why a version could not be inspected, for the one who uploads it: with file and line where the guest said so. */
export function inspectError(version: LoadableVersion, reason: unknown): PlatformError {
  if (reason instanceof LoadFailure) {
    const { artifact, functionName } = version;
    const sourceName = `${functionName}.${artifact.language}`;
    const error = createErrorTransfer({ artifact, fileName: scriptName(version), sourceName })(reason.report);
    const named =
      error.name === 'Error' || error.code !== 'GUEST_ERROR' ? error.message : `${error.name}: ${error.message}`;
    const place = firstPlace(error.stack, sourceName, artifact.sourceMap !== null);
    return new PlatformError(error.code, place === null || named.includes(place) ? named : `${named} (${place})`, {
      details: { name: error.name, stack: error.stack },
    });
  }
  const error = PlatformError.from(reason, 'SANDBOX_DIED');
  const code = error.code === 'SANDBOX_DIED' ? BY_CAUSE[String(error.details.cause)] : undefined;
  return code === undefined ? error : new PlatformError(code, error.message, { cause: error, details: error.details });
}

/** `file:line:column` of the topmost stack line in the author's own code. */
function firstPlace(stack: string, sourceName: string, mapped: boolean): string | null {
  for (const line of stack.split('\n').slice(0, 20)) {
    const place = /(?:\(|at |^|\s)([^\s()]+:\d+(?::\d+)?)\)?$/.exec(line)?.[1];
    if (place !== undefined && (mapped || place.startsWith(sourceName))) return place;
  }
  return null;
}
