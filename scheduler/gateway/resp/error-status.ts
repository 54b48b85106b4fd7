import { PlatformError } from '#functions';
import { encodeErrorLine } from './reply-text.ts';

/**
 * What a client of this door reads of a thrown value: one line, no stack, nothing of what was thrown below.
 * Texts that clients of RedisGears know go out exactly so; syntax errors as Redis words its own, `-ERR …`; a missing
 * permission as `-NOPERM …`; everything else as `-ERR [CODE] message`.
 */
export function errorReply(reason: unknown): string {
  if (!(reason instanceof PlatformError)) return encodeErrorLine('ERR [INTERNAL] the platform failed, see its log');
  const { code, message, details } = reason;
  if (details.isVerbatim === true) return encodeErrorLine(message);
  if (code === 'PERMISSION_DENIED') return encodeErrorLine(`NOPERM ${message}`);
  if (code === 'COMMAND_SYNTAX') return encodeErrorLine(`ERR ${message}`);
  return encodeErrorLine(`ERR [${code}] ${message}`);
}
