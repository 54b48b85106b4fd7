import { PlatformError } from '../../errors.ts';
import { replyEnd } from './frame.ts';

/** An error reply as a value: it may be one element among others. */
export interface ReplyError {
  readonly kind: 'error';
  /** First word, such as `WRONGTYPE`. */
  readonly code: string;
  /** The whole line without its leading `-`. */
  readonly message: string;
}

/** A reply as plain values. Strings are latin1 text; integers beyond 2^53 are strings. */
export type ReplyValue = string | number | null | ReplyError | readonly ReplyValue[];

export function isReplyError(value: ReplyValue): value is ReplyError {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Returns `value` unless it is an error reply, which it throws as REDIS_REPLY. */
export function unlessError(value: ReplyValue): Exclude<ReplyValue, ReplyError> {
  if (isReplyError(value)) throw new PlatformError('REDIS_REPLY', value.message, { details: { code: value.code } });
  return value as Exclude<ReplyValue, ReplyError>;
}

/**
 * The complete reply at `from` as plain values; for the control plane and tests, not for the hot path. RESP3 is shown as
 * RESP2 would: maps are flat lists, booleans 1 and 0, doubles strings. Throws RESP_MALFORMED.
 */
export function decodeReply(text: string, from = 0): ReplyValue {
  if (replyEnd(text, from) < 0) throw new PlatformError('RESP_MALFORMED', 'malformed RESP: the reply is not complete');
  return read({ text, at: from });
}

/** All replies of a text, in order. Throws RESP_MALFORMED. */
export function decodeReplies(text: string): ReplyValue[] {
  const values: ReplyValue[] = [];
  const cursor = { text, at: 0 };
  for (let at = 0; at < text.length; at = cursor.at) {
    if (replyEnd(text, at) < 0) throw new PlatformError('RESP_MALFORMED', 'malformed RESP: the reply is not complete');
    values.push(read(cursor));
  }
  return values;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function read(cursor: Cursor): ReplyValue {
  const type = cursor.text[cursor.at];
  const lineEnd = cursor.text.indexOf('\r\n', cursor.at);
  const line = cursor.text.slice(cursor.at + 1, lineEnd);
  cursor.at = lineEnd + 2;
  switch (type) {
    case '-':
      return errorOf(line);
    case ':': {
      const number = Number(line);
      return Number.isSafeInteger(number) ? number : line;
    }
    case '_':
      return null;
    case '#':
      return line === 't' ? 1 : 0;
    case '$':
      return readBulk(cursor, Number(line));
    case '=':
      return readBulk(cursor, Number(line))?.slice(4) ?? null;
    case '!':
      return errorOf(readBulk(cursor, Number(line)) ?? '');
    case '*':
    case '~':
    case '>':
      return readList(cursor, Number(line));
    case '%':
      return readList(cursor, Number(line) * 2);
    case '|':
      readList(cursor, Number(line) * 2);
      return read(cursor);
    default:
      return line;
  }
}

function readBulk(cursor: Cursor, length: number): string | null {
  if (length < 0) return null;
  const value = cursor.text.slice(cursor.at, cursor.at + length);
  cursor.at += length + 2;
  return value;
}

function readList(cursor: Cursor, length: number): ReplyValue[] | null {
  if (length < 0) return null;
  const values: ReplyValue[] = [];
  for (let i = 0; i < length; i++) values.push(read(cursor));
  return values;
}

function errorOf(message: string): ReplyError {
  return { kind: 'error', code: message.split(' ', 1)[0] ?? '', message };
}
