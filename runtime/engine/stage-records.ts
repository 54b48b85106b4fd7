import { PlatformError, replyEnd } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';
import type { StageRequest } from '../stage.ts';

/** What the entries of a batch put out, in their order. */
export interface StageRecords {
  readonly records: readonly string[];
  readonly keys: readonly string[];
}

/**
 * Takes the records out of the RESP arrays that entries ended with; undefined where nothing came of one. The arrays have been
 * checked to be one RESP value each. Throws SANDBOX_PROTOCOL.
 */
export function readStageRecords(parts: readonly (string | undefined)[], output: StageRequest['output']): StageRecords {
  const records: string[] = [];
  const keys: string[] = [];
  for (const part of parts) {
    if (part === undefined) continue;
    let at = part.indexOf('\r\n') + 2;
    for (let isKey = output === 'partitioned'; at < part.length; isKey = output === 'partitioned' && !isKey) {
      const end = replyEnd(part, at);
      const text = output === 'results' ? part.slice(at, end) : bulkContent(part, at, end);
      (isKey ? keys : records).push(text);
      at = end;
    }
  }
  if (output === 'partitioned' && keys.length !== records.length) throw breach('a record without its key');
  return { records, keys };
}

function bulkContent(part: string, at: number, end: number): string {
  const start = part.indexOf('\r\n', at) + 2;
  if (part[at] !== '$' || start > end - 2) throw breach('a record that is no text');
  return part.slice(start, end - 2);
}

function breach(what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox sent what cannot be: ${what}`);
}
