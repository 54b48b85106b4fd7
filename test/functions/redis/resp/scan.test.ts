import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeReplies,
  decodeReply,
  isReplyError,
  type ReplyValue,
  unlessError,
} from '../../../../functions/redis/resp/decode.ts';
import { encodeBulk, encodeCommand, latin1FromUtf8, utf8FromLatin1 } from '../../../../functions/redis/resp/encode.ts';
import {
  argOf,
  argsOf,
  createCommandScan,
  replyStarts,
  scanCommand,
  scanEntries,
} from '../../../../functions/redis/resp/scan.ts';
import { splitStreamReply } from '../../../../functions/redis/resp/stream-reply.ts';

const latin1 = fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes));

function encodeValue(value: ReplyValue): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return encodeBulk(value);
  if (isReplyError(value)) return `-${value.message}\r\n`;
  return `*${value.length}\r\n${value.map(encodeValue).join('')}`;
}

describe('commands', () => {
  test('arguments are found without being built, and the scan is filled again', () => {
    const text = `..${encodeCommand(['SET', 'k', 'v\r\n'])}${encodeCommand(['PING'])}`;
    const scan = createCommandScan();
    expect(scanCommand(text, 2, scan)).toBe(scan);
    expect(argsOf(text, scan)).toEqual(['SET', 'k', 'v\r\n']);
    expect(scanCommand(text, scan.end, scan)?.count).toBe(1);
    expect(argOf(text, scan, 0)).toBe('PING');
    expect(scan.end).toBe(text.length);
  });

  test('an incomplete command gives null at every offset', () => {
    const text = encodeCommand(['SET', 'key', 'value']);
    for (let at = 0; at < text.length; at++) expect(scanCommand(text.slice(0, at), 0)).toBeNull();
  });

  test.each([
    'PING\r\n',
    '*0\r\n',
    '*-1\r\n',
    '*1\r\n$-1\r\n',
    '*1\r\n:1\r\n',
    '*1\r\n$1\r\nabc',
    '*x\r\n',
    '*1048577\r\n',
  ])('%j is refused', (text) => {
    expect(() => scanCommand(text, 0)).toThrow(/malformed RESP/);
  });

  test('any arguments come back as they were encoded', () => {
    fc.assert(
      fc.property(fc.array(latin1, { minLength: 1, maxLength: 100 }), (args) => {
        const text = encodeCommand(args);
        const scan = scanCommand(text, 0);
        expect(scan && argsOf(text, scan)).toEqual(args);
        expect(scan?.end).toBe(text.length);
      }),
    );
  });
});

describe('values', () => {
  const json: fc.Arbitrary<ReplyValue> = fc.letrec<{ value: ReplyValue }>((tie) => ({
    value: fc.oneof(latin1, fc.integer(), fc.constant(null), fc.array(tie('value'), { maxLength: 4 })),
  })).value;

  test('any value comes back as it was encoded', () => {
    fc.assert(
      fc.property(fc.array(json), (values) => {
        expect(decodeReplies(values.map(encodeValue).join(''))).toEqual(values);
      }),
    );
  });

  test('errors are values that can be thrown', () => {
    const value = decodeReply('-WRONGTYPE Operation\r\n');
    expect(value).toEqual({ kind: 'error', code: 'WRONGTYPE', message: 'WRONGTYPE Operation' });
    expect(() => unlessError(value)).toThrow('WRONGTYPE Operation');
    expect(unlessError('OK')).toBe('OK');
  });

  test('RESP3 is shown as RESP2 would', () => {
    const text = '|1\r\n+a\r\n+b\r\n*7\r\n_\r\n#t\r\n#f\r\n,1.5\r\n=5\r\ntxt:x\r\n%1\r\n+k\r\n:1\r\n~1\r\n:2\r\n';
    expect(decodeReply(text)).toEqual([null, 1, 0, '1.5', 'x', ['k', 1], [2]]);
    expect(decodeReply(':9223372036854775807\r\n')).toBe('9223372036854775807');
  });

  test('an incomplete reply is refused', () => {
    expect(() => decodeReply('*2\r\n:1\r\n')).toThrow(/not complete/);
  });

  test('any text survives the way through latin1', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(utf8FromLatin1(latin1FromUtf8(text))).toBe(text);
      }),
    );
  });
});

const entry = (id: string, fields: readonly string[] | null): string =>
  `*2\r\n${encodeBulk(id)}${fields ? `*${fields.length}\r\n${fields.map(encodeBulk).join('')}` : '*-1\r\n'}`;
