import { RemoteError } from './errors.ts';

/** `ERR [CODE] text` of the platform; `CODE text` of Redis. */
const OF_PLATFORM = /^(?:ERR )?\[([A-Z_]+)\] (.*)$/s;
const OF_REDIS = /^([A-Z][A-Z0-9_]+) (.*)$/s;

/** Texts that the platform keeps as RedisGears had them, without a code. */
const CODES: Readonly<Record<string, string>> = {
  'execution plan does not exist': 'EXECUTION_NOT_FOUND',
  'execution does not exist': 'EXECUTION_NOT_FOUND',
  'execution is still running': 'EXECUTION_RUNNING',
  'can not drop a not yet finished execution, abort it first.': 'EXECUTION_RUNNING',
};

/** Names that clients give to errors that the server has sent. */
const REPLY_ERROR_NAMES: ReadonlySet<string> = new Set(['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError']);

/** The error a Redis client has rejected with. */
export function replyError(reason: unknown): RemoteError {
  const message = reason instanceof Error ? reason.message : String(reason);
  const [, code, text] = OF_PLATFORM.exec(message) ?? OF_REDIS.exec(message) ?? [];
  if (code !== undefined && text !== undefined) return coded(code, text, reason);
  const known = CODES[message];
  if (known !== undefined) return new RemoteError(known, message, { cause: reason });
  if (isReply(reason)) return new RemoteError('REFUSED', message, { cause: reason });
  return new RemoteError('CONNECTION_FAILED', `the platform could not be asked: ${message}`, { cause: reason });
}

function coded(code: string, text: string, cause: unknown): RemoteError {
  if (code !== 'ERR') return new RemoteError(code, text, { cause });
  if (!/^unknown command/i.test(text)) return new RemoteError('REFUSED', text, { cause });
  const advice = 'connect to the RESP door of a node (port 6380), not to the Redis behind it';
  return new RemoteError('PLATFORM_MISSING', `what answers is no platform: ${text}; ${advice}`, { cause });
}

function isReply(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false;
  return REPLY_ERROR_NAMES.has(reason.name) || REPLY_ERROR_NAMES.has(reason.constructor.name);
}
