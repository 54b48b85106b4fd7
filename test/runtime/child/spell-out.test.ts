import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createParser } from '../../../runtime/guest/parse.ts';
import { spellOut } from '../../../runtime/sandbox/child/spell-out.ts';

const text = fc.string({ unit: 'binary', maxLength: 80 }).map((value) => Buffer.from(value));
const bytes = fc.uint8Array({ maxLength: 80 }).map((value) => Buffer.from(value));
const bulk = fc
  .oneof(text, bytes)
  .map((value) => Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]));
const line = fc
  .tuple(fc.constantFrom('+', '-'), fc.oneof(text, bytes))
  .map(([sign, value]) =>
    Buffer.concat([
      Buffer.from(sign),
      Buffer.from(value.filter((byte) => byte !== 10 && byte !== 13)),
      Buffer.from('\r\n'),
    ]),
  );
const small = fc
  .constantFrom('$-1\r\n', '*-1\r\n', ':12\r\n', ':-9007199254740993\r\n')
  .map((value) => Buffer.from(value));
const reply = fc.letrec<{ reply: Buffer; list: Buffer }>((tie) => ({
  reply: fc.oneof({ maxDepth: 3 }, bulk, line, small, tie('list')),
  list: fc
    .array(tie('reply'), { maxLength: 4 })
    .map((items) => Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items])),
})).reply;

function read(spelled: string, options: { readonly ascii: boolean; readonly raw: boolean }): unknown {
  const parser = createParser();
  parser.open(spelled, 0, options.ascii);
  const value = parser.reply(options.raw);
  expect(parser.at).toBe(spelled.length);
  return parser.lastError === null ? value : `error ${parser.lastError}`;
}

describe('a text that is spelled out', () => {
  test('says what its bytes say, with nothing left to decode', () => {
    fc.assert(
      fc.property(reply, fc.boolean(), fc.nat(9), (body, raw, skip) => {
        const framed = Buffer.concat([Buffer.alloc(skip, 0x58), body]);
        const spelled = read(spellOut(framed, skip), { ascii: true, raw });
        expect(spelled).toEqual(read(body.toString('latin1'), { ascii: false, raw }));
      }),
      { numRuns: 500 },
    );
  });

  test('keeps names and raw bytes as bytes', () => {
    const body = Buffer.concat([
      Buffer.from('$6\r\nzürn\r\n'.replace('6', '5')),
      Buffer.from('$2\r\n'),
      Buffer.from([0xff, 0]),
      Buffer.from('\r\n'),
    ]);
    const parser = createParser();
    parser.open(spellOut(body, 0), 0, true);
    expect(parser.bytes()).toBe(Buffer.from('zürn').toString('latin1'));
    expect(parser.bytes()).toBe('\xff\0');
  });

  test.each(['$5\r\nü\r\n', '*1\r\n$9\r\nüüü', '+ü'])('of %j is refused: it is cut off', (cut) => {
    expect(() => spellOut(Buffer.from(cut), 0)).toThrow(expect.objectContaining({ name: 'ProtocolError' }));
  });
});