const entries = (list: readonly string[]): string => `*${list.length}\r\n${list.join('')}`;

describe('stream entries', () => {
  test('ids and starts are found in one pass', () => {
    const first = entry('1-0', ['f', 'v']);
    const second = entry('2-0', ['a', '', 'b', 'x\r\n*2\r\n']);
    const text = `..${entries([first, second])}rest`;
    const scan = scanEntries(text, 2);
    expect(scan.ids).toEqual(['1-0', '2-0']);
    expect(text.slice(scan.starts[0], scan.starts[1])).toBe(first);
    expect(text.slice(scan.starts[1], scan.end)).toBe(second);
    expect(text.slice(scan.end)).toBe('rest');
    expect(scan.missing).toEqual([]);
  });

  test('entries without fields are named, nil entries left out, plain ids taken', () => {
    const scan = scanEntries(entries([entry('1-0', null), '*-1\r\n', '$-1\r\n', entry('2-0', ['f', 'v'])]));
    expect(scan.ids).toEqual(['1-0', '2-0']);
    expect(scan.missing).toEqual([0]);
    expect(scan.starts).toHaveLength(2);
    expect(scanEntries(entries([encodeBulk('3-0'), encodeBulk('4-0')]))).toMatchObject({
      ids: ['3-0', '4-0'],
      missing: [0, 1],
    });
    expect(scanEntries('*-1\r\n').ids).toEqual([]);
    expect(scanEntries('*0\r\n')).toMatchObject({ ids: [], end: 4 });
  });

  test('a text cut off anywhere is refused', () => {
    const text = entries([entry('1-0', ['f', 'v'])]);
    for (let at = 0; at < text.length; at++) expect(() => scanEntries(text.slice(0, at))).toThrow(/malformed RESP/);
  });

  test.each(['*1\r\n*3\r\n', '*1\r\n:1\r\n', '*99\r\n', '*1\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n', '+OK\r\n'])(
    '%j is refused',
    (text) => {
      expect(() => scanEntries(text)).toThrow(/malformed RESP/);
    },
  );

  test('any entries come back', () => {
    const arbitrary = fc.array(fc.tuple(fc.stringMatching(/^\d+-\d+$/), fc.option(fc.array(latin1))), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(arbitrary, (list) => {
        const texts = list.map(([id, fields]) => entry(id, fields));
        const text = entries(texts);
        const scan = scanEntries(text);
        expect(scan.ids).toEqual(list.map(([id]) => id));
        expect(scan.missing).toEqual(list.flatMap(([, fields], i) => (fields ? [] : [i])));
        expect(texts.map((_, i) => text.slice(scan.starts[i], scan.starts[i + 1] ?? scan.end))).toEqual(texts);
        expect(scan.end).toBe(text.length);
      }),
    );
  });
});

describe('stream replies', () => {
  const one = entries([entry('1-0', ['f', 'v']), entry('1-1', ['g', 'w'])]);
  const two = entries([entry('9-0', null)]);

  test.each([
    ['RESP2', `*2\r\n*2\r\n${encodeBulk('a')}${one}*2\r\n${encodeBulk('b:{x}')}${two}`],
    ['RESP3', `%2\r\n${encodeBulk('a')}${one}${encodeBulk('b:{x}')}${two}`],
  ])('a %s reply splits into its streams with offsets of their own', (_, reply) => {
    const [first, second, ...more] = splitStreamReply(reply);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ key: 'a', text: one, ids: ['1-0', '1-1'], missing: [] });
    expect(first?.text.slice(first.starts[1])).toBe(entry('1-1', ['g', 'w']));
    expect(second).toMatchObject({ key: 'b:{x}', text: two, ids: ['9-0'], missing: [0] });
  });

  test('a nil reply gives none, an error reply is thrown', () => {
    expect(splitStreamReply('*-1\r\n')).toEqual([]);
    expect(splitStreamReply('_\r\n')).toEqual([]);
    expect(() => splitStreamReply('-NOGROUP No such key\r\n')).toThrow('NOGROUP No such key');
    expect(() => splitStreamReply('*1\r\n*2\r\n')).toThrow(/malformed RESP/);
  });
});

test('reply starts are found, and too few replies refused', () => {
  expect([...replyStarts('+OK\r\n:1\r\n', 2)]).toEqual([0, 5, 9]);
  expect(() => replyStarts('+OK\r\n', 2)).toThrow('only 1 of 2');
});
