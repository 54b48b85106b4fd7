import { PlatformError } from '#functions';
import type { RuntimeErrorCode } from '../errors.ts';

const ASTERISK = 42;
const DOLLAR = 36;
const CR = 13;
const LF = 10;
const ZERO = 48;
const MAX_LENGTH_DIGITS = 9;

/**
 * Walks over RESP commands by their lengths alone, so that nothing inside an argument can pass for a command. Strict:
 * arrays of bulk strings, decimal lengths without sign or leading zero.
 */
export class CommandScanner {
  readonly text: string;
  /** Where the next header begins. */
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Number of arguments of the command at `at`; moves behind the header. */
  argumentCount(): number {
    const count = this.#length(ASTERISK);
    if (count === 0) throw malformed(this.at, 'an empty command');
    return count;
  }

  /** Length of the bulk string at `at`; moves to its first character. */
  bulkLength(): number {
    return this.#length(DOLLAR);
  }

  /** Moves behind a bulk string of `length` whose first character is at `at`. */
  skipBulk(length: number): void {
    const end = this.at + length;
    if (this.text.charCodeAt(end) !== CR || this.text.charCodeAt(end + 1) !== LF) {
      throw malformed(end, 'a bulk string without its end');
    }
    this.at = end + 2;
  }

  #length(marker: number): number {
    const { text } = this;
    let at = this.at;
    if (text.charCodeAt(at) !== marker) throw malformed(at, `no ${String.fromCharCode(marker)} where one belongs`);
    at += 1;
    const first = at;
    let value = 0;
    for (;;) {
      const digit = text.charCodeAt(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at += 1;
    }
    const digits = at - first;
    const leadingZero = digits > 1 && text.charCodeAt(first) === ZERO;
    if (digits === 0 || digits > MAX_LENGTH_DIGITS || leadingZero) throw malformed(first, 'a length that is none');
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) throw malformed(at, 'a length without its end');
    this.at = at + 2;
    return value;
  }
}

/** The arguments of the command that begins at `from`. Throws SANDBOX_PROTOCOL. */
export function argumentsAt(text: string, from: number): readonly string[] {
  const scanner = new CommandScanner(text);
  scanner.at = from;
  const count = scanner.argumentCount();
  const found: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const length = scanner.bulkLength();
    found.push(text.slice(scanner.at, scanner.at + length));
    scanner.skipBulk(length);
  }
  return found;
}

/** Where each of `count` commands begins, with the end of the last one behind them. Throws SANDBOX_PROTOCOL. */
export function commandStarts(text: string, count: number): readonly number[] {
  const scanner = new CommandScanner(text);
  const starts = [0];
  for (let position = 0; position < count; position += 1) {
    for (let left = scanner.argumentCount(); left > 0; left -= 1) scanner.skipBulk(scanner.bulkLength());
    starts.push(scanner.at);
  }
  return starts;
}

export function malformed(at: number, what: string): PlatformError<RuntimeErrorCode> {
  return new PlatformError('SANDBOX_PROTOCOL', `the sandbox sent commands that are not RESP: ${what} at byte ${at}`);
}
