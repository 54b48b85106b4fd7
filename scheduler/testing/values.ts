import { isUtf8 } from 'node:buffer';
import { decodeReply, encodeBulk, encodeError, isReplyError, latin1FromUtf8, type ReplyValue } from '#functions';

/** What a command or a field of an event takes; numbers and booleans are sent as text. */
export type Argument = string | number | bigint | boolean | Uint8Array;

/**
 * What Redis answers: text (bytes where it is not UTF-8), numbers, lists, nothing. An error reply is an `Error` with the
 * server's words.
 */
export type Reply = string | number | Uint8Array | null | Error | readonly Reply[];

/** The bytes of an argument, one character per byte. */
export function latin1Of(value: Argument): string {
  if (typeof value === 'object') return Buffer.from(value).toString('latin1');
  return latin1FromUtf8(String(value));
}

/** Text where the bytes are UTF-8, else the bytes: what a function sees too. */
export function textOf(latin1: string): string | Uint8Array {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : new Uint8Array(bytes);
}

/** The first reply of a RESP text. */
export function replyOf(resp: string): Reply {
  return plain(decodeReply(resp));
}

function plain(value: ReplyValue): Reply {
  if (value === null || typeof value === 'number') return value;
  if (typeof value === 'string') return textOf(value);
  if (isReplyError(value)) return new Error(value.message);
  return value.map(plain);
}

/** A reply as RESP2 text. Numbers that are not whole are text there. */
export function encodeReply(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if (typeof reply === 'number') return Number.isInteger(reply) ? `:${reply}\r\n` : encodeBulk(String(reply));
  if (typeof reply === 'string' || reply instanceof Uint8Array) return encodeBulk(latin1Of(reply));
  if (reply instanceof Error) return encodeError(latin1FromUtf8(reply.message));
  return `*${reply.length}\r\n${reply.map(encodeReply).join('')}`;
}

const SHOWN_CHARACTERS = 200;

/** A command as a person would type it, shortened. */
export function showCommand(name: string, args: readonly (string | Uint8Array)[]): string {
  return [name, ...args.map(showArgument)].join(' ').slice(0, SHOWN_CHARACTERS);
}

function showArgument(argument: string | Uint8Array): string {
  if (typeof argument !== 'string') return `<${argument.length} bytes>`;
  return /^[^\s"']+$/.test(argument) ? argument : JSON.stringify(argument);
}
