import { PlatformError } from '#functions';

const LF = 10;
const CR = 13;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

const LINE = 1;
const BULK = 2;
const LIST = 3;
const MAP = 4;
const ATTRIBUTE = 5;

const KINDS = new Uint8Array(256);
for (const [types, kind] of Object.entries({ '+-:,#(_': LINE, '$=!': BULK, '*~>': LIST, '%': MAP, '|': ATTRIBUTE })) {
  for (const type of types) KINDS[type.charCodeAt(0)] = kind;
}

/**
 * Finds where replies end in the bytes of an upstream connection, RESP2 and RESP3, over chunk borders and without
 * keeping a byte.
 */
export class ReplyFramer {
  /** Values that must still come for the present reply; 0 = between replies. */
  #values = 0;
  /** Bytes of the present bulk, line end included, still to be passed. */
  #skip = 0;
  /** Kind of the header that is being read; 0 = none. */
  #kind = 0;
  #number = 0;
  #isNegative = false;

  /** True between two replies. */
  get idle(): boolean {
    return this.#values === 0;
  }

  /**
   * Goes on at `from`; returns where the present reply ends in `chunk`, or -1 when it goes on in the next chunk. Throws
   * PROTOCOL_ERROR on bytes that are no RESP.
   */
  advance(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#values === 0) this.#values = 1;
    while (at < chunk.length) {
      at = this.#skip > 0 ? this.#pass(chunk, at) : this.#header(chunk, at);
      if (at < 0) return -1;
      if (this.#values === 0) return at;
    }
    return -1;
  }

  /** Passes the bytes of a bulk string. */
  #pass(chunk: Buffer, at: number): number {
    const step = Math.min(this.#skip, chunk.length - at);
    this.#skip -= step;
    if (this.#skip > 0) return -1;
    this.#values -= 1;
    return at + step;
  }

  #header(chunk: Buffer, from: number): number {
    let at = this.#kind === 0 ? this.#open(chunk, from) : from;
    at = this.#kind === LINE ? passLine(chunk, at) : this.#readNumber(chunk, at);
    if (at >= 0) this.#close();
    return at;
  }

  #open(chunk: Buffer, at: number): number {
    const type = chunk[at] as number;
    this.#kind = KINDS[type] as number;
    if (this.#kind === 0) throw new PlatformError('PROTOCOL_ERROR', `Redis sent a byte that begins no reply: ${type}`);
    this.#number = 0;
    this.#isNegative = false;
    return at + 1;
  }

  #readNumber(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const c = chunk[at] as number;
      if (c >= ZERO && c <= NINE) this.#number = this.#number * 10 + (c - ZERO);
      else if (c === LF) return at + 1;
      else if (c === MINUS) this.#isNegative = true;
      else if (c !== CR) throw new PlatformError('PROTOCOL_ERROR', 'Redis sent a length that is no number');
    }
    return -1;
  }

  /** The header is complete: what does it ask for? */
  #close(): void {
    const kind = this.#kind;
    const number = this.#isNegative ? -1 : this.#number;
    this.#kind = 0;
    if (kind === BULK && number >= 0) {
      this.#skip = number + 2;
      return;
    }
    // An attribute is no value of its own: one still follows.
    if (kind !== ATTRIBUTE) this.#values -= 1;
    if (number > 0 && kind >= LIST) this.#values += kind === LIST ? number : number * 2;
  }
}

function passLine(chunk: Buffer, from: number): number {
  let at = from;
  const { length } = chunk;
  while (at < length && chunk[at] !== LF) at += 1;
  return at < length ? at + 1 : -1;
}
