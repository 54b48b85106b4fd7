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
function stringEnd(text: string, from: number): number {
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

/** The strings of the list at `from`, each as it stands there: with its header, ready to be sent again. */
export function cutStrings(text: string, from: number): readonly string[] {
  const headEnd = text.indexOf('\r\n', from) + 2;
  const count = Number(text.slice(from + 1, headEnd - 2));
  const strings: string[] = [];
  let at = headEnd;
  for (let i = 0; i < count; i += 1) {
    const end = stringEnd(text, at);
    strings.push(text.slice(at, end));
    at = end;
  }
  return strings;
}

/** True when the string that `frame` is begins with `prefix`. */
export function frameStartsWith(frame: string, prefix: string): boolean {
  return frame.startsWith(prefix, frame.indexOf('\n') + 1);
}
