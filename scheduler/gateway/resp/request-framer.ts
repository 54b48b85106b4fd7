/** What a client may send before its connection is closed as broken. */
export interface RequestLimits {
  readonly maxBulkBytes: number;
  readonly maxArguments: number;
  /** Redis has smaller limits, and other words for crossing them, for clients that have not authenticated. */
  readonly unauthenticated: boolean;
}

/** What `RequestFramer.next` found. */
export const Framed = {
  /** The rest has not arrived yet. */
  incomplete: 0,
  /** A whole request stands at `start … end`. */
  request: 1,
  /** Bytes that Redis skips without a reply: a blank line, `*0`. */
  nothing: 2,
  /** The end of a request whose begin was given away by `takePart`. */
  rest: 3,
  /** Not RESP; `error` says why, the connection must end. */
  broken: 4,
} as const;
export type Framed = (typeof Framed)[keyof typeof Framed];

const CR = 13;
const LF = 10;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const STAR = 42;
const DOLLAR = 36;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_HEADER_DIGITS = 20;
const MIN_BUFFER_BYTES = 16 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Finds requests in a client's bytes, as Redis itself does it, without building arguments and without ever scanning a
 * byte twice. A request always lies in one piece in `bytes`: a chunk is used where it is, and only what a chunk leaves
 * unfinished is copied to the next one.
 */
export class RequestFramer {
  bytes: Buffer = EMPTY;
  /** Begin of the present request. */
  start = 0;
  end = 0;
  isInline = false;
  /** The command's name; for inline requests the first word as it stands. Valid when `nameEnd > 0`. */
  nameStart = 0;
  nameEnd = 0;
  /** Arguments with the name, 0 for inline requests. */
  count = 0;
  /** Once set, nothing is read any more. */
  error = '';
  limits: RequestLimits;

  #length = 0;
  #at = 0;
  #ownsBuffer = false;
  #open = false;
  #partTaken = false;
  #argsLeft = 0;
  /** Bytes of the present argument, line end included, that have not been passed yet; -1 = its header comes next. */
  #skip = -1;
  #number = 0;

  constructor(limits: RequestLimits) {
    this.limits = limits;
  }

  /** Bytes that have come and belong to no finished request. */
  get pendingBytes(): number {
    return this.#length - this.start;
  }

