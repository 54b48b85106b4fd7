import { isAscii, isUtf8 } from 'node:buffer';
import { ProtocolError } from '../frames.ts';

const LF = 10;
const MINUS = 45;
const ZERO = 48;
const BULK = 36;
const ARRAY = 42;
const INTEGER = 58;
/** The guest's parser knows both: a bulk string that has been decoded, of so many characters, and one that is no UTF-8. */
const TEXT = '~';
const BYTES = '!';
const HEADERS: ReadonlySet<number> = new Set([ARRAY, INTEGER]);
/** A view of the memory costs as much as looking at so many bytes one by one. */
const SHORT = 32;
const REPLACEMENT = '\ufffd';

/**
 * RESP2 as a text in which nothing is left to decode: bulk strings with bytes above 0x7f come as `~<characters>` and their text, or as
 * `!<bytes>` and their bytes as latin1 where they are no UTF-8; all others, and everything else, are as they were. An isolate
 * has no decoder of its own, and one written in JavaScript takes ten times as long. Throws PROTOCOL for what is cut off.
 */
export function spellOut(body: Buffer, from: number): string {
  if (isAscii(from === 0 ? body : body.subarray(from))) return body.toString('latin1', from);
  const text = new SpelledText(body, from);
  for (let at = from; at < body.length; ) {
    const end = lineEnd(body, at);
    const type = body[at] as number;
    if (type === BULK) at = text.bulk(at, end);
    else {
      if (!HEADERS.has(type)) text.line(at, end);
      at = end;
    }
  }
  return text.finish();
}

/** What has been written, and how much of the body that is. */
class SpelledText {
  readonly #body: Buffer;
  #text = '';
  #kept: number;

  constructor(body: Buffer, from: number) {
    this.#body = body;
    this.#kept = from;
  }

  /** @param end behind the header. Returns where the next thing begins. */
  bulk(at: number, end: number): number {
    const length = numberAt(this.#body, at + 1);
    if (length < 0) return end;
    const next = end + length + 2;
    if (next > this.#body.length) throw new ProtocolError('A bulk string is longer than its frame.');
    if (!isPlain(this.#body, end, end + length)) this.#put(at, spelled(this.#body, end, end + length), next - 2);
    return next;
  }

  line(at: number, end: number): void {
    if (!isPlain(this.#body, at, end)) this.#put(at, textOf(this.#body, at, end), end);
  }

  finish(): string {
    return this.#text + this.#body.toString('latin1', this.#kept);
  }

  #put(at: number, text: string, end: number): void {
    this.#text += this.#body.toString('latin1', this.#kept, at) + text;
    this.#kept = end;
  }
}

function spelled(body: Buffer, from: number, to: number): string {
  const text = body.toString('utf8', from, to);
  if (text.includes(REPLACEMENT) && !isUtf8(body.subarray(from, to))) {
    return `${BYTES}${to - from}\r\n${body.toString('latin1', from, to)}`;
  }
  return `${TEXT}${text.length}\r\n${text}`;
}

/** A line of text, as it is where it is no UTF-8. */
function textOf(body: Buffer, from: number, to: number): string {
  return body.toString(isUtf8(body.subarray(from, to)) ? 'utf8' : 'latin1', from, to);
}

function isPlain(body: Buffer, from: number, to: number): boolean {
  if (to - from > SHORT) return isAscii(body.subarray(from, to));
  for (let i = from; i < to; i += 1) if ((body[i] as number) > 0x7f) return false;
  return true;
}

/** Behind the line that begins at `at`. */
function lineEnd(body: Buffer, at: number): number {
  for (let i = at; i < body.length; i += 1) if (body[i] === LF) return i + 1;
  throw new ProtocolError('A line has no end.');
}

function numberAt(body: Buffer, at: number): number {
  if (body[at] === MINUS) return -1;
  let n = 0;
  for (let i = at; (body[i] as number) >= ZERO; i += 1) n = n * 10 + (body[i] as number) - ZERO;
  return n;
}
