import { encodeError, latin1FromUtf8 } from '#functions';
import type { ReplyValue } from '../operations/operation.ts';

/** A reply value as RESP of the client's protocol, latin1 text. Text leaves as UTF-8. */
export function encodeReply(value: ReplyValue, protocol: 2 | 3): string {
  if (value === null) return protocol === 3 ? '_\r\n' : '$-1\r\n';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? `:${value}\r\n` : encodeText(String(value));
  if (typeof value === 'string') return encodeText(value);
  if ('simple' in value) return `+${oneLine(latin1FromUtf8(value.simple))}\r\n`;
  if ('error' in value) return encodeErrorLine(value.error);
  if ('resp2' in value) return protocol === 3 ? asProtocol3(value.resp2) : value.resp2;
  let text = `*${value.length}\r\n`;
  for (const item of value) text += encodeReply(item, protocol);
  return text;
}

function encodeText(text: string): string {
  const bytes = latin1FromUtf8(text);
  return `$${bytes.length}\r\n${bytes}\r\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}

/** An error line of UTF-8 text; line breaks become blanks. */
export function encodeErrorLine(message: string): string {
  return encodeError(latin1FromUtf8(message));
}

/** Writes the nulls of a RESP2 reply as RESP3 has them. */
export function asProtocol3(reply: string): string {
  if (!reply.includes('$-1\r\n') && !reply.includes('*-1\r\n')) return reply;
  let text = '';
  let at = 0;
  while (at < reply.length) {
    const lineEnd = reply.indexOf('\r\n', at) + 2;
    if (lineEnd < 2) return text + reply.slice(at);
    const header = reply.slice(at, lineEnd);
    const isBulk = header.startsWith('$');
    const bodyEnd = isBulk ? lineEnd + Number(header.slice(1)) + 2 : lineEnd;
    const isNull = header === '$-1\r\n' || header === '*-1\r\n';
    text += isNull ? '_\r\n' : reply.slice(at, bodyEnd);
    at = isNull ? lineEnd : bodyEnd;
  }
  return text;
}
