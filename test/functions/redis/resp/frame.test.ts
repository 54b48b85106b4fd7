import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlatformError } from '#functions';
import { encodeCommand } from '../../../../functions/redis/resp/encode.ts';
import { commandEnd, countFrames, repliesEnd, replyEnd } from '../../../../functions/redis/resp/frame.ts';
import { createCommandFramer, createReplyFramer } from '../../../../functions/redis/resp/framer.ts';

const REPLIES: readonly string[] = [
  '+OK\r\n',
  '+\r\n',
  '-ERR unknown command\r\n',
  ':0\r\n',
  ':-9223372036854775808\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '$5\r\nab\r\nc\r\n',
  '$3\r\n\x00\xff\x80\r\n',
  '*0\r\n',
  '*-1\r\n',
  '*2\r\n:1\r\n$2\r\nab\r\n',
  '*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n*1\r\n$-1\r\n',
  '*3\r\n$1\r\na\r\n-ERR in the middle\r\n*-1\r\n',
  '*1\r\n*2\r\n$6\r\nstream\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n',
  '_\r\n',
  '#t\r\n',
  ',1.5e3\r\n',
  '(3492890328409238509324850943850943825024385\r\n',
  '!9\r\nERR a\r\nbc\r\n',
  '=7\r\ntxt:abc\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*2\r\n:1\r\n:2\r\n',
  '~2\r\n:1\r\n:2\r\n',
  '>2\r\n+message\r\n:1\r\n',
  '|1\r\n+ttl\r\n:3600\r\n*1\r\n:1\r\n',
];

const MALFORMED: readonly string[] = [
  'PING\r\n',
  '\r\n',
  '$\r\n',
  '$a\r\n',
  '$-2\r\n',
  '$+1\r\nx\r\n',
  '$1x\r\na\r\n',
  '$536870913\r\n',
  '$99999999999999999999\r\n',
  '*-2\r\n',
  '*1 \r\n:1\r\n',
  '*9999999999\r\n',
  '*1\n:1\r\n',
  '$1\r\nab\r\n',
  '+ok\n',
  `$${'1'.repeat(40)}`,
];

describe('replies', () => {
  test.each(REPLIES)('%j ends where it ends, whole and with something behind it', (reply) => {
    expect(replyEnd(reply)).toBe(reply.length);
    expect(replyEnd(`${reply}+more\r\n`)).toBe(reply.length);
    expect(replyEnd(`..${reply}`, 2)).toBe(reply.length + 2);
  });

  test.each(REPLIES)('%j is incomplete at every offset before its end', (reply) => {
    for (let at = 0; at < reply.length; at++) expect(replyEnd(reply.slice(0, at))).toBe(-1);
  });

  test.each(REPLIES)('%j is framed when it is split at every pair of offsets', (reply) => {
    for (let a = 0; a <= reply.length; a++) {
      for (let b = a; b <= reply.length; b++) {
        const framer = createReplyFramer();
        const pieces = [reply.slice(0, a), reply.slice(a, b), reply.slice(b)].filter((piece) => piece !== '');
        const ends = pieces.map((piece) => framer.push(piece));
        expect(ends.slice(0, -1).every((end) => end === -1)).toBe(true);
        expect(ends.at(-1)).toBe(pieces.at(-1)?.length);
        expect(framer.text).toBe(reply);
      }
    }
  });

  test('all of them are framed one by one when they come byte by byte', () => {
    const framer = createReplyFramer();
    const seen: string[] = [];
    for (const byte of REPLIES.join('')) if (framer.push(byte) === 1) seen.push(framer.text);
    expect(seen).toEqual(REPLIES);
    expect(framer.pendingBytes).toBe(0);
  });

  test('several replies make one frame when that is expected', () => {
    const all = REPLIES.join('');
    expect(repliesEnd(all, 0, REPLIES.length)).toBe(all.length);
    expect(repliesEnd(all, 0, REPLIES.length + 1)).toBe(-1);
    expect(countFrames(all)).toBe(REPLIES.length);
    const framer = createReplyFramer();
    framer.expect(REPLIES.length);
    expect(framer.push(all.slice(0, 40))).toBe(-1);
    expect(framer.push(`${all.slice(40)}+next\r\n`)).toBe(all.length - 40);
    expect(framer.text).toBe(all);
    expect(framer.push('.+next\r\n', 1)).toBe(8);
    expect(framer.text).toBe('+next\r\n');
  });

  test.each(MALFORMED)('%j is refused', (text) => {
    expect(() => replyEnd(text)).toThrow(PlatformError);
    expect(() => createReplyFramer().push(text)).toThrow(/malformed RESP/);
    const bytewise = createReplyFramer();
    expect(() => [...`${text}\r\n\r\n${'x'.repeat(40)}`].map((byte) => bytewise.push(byte))).toThrow(PlatformError);
  });

  test('errors that speak of the server are noted in any depth, others are not', () => {
    const framer = createReplyFramer();
    framer.push('-WRONGTYPE no\r\n');
    framer.push('+READONLY\r\n');
    expect(framer.notedErrors()).toBeNull();
    framer.push('*2\r\n:1\r\n-READON');
    framer.push("LY You can't write against a read only replica.\r\n");
    framer.push('-MOVED 1 127.0.0.1:1\r\n');
    expect(framer.notedErrors()).toEqual(['READONLY', 'MOVED']);
    expect(framer.notedErrors()).toBeNull();
  });

  test('a reply of 64 MB in 64 KB chunks costs no more per byte than one of 8 MB', () => {
    const least = (items: number): number => Math.min(...[1, 2, 3].map(() => timeToFrame(items)));
    const few = least(128);
    // Were chunks joined as they come, it would be 64 times.
    expect(least(1024) / few).toBeLessThan(32);
  });
});

