import { replyEnd } from '#functions';

const CR = 13;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const DOLLAR = 36;
const STAR = 42;

/**
 * Where each of `count` complete replies begins, and behind the last one its end. What link framing has found complete is not
 * checked again: this is the inner loop of every batch run, made for flat lists of strings.
 */
export function cutReplies(text: string, count: number): Int32Array {
  const starts = new Int32Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    starts[i] = at;
    at = valueEnd(text, at);
  }
  starts[count] = at;
  return starts;
}

function valueEnd(text: string, from: number): number {
  const type = text.charCodeAt(from);
  if (type === DOLLAR) return stringEnd(text, from);
  if (type !== STAR) return replyEnd(text, from);
  let count = 0;
  let at = from + 1;
  let code = text.charCodeAt(at);
  if (code === MINUS) return from + 5;
  while (code >= ZERO && code <= NINE) {
    count = count * 10 + (code - ZERO);
    at += 1;
    code = text.charCodeAt(at);
  }
  if (code !== CR) return replyEnd(text, from);
  at += 2;
  for (; count > 0; count -= 1) {
    if (text.charCodeAt(at) !== DOLLAR) return replyEnd(text, from);
    at = stringEnd(text, at);
  }
  return at;
}

/** End of the string whose header is at `from`; -1 is a nil one. */
export function stringEnd(text: string, from: number): number {
  let length = 0;
  let at = from + 1;
  let code = text.charCodeAt(at);
  if (code === MINUS) return from + 5;
  while (code >= ZERO && code <= NINE) {
    length = length * 10 + (code - ZERO);
    at += 1;
    code = text.charCodeAt(at);
  }
  return at + length + 4;
}

/** So many strings, each as it stands there: with its header, ready to be sent again. */
export function cutStrings(text: string, count: number): readonly string[] {
  const strings: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const end = stringEnd(text, at);
    strings.push(text.slice(at, end));
    at = end;
  }
  return strings;
}

/** Every error begins with a word in capitals; a value that begins with a minus, as numbers do, is mostly none. */
const ERROR = /\r\n-[A-Z]{2}/;

/** False: none of the replies is an error. True: some may be one; a value can look like it. */
export function mayHaveError(text: string): boolean {
  return text.charCodeAt(0) === MINUS || ERROR.test(text);
}
