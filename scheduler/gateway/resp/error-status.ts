import { PlatformError } from '#functions';
import { encodeErrorLine } from './reply-text.ts';

/** Codes whose message is a text that RedisGears clients know, or an error word of Redis: they go out as they are. */
const VERBATIM: ReadonlySet<string> = new Set(['COMMAND_SYNTAX', 'COMMAND_UNKNOWN', 'TRIGGER_NOT_FOUND']);
const STARTS_WITH_CODE = /^[A-Z]{2,}\b/;

/**
 * What a client of this door reads of a thrown value: one line, no stack, nothing of what was thrown below.
 * `-NOPERM …` for a missing permission, `-ERR [CODE] message` for everything else without a text of its own.
 */
export function errorReply(reason: unknown): string {
  if (!(reason instanceof PlatformError)) return encodeErrorLine('ERR [INTERNAL] the platform failed, see its log');
  const { code, message } = reason;
  if (code === 'PERMISSION_DENIED') return encodeErrorLine(message.startsWith('NO') ? message : `NOPERM ${message}`);
  if (VERBATIM.has(code)) return encodeErrorLine(STARTS_WITH_CODE.test(message) ? message : `ERR ${message}`);
  return encodeErrorLine(`ERR [${code}] ${message}`);
}