/** Processor time, µs, to frame a reply of so many 64 KB strings that come in as many chunks. */
function timeToFrame(items: number): number {
  const chunk = 'x'.repeat(65_536);
  const framer = createReplyFramer();
  const began = process.cpuUsage();
  framer.push(`*${items}\r\n$65536\r\n`);
  for (let i = 1; i < items; i++) expect(framer.push(`${chunk}\r\n$65536\r\n`)).toBe(-1);
  expect(framer.push(`${chunk}\r\n`)).toBe(65_538);
  expect(framer.text.length).toBeGreaterThan(items * 65_536);
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

const value: fc.Arbitrary<string> = fc.letrec<{ reply: string }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small' },
    fc.integer().map((n) => `:${n}\r\n`),
    fc.string({ unit: 'binary-ascii' }).map((s) => `$${s.length}\r\n${s}\r\n`),
    fc.constantFrom('+OK\r\n', '-ERR no\r\n', '$-1\r\n', '*-1\r\n'),
    fc.array(tie('reply'), { maxLength: 4 }).map((items) => `*${items.length}\r\n${items.join('')}`),
    fc.array(tie('reply'), { maxLength: 4 }).map((i) => `%${i.length}\r\n${i.map((v) => `+k\r\n${v}`).join('')}`),
  ),
})).reply;

test('any replies in any chunks come out as they went in', () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (all, sizes) => {
        const text = all.join('');
        const framer = createReplyFramer();
        const seen: string[] = [];
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const chunk = text.slice(at, at + (sizes[turn % (sizes.length || 1)] ?? 5));
          at += chunk.length;
          for (let from = 0; from < chunk.length; ) {
            const end = framer.push(chunk, from);
            if (end < 0) break;
            seen.push(framer.text);
            from = end;
          }
        }
        expect(seen).toEqual(all);
      },
    ),
  );
});

describe('commands', () => {
  const COMMANDS = [
    ['PING'],
    ['SET', 'k', ''],
    ['SET', 'k\r\n', '$1\r\n'],
    ['X', '\x00\xff'],
    ['ECHO', 'x'.repeat(70)],
  ];

  test.each(COMMANDS)('%j %j %j ends where it ends, whole, bytewise and split at every offset', (...args) => {
    const text = encodeCommand(args);
    expect(commandEnd(`${text}*1\r\n`)).toBe(text.length);
    for (let at = 0; at < text.length; at++) expect(commandEnd(text.slice(0, at))).toBe(-1);
    for (let at = 1; at < text.length; at++) {
      const framer = createCommandFramer();
      expect(framer.push(text.slice(0, at))).toBe(-1);
      expect(framer.pendingBytes).toBe(at);
      expect(framer.push(text.slice(at))).toBe(text.length - at);
      expect(framer.text).toBe(text);
    }
    const framer = createCommandFramer();
    expect([...text].map((byte) => framer.push(byte)).filter((end) => end > 0)).toHaveLength(1);
  });

  test.each([
    'PING\r\n',
    '+OK\r\n',
    '*0\r\n',
    '*-1\r\n',
    '*1\r\n:1\r\n',
    '*1\r\n*1\r\n$1\r\na\r\n',
    '*1\r\n$-1\r\n',
    '*1048577\r\n',
    '*1\r\n$536870913\r\n',
    '*1\r\n$1\r\nab\r\n',
    '$4\r\nPING\r\n',
  ])('%j is refused', (text) => {
    expect(() => commandEnd(text)).toThrow(/malformed RESP/);
    expect(() => createCommandFramer().push(text)).toThrow(/malformed RESP/);
  });

  test('limits are those that are asked for', () => {
    expect(() => commandEnd('*3\r\n', 0, { maxItems: 2 })).toThrow('more than 2 elements');
    expect(() => commandEnd('*1\r\n$9\r\n', 0, { maxBulkBytes: 8 })).toThrow('longer than 8 bytes');
    expect(commandEnd('*1\r\n$8\r\n', 0, { maxBulkBytes: 8 })).toBe(-1);
  });
});
