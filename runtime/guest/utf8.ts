import { charCodeAt, fromCharCode, slice } from './primordials.ts';

const ASCII_END = 0x80;
/** Strings this short are copied when they are joined; longer ones become a tree. */
const FLAT_LENGTH = 12;
const MALFORMED = -1;

/** Where the first character at or above 0x80 stands; the length of the text when there is none. */
export function asciiLength(text: string, from = 0): number {
  let i = from;
  while (i < text.length && charCodeAt(text, i) < ASCII_END) i++;
  return i;
}

/** The low six bits of the byte at `at`, which must be one that follows another; MALFORMED when it is none. */
function following(bytes: string, at: number): number {
  const byte = at < bytes.length ? charCodeAt(bytes, at) : 0;
  return (byte & 0xc0) === 0x80 ? byte & 0x3f : MALFORMED;
}

/** The code point that begins at `at` with a byte above 0x7f, or MALFORMED: also when a shorter form of it exists. */
function codePointAt(bytes: string, at: number): number {
  const first = charCodeAt(bytes, at);
  const second = following(bytes, at + 1);
  if (second < 0 || first < 0xc2 || first > 0xf4) return MALFORMED;
  if (first < 0xe0) return ((first & 0x1f) << 6) | second;
  const third = following(bytes, at + 2);
  if (third < 0) return MALFORMED;
  if (first < 0xf0) {
    const code = ((first & 0x0f) << 12) | (second << 6) | third;
    return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? MALFORMED : code;
  }
  const fourth = following(bytes, at + 3);
  const code = ((first & 0x07) << 18) | (second << 12) | (third << 6) | fourth;
  return fourth < 0 || code < 0x10000 || code > 0x10ffff ? MALFORMED : code;
}

function byteLengthOf(code: number): number {
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function textOf(code: number): string {
  return code < 0x10000 ? fromCharCode(code) : fromCharCode(0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff));
}

/**
 * The text whose UTF-8 bytes these are (as latin1 text); null when they are no UTF-8. Bytes that are no text are the ordinary case
 * here: nothing is thrown for them, as `decodeURIComponent` would.
 * @param from what is before it is known to be ASCII.
 */
export function decodeUtf8(bytes: string, from = 0): string | null {
  let text = slice(bytes, 0, from);
  let part = '';
  for (let i = from; i < bytes.length; ) {
    const end = asciiLength(bytes, i);
    if (end > i) {
      text += part + slice(bytes, i, end);
      part = '';
      i = end;
      continue;
    }
    const code = codePointAt(bytes, i);
    if (code === MALFORMED) return null;
    part += textOf(code);
    i += byteLengthOf(code);
    if (part.length < FLAT_LENGTH) continue;
    text += part;
    part = '';
  }
  return text + part;
}
