import { charCodeAt, encodeUri, fromCharCode, NativeUint8Array, toWellFormed, unescapeBytes } from './primordials.ts';
import { asciiLength, decodeUtf8 } from './utf8.ts';

/** True when every character is below 0x80. */
export function isAscii(text: string): boolean {
  return asciiLength(text) === text.length;
}

/** The UTF-8 bytes of a string, as latin1 text. Lone surrogates become U+FFFD. */
export function bytesOfString(text: string): string {
  return isAscii(text) ? text : unescapeBytes(encodeUri(toWellFormed(text)));
}

/** What user code sees of bytes (latin1 text): a string when they are UTF-8, else the bytes themselves. */
export function valueOfBytes(bytes: string): string | Uint8Array {
  const ascii = asciiLength(bytes);
  if (ascii === bytes.length) return bytes;
  return decodeUtf8(bytes, ascii) ?? bytesToArray(bytes);
}

/** latin1 text as bytes. */
export function bytesToArray(bytes: string): Uint8Array {
  const array = new NativeUint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) array[i] = charCodeAt(bytes, i);
  return array;
}

/** Bytes as latin1 text, sixteen at a time so that long ones make no deep rope. */
export function arrayToBytes(a: Uint8Array, length: number): string {
  let text = '';
  let i = 0;
  const at = (offset: number): number => a[i + offset] ?? 0;
  for (; i + 16 <= length; i += 16) {
    text += fromCharCode(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
    text += fromCharCode(at(8), at(9), at(10), at(11), at(12), at(13), at(14), at(15));
  }
  for (; i < length; i++) text += fromCharCode(at(0));
  return text;
}
