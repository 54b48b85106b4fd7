import { showValue } from './describe.ts';
import { bytesOfBinary } from './encode.ts';
import { guestError } from './errors.ts';
import {
  charCodeAt,
  defineProperty,
  fromCharCode,
  indexOf,
  slice,
  startsWith,
  toLowerCase,
  toText,
  trim,
} from './primordials.ts';
import { bytesOfString, bytesToArray, isAscii } from './text.ts';
import { decodeUtf8 } from './utf8.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const REPLACEMENT = '\u{fffd}';
const BOM = '\u{feff}';

/** Bytes that a lead byte announces; 0 for one that cannot lead. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/** Decodes piece by piece; what is no UTF-8 becomes U+FFFD. */
function decodeLossy(bytes: string): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(charCodeAt(bytes, i));
    const piece = length === 0 || i + length > bytes.length ? null : decodeUtf8(slice(bytes, i, i + length));
    text += piece ?? REPLACEMENT;
    i += piece === null ? 1 : length;
  }
  return text;
}

class PlatformTextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(input?: unknown): Uint8Array {
    return bytesToArray(bytesOfString(input === undefined ? '' : toText(input)));
  }
}

class PlatformTextDecoder {
  readonly #fatal: boolean;
  readonly #keepBom: boolean;

  constructor(label: unknown = 'utf-8', options: { readonly fatal?: unknown; readonly ignoreBOM?: unknown } = {}) {
    const name = toLowerCase(trim(toText(label)));
    if (name !== 'utf-8' && name !== 'utf8') {
      throw guestError('GUEST_ERROR', `TextDecoder: only utf-8 is known here, not ${showValue(label)}.`, 'range');
    }
    this.#fatal = !!options.fatal;
    this.#keepBom = !!options.ignoreBOM;
  }

  get encoding(): string {
    return 'utf-8';
  }

  decode(input?: unknown): string {
    if (input === undefined) return '';
    const bytes = typeof input === 'object' && input !== null ? bytesOfBinary(input) : undefined;
    if (bytes === undefined) {
      throw guestError('GUEST_ERROR', `TextDecoder: decode takes bytes, not ${showValue(input)}.`, 'type');
    }
    const whole = isAscii(bytes) ? bytes : decodeUtf8(bytes);
    if (whole === null && this.#fatal) throw guestError('GUEST_ERROR', 'TextDecoder: the bytes are not UTF-8.', 'type');
    const text = whole ?? decodeLossy(bytes);
    return !this.#keepBom && startsWith(text, BOM) ? slice(text, 1) : text;
  }
}

function btoa(input: unknown): string {
  const text = toText(input);
  let out = '';
  for (let i = 0; i < text.length; i += 3) {
    const rest = text.length - i;
    const a = charCodeAt(text, i);
    const b = rest > 1 ? charCodeAt(text, i + 1) : 0;
    const c = rest > 2 ? charCodeAt(text, i + 2) : 0;
    if ((a | b | c) > 0xff) {
      throw guestError('GUEST_ERROR', 'btoa: the text has a character above U+00FF; encode it with TextEncoder first.');
    }
    const bits = (a << 16) | (b << 8) | c;
    out += `${ALPHABET[bits >> 18]}${ALPHABET[(bits >> 12) & 63]}${rest > 1 ? ALPHABET[(bits >> 6) & 63] : '='}${rest > 2 ? ALPHABET[bits & 63] : '='}`;
  }
  return out;
}

function atob(input: unknown): string {
  const text = toText(input);
  let out = '';
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '=' || char === '\n' || char === '\r' || char === ' ' || char === '\t') continue;
    const value = indexOf(ALPHABET, char);
    if (value < 0) throw guestError('GUEST_ERROR', 'atob: the text is not base64.');
    bits = ((bits << 6) | value) & 0xffffff;
    count++;
    if (count % 4 === 2) out += fromCharCode((bits >> 4) & 0xff);
    else if (count % 4 === 3) out += fromCharCode((bits >> 2) & 0xff);
    else if (count % 4 === 0) out += fromCharCode(bits & 0xff);
  }
  if (count % 4 === 1) throw guestError('GUEST_ERROR', 'atob: the text is not base64.');
  return out;
}

export function installEncoding(target: object): void {
  const put = (name: string, value: unknown): void => {
    defineProperty(target, name, { __proto__: null, value, writable: true, configurable: true } as never);
  };
  defineProperty(PlatformTextEncoder, 'name', { __proto__: null, value: 'TextEncoder', configurable: true } as never);
  defineProperty(PlatformTextDecoder, 'name', { __proto__: null, value: 'TextDecoder', configurable: true } as never);
  put('TextEncoder', PlatformTextEncoder);
  put('TextDecoder', PlatformTextDecoder);
  put('btoa', btoa);
  put('atob', atob);
}
