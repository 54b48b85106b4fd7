import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../runtime/guest/utf8.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function reference(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

const decoded = (bytes: Uint8Array): string | null => decodeUtf8(Buffer.from(bytes).toString('latin1'));

/** Bytes near the borders of what UTF-8 allows: where forms begin and end, and what may follow. */
const border = fc.constantFrom(
  ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf],
  ...[0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff],
);

describe('UTF-8 in a guest', () => {
  test('is what a text was encoded to', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, (value) => {
        expect(decoded(Buffer.from(value, 'utf8'))).toBe(Buffer.from(value, 'utf8').toString('utf8'));
      }),
    );
  });

  test('is told from bytes that are no text as strictly as a fatal TextDecoder tells it', () => {
    const bytes = fc.array(border, { maxLength: 6 });
    fc.assert(
      fc.property(bytes, (list) => {
        const array = Uint8Array.from(list);
        expect(decoded(array)).toBe(reference(array));
      }),
      { numRuns: 20_000 },
    );
  });

  test('is decoded behind bytes that are known to be ASCII', () => {
    const bytes = Buffer.from('plain text, then größer', 'utf8').toString('latin1');
    expect(decodeUtf8(bytes, bytes.indexOf('g'))).toBe('plain text, then größer');
  });
});