  feed(chunk: Buffer): void {
    const kept = this.#length - this.start;
    if (kept === 0) {
      this.bytes = chunk;
      this.#length = chunk.length;
      this.#ownsBuffer = false;
      this.#at = 0;
      this.start = 0;
      return;
    }
    if (!this.#ownsBuffer || this.#length + chunk.length > this.bytes.length) this.#move(kept, chunk.length);
    chunk.copy(this.bytes, this.#length);
    this.#length += chunk.length;
  }

  /** Goes on to the next request. What `start`, `end` and the name fields say holds until the next call or `feed`. */
  next(): Framed {
    if (this.error !== '') return Framed.broken;
    if (!this.#open) {
      this.start = this.#at;
      if (this.#at >= this.#length) return Framed.incomplete;
      const opened = this.#begin();
      if (opened !== Framed.request) return opened;
    }
    return this.#arguments();
  }

  /** Puts the request that `next` has just returned back. */
  unread(): void {
    this.#at = this.start;
    this.end = this.start;
  }

  /** True when the unfinished request is far enough to tell its name. */
  get nameKnown(): boolean {
    return this.#open && (this.#partTaken || this.nameEnd > 0);
  }

  /**
   * Gives away what has arrived of the unfinished request; it will not be seen again. `next` says `rest` at its end. Returns
   * null when nothing new is there.
   */
  takePart(): Buffer | null {
    if (this.#length === this.start) return null;
    const part = this.bytes.subarray(this.start, this.#length);
    // What is left of a header that was cut in two stays readable: its bytes are only given away, not forgotten.
    if (this.#at < this.#length) return this.#cutBefore(part);
    this.#partTaken = true;
    this.start = this.#length;
    return part;
  }

  #cutBefore(part: Buffer): Buffer | null {
    const known = this.#at - this.start;
    if (known === 0) return null;
    this.#partTaken = true;
    this.start = this.#at;
    return part.subarray(0, known);
  }

  #move(kept: number, more: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.max(MIN_BUFFER_BYTES, (kept + more) * 2));
    this.bytes.copy(bigger, 0, this.start, this.#length);
    const shift = this.start;
    this.bytes = bigger;
    this.#ownsBuffer = true;
    this.start = 0;
    this.#at -= shift;
    this.#length = kept;
    this.nameStart -= shift;
    if (this.nameEnd > 0) this.nameEnd -= shift;
  }

  #begin(): Framed {
    this.#partTaken = false;
    this.nameEnd = 0;
    if (this.bytes[this.#at] !== STAR) return this.#inline();
    this.isInline = false;
    const header = this.#header(this.#at + 1, 'multibulk');
    if (header !== Framed.request) return header;
    const count = this.#number;
    if (this.limits.unauthenticated && count > 10) return this.#fail('unauthenticated multibulk length');
    if (count > this.limits.maxArguments) return this.#fail('invalid multibulk length');
    if (count <= 0) {
      this.end = this.#at;
      return Framed.nothing;
    }
    this.count = count;
    this.#argsLeft = count;
    this.#skip = -1;
    this.#open = true;
    return Framed.request;
  }

  #arguments(): Framed {
    while (this.#argsLeft > 0) {
      if (this.#skip < 0) {
        if (this.#at >= this.#length) return Framed.incomplete;
        const header = this.#argumentHeader();
        if (header !== Framed.request) return header;
      }
      const available = this.#length - this.#at;
      if (available < this.#skip) {
        this.#at = this.#length;
        this.#skip -= available;
        return Framed.incomplete;
      }
      this.#at += this.#skip;
      if (this.nameEnd === 0) this.nameEnd = this.#at - 2;
      this.#skip = -1;
      this.#argsLeft -= 1;
    }
    this.#open = false;
    this.end = this.#at;
    return this.#partTaken ? Framed.rest : Framed.request;
  }

  #argumentHeader(): Framed {
    const type = this.bytes[this.#at] ?? 0;
    if (type !== DOLLAR) return this.#fail(`expected '$', got '${printable(type)}'`);
    const header = this.#header(this.#at + 1, 'bulk');
    if (header !== Framed.request) return header;
    if (this.#number < 0 || this.#number > this.limits.maxBulkBytes) return this.#fail('invalid bulk length');
    if (this.limits.unauthenticated && this.#number > 16_384) return this.#fail('unauthenticated bulk length');
    this.#skip = this.#number + 2;
    if (this.nameEnd === 0) this.nameStart = this.#at;
    return Framed.request;
  }

  /** Reads a length up to its line end; `#at` moves behind it only when it is complete. */
  #header(from: number, what: string): Framed {
    const { bytes } = this;
    const length = this.#length;
    let at = from;
    let number = 0;
    const negative = at < length && bytes[at] === MINUS;
    if (negative) at += 1;
    const digits = at;
    let c = 0;
    while (at < length) {
      c = bytes[at] as number;
      if (c < ZERO || c > NINE) break;
      number = number * 10 + (c - ZERO);
      at += 1;
    }
    if (at - from > MAX_HEADER_DIGITS) return this.#fail(`invalid ${what} length`);
    if (at >= length) return Framed.incomplete;
    if (c !== CR || at === digits) return this.#fail(`invalid ${what} length`);
    if (at + 1 >= length) return Framed.incomplete;
    this.#number = negative ? -number : number;
    this.#at = at + 2;
    return Framed.request;
  }

  #inline(): Framed {
    const lineEnd = this.bytes.subarray(0, this.#length).indexOf(LF, this.#at);
    if (lineEnd < 0) {
      return this.#length - this.#at > MAX_LINE_BYTES ? this.#fail('too big inline request') : Framed.incomplete;
    }
    if (lineEnd - this.#at > MAX_LINE_BYTES) return this.#fail('too big inline request');
    this.isInline = true;
    this.count = 0;
    this.#at = lineEnd + 1;
    this.end = this.#at;
    let from = this.start;
    while (from < lineEnd && isBlank(this.bytes[from] as number)) from += 1;
    let to = from;
    while (to < lineEnd && !isBlank(this.bytes[to] as number)) to += 1;
    this.nameStart = from;
    this.nameEnd = to;
    return from === to ? Framed.nothing : Framed.request;
  }

  #fail(reason: string): Framed {
    this.error = `ERR Protocol error: ${reason}`;
    return Framed.broken;
  }
}

function isBlank(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13) || c === 0;
}

function printable(c: number): string {
  return c >= 32 && c < 127 ? String.fromCharCode(c) : '?';
}

/** Arguments of the request that stands complete at `start … end` of a framer, latin1, the name first. */
export function readArguments(framer: RequestFramer): string[] {
  const { bytes, end } = framer;
  let at = framer.start;
  const number = (): number => {
    let value = 0;
    for (at += 1; bytes[at] !== CR; at += 1) value = value * 10 + ((bytes[at] as number) - ZERO);
    at += 2;
    return value;
  };
  const count = number();
  const args: string[] = new Array(count);
  for (let i = 0; i < count && at < end; i += 1) {
    const length = number();
    args[i] = bytes.toString('latin1', at, at + length);
    at += length + 2;
  }
  return args;
}
