import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBulk } from '../../../../functions/redis/resp/encode.ts';
import { EntryMarks } from '../../../../functions/redis/resp/entry-marks.ts';
import { replyState, resume } from '../../../../functions/redis/resp/frame-walk.ts';
import { createReplyFramer, type ReplyFramer } from '../../../../functions/redis/resp/framer.ts';
import { type StreamBatch, splitStreamReply } from '../../../../functions/redis/resp/stream-reply.ts';

interface Entry {
  readonly id: string;
  readonly fields: readonly string[] | null;
}

interface Stream {
  readonly key: string;
  readonly entries: readonly Entry[];
}

function replyOf(streams: readonly Stream[]): string {
  const texts = streams.map(
    ({ key, entries }) => `*2\r\n${encodeBulk(key)}*${entries.length}\r\n${entries.map(entryText).join('')}`,
  );
  return `*${streams.length}\r\n${texts.join('')}`;
}

function entryText({ id, fields }: Entry): string {
  return `*2\r\n${encodeBulk(id)}${fields === null ? '*-1\r\n' : `*${fields.length}\r\n${fields.map(encodeBulk).join('')}`}`;
}

/** Pushes a text in pieces of these sizes; the framer stands behind its last frame then. */
function pushInPieces(framer: ReplyFramer, text: string, sizes: readonly number[]): void {
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const piece = text.slice(at, at + (sizes[turn % sizes.length] ?? text.length));
    at += piece.length;
    const end = framer.push(piece);
    expect(end).toBe(at < text.length ? -1 : piece.length);
  }
}

function plain(batches: readonly StreamBatch[]): unknown {
  return batches.map((batch) => ({ ...batch, starts: [...batch.starts] }));
}

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const entry: fc.Arbitrary<Entry> = fc.record({
  id: fc.stringMatching(/^\d{1,14}-\d{1,3}$/),
  fields: fc.option(fc.array(latin1, { maxLength: 6 }), { freq: 20 }),
});
const reply = fc.array(fc.record({ key: latin1, entries: fc.array(entry, { maxLength: 8 }) }), { maxLength: 4 });

describe('streams of a read', () => {
  test('any reply in any pieces is split as it is when it is whole, and so is the one behind it', () => {
    fc.assert(
      fc.property(reply, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (streams, sizes) => {
        const text = replyOf(streams);
        const framer = createReplyFramer();
        for (let round = 0; round < 2; round += 1) {
          framer.expectStreams();
          pushInPieces(framer, text, sizes);
          expect(framer.text).toBe(text);
          expect(plain(framer.streams())).toEqual(plain(splitStreamReply(text)));
        }
      }),
    );
  });

  test('a reply behind another one in the same chunk is split', () => {
    const text = replyOf([{ key: 'a', entries: [{ id: '1-0', fields: ['f', 'v'] }] }]);
    const framer = createReplyFramer();
    framer.expectStreams();
    expect(framer.push(`:1\r\n${text}+OK\r\n`, 4)).toBe(4 + text.length);
    expect(plain(framer.streams())).toEqual(plain(splitStreamReply(text)));
    expect(framer.push('+OK\r\n')).toBe(5);
  });

  test.each(['*-1\r\n', '_\r\n', '*0\r\n'])('%j brings none', (nil) => {
    const framer = createReplyFramer();
    framer.expectStreams();
    framer.push(nil);
    expect(framer.streams()).toEqual([]);
  });

  test('an error reply is thrown with its words, what is none at all as malformed', () => {
    const framer = createReplyFramer();
    framer.expectStreams();
    framer.push('-NOGROUP No such key\r\n');
    expect(() => framer.streams()).toThrow('NOGROUP No such key');
    framer.expectStreams();
    framer.push('*1\r\n*3\r\n:1\r\n:2\r\n:3\r\n');
    expect(() => framer.streams()).toThrow(/malformed RESP/);
  });

  test('an ordinary reply needs no second look, wherever it was cut behind its head', () => {
    const head = `*1\r\n*2\r\n${encodeBulk('a')}*3\r\n`;
    const ids = ['1-0', '2-0', '3-0'];
    const text = head + ids.map((id) => entryText({ id, fields: ['f', 'v', 'g', 'w'] })).join('');
    for (let cut = head.length; cut < text.length; cut += 1) {
      const marks = new EntryMarks();
      const state = { ...replyState(1), marks };
      expect(resume(text.slice(0, cut), 0, state)).toBe(-1);
      marks.base = cut;
      expect(resume(text.slice(cut), 0, state)).toBe(text.length - cut);
      expect(marks.split(text)?.[0]?.ids).toEqual(ids);
    }
  });

  test('more entries than usual are all found', () => {
    const entries = Array.from({ length: 5_000 }, (_, index) => ({ id: `${index}-1`, fields: ['n', String(index)] }));
    const text = replyOf([{ key: 'many', entries }]);
    const framer = createReplyFramer();
    framer.expectStreams();
    pushInPieces(framer, text, [65_536]);
    expect(plain(framer.streams())).toEqual(plain(splitStreamReply(text)));
  });
});
