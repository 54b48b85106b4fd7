/*
 * Elements as they nearly always are: complete, well-formed, of ordinary length. Whatever is not plainly there gives -1, and is
 * left to the walk, which waits for it or refuses it. These are the innermost loops of everything that is read. No character
 * behind the text is asked for: that would slow down every later call.
 */
const CR = 13;
const LF = 10;
const DOLLAR = 36;
const ZERO = 48;
const NINE = 57;
const MAX_DIGITS = 9;

export function isLineEnd(text: string, at: number): boolean {
  return at + 1 < text.length && text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF;
}

/** Position behind the digits that begin at `from`, when a line ends there; else -1. */
export function digitsEnd(text: string, from: number): number {
  const last = Math.min(text.length, from + MAX_DIGITS + 1);
  let at = from;
  for (; at < last; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) break;
  }
  return at > from && isLineEnd(text, at) ? at : -1;
}

/** The number of the digits between two positions. */
export function numberBetween(text: string, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at++) value = value * 10 + (text.charCodeAt(at) - ZERO);
  return value;
}

/** End of the bulk string at `from`, or -1. */
export function stringEnd(text: string, from: number, maxBytes: number): number {
  if (from >= text.length || text.charCodeAt(from) !== DOLLAR) return -1;
  const digits = digitsEnd(text, from + 1);
  if (digits < 0) return -1;
  const size = numberBetween(text, from + 1, digits);
  const end = digits + 2 + size;
  return size <= maxBytes && isLineEnd(text, end) ? end + 2 : -1;
}

/** End of so many bulk strings that begin at `from`, or -1. */
export function stringsEnd(text: string, from: number, strings: number): number {
  let at = from;
  for (let left = strings; left > 0 && at >= 0; left--) at = stringEnd(text, at, Number.POSITIVE_INFINITY);
  return at;
}
