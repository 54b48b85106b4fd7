import { PlatformError, replyEnd } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { Progress } from '../sandbox/messages.ts';

const NOTHING = '*0\r\n';

/**
 * The results of a frame, one text per `done` and then per `filtered` (where the guest leaves them out: nothing came of those). Each is exactly one RESP value, since it is passed on
 * to clients as it is. Throws SANDBOX_PROTOCOL.
 * @param maxBytes largest result; the guest runtime has refused larger ones before.
 */
export function readResults(progress: Progress, maxBytes: number): readonly string[] {
  const { results, resultLengths, done, filtered } = progress;
  const forDone = resultLengths.length === done.length;
  if (!forDone && resultLengths.length !== done.length + filtered.length) throw breach('a result is missing');
  const found: string[] = [];
  let at = 0;
  for (const length of resultLengths) {
    if (length > maxBytes) throw breach(`a result of ${length} bytes`);
    const text = results.slice(at, at + length);
    if (endOf(text) !== length) throw breach('a result that is not one RESP value');
    found.push(text);
    at += length;
  }
  if (at !== results.length) throw breach('more results than entries');
  if (forDone) for (let left = filtered.length; left > 0; left -= 1) found.push(NOTHING);
  return found;
}

function endOf(text: string): number {
  try {
    return replyEnd(text, 0);
  } catch (reason) {
    throw breach(PlatformError.from(reason, 'SANDBOX_PROTOCOL').message);
  }
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox sent results that cannot be: ${what}`);
}
