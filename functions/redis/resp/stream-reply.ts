import { PlatformError } from '../../errors.ts';
import { lengthBefore, lengthEnd, scanEntries } from './scan.ts';

const DOLLAR = 36;
const STAR = 42;
const PERCENT = 37;
const MINUS_SIGN = 45;

/** The entries of one stream out of an XREADGROUP or XREAD reply. */
export interface StreamBatch {
  readonly key: string;
  /** The entry array as RESP text. */
  readonly text: string;
  readonly ids: readonly string[];
  /** Where each entry begins in `text`. */
  readonly starts: Int32Array;
  /** Positions of entries without fields: deleted or trimmed while they were pending. */
  readonly missing: readonly number[];
}

/**
 * Splits the reply of XREADGROUP or XREAD at `from` (RESP2, or RESP3 as a map) into its streams; a nil reply gives none.
 * Throws REDIS_REPLY with the server's words on an error reply, RESP_MALFORMED on anything else.
 */
export function splitStreamReply(text: string, from = 0): readonly StreamBatch[] {
  const first = text.charCodeAt(from);
  if (first === MINUS_SIGN) {
    const message = text.slice(from + 1, text.indexOf('\r\n', from));
    throw new PlatformError('REDIS_REPLY', message, { details: { code: message.split(' ', 1)[0] } });
  }
  if (text.startsWith('_\r\n', from) || text.startsWith('$-1\r\n', from)) return [];
  const isMap = first === PERCENT;
  let at = header(text, from, isMap ? PERCENT : STAR);
  const count = lengthBefore(text, from, at);
  const batches: StreamBatch[] = [];
  for (let i = 0; i < count; i++) {
    if (!isMap) at = header(text, at, STAR);
    const keyStart = header(text, at, DOLLAR);
    const keyEnd = keyStart + lengthBefore(text, at, keyStart);
    const start = keyEnd + 2;
    const { ids, starts, missing, end } = scanEntries(text, start);
    // A batch gets offsets within its own text, so that the text can travel alone.
    for (let e = 0; e < starts.length; e++) starts[e] = (starts[e] ?? 0) - start;
    batches.push({ key: text.slice(keyStart, keyEnd), text: text.slice(start, end), ids, starts, missing });
    at = end;
  }
  return batches;
}

function header(text: string, from: number, type: number): number {
  const end = lengthEnd(text, from, type);
  if (end < 0) throw new PlatformError('RESP_MALFORMED', `malformed RESP: the text ends too early (at ${from})`);
  return end;
}
