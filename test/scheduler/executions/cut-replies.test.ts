import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBulk, encodeCommand, encodeError, replyStarts } from '#functions';
import { cutReplies, cutStrings, frameStartsWith } from '../../../scheduler/executions/readers/cut-replies.ts';

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => Buffer.from(value).toString('latin1'));
const reply = fc.oneof(
  text.map(encodeBulk),
  fc.array(text, { maxLength: 6 }).map(encodeCommand),
  fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n', ':12\r\n', '+hash\r\n', '*2\r\n:1\r\n*1\r\n$1\r\na\r\n'),
  fc.constant(encodeError('WRONGTYPE no')),
);

test('replies are cut where the framing of links cuts them', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 20 }), (replies) => {
      expect([...cutReplies(replies.join(''), replies.length)]).toEqual([
        ...replyStarts(replies.join(''), replies.length),
      ]);
    }),
  );
});

test('strings of a list keep their headers', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
      expect(cutStrings(encodeCommand(texts), 0)).toEqual(texts.map(encodeBulk));
    }),
  );
  expect(frameStartsWith(encodeBulk('rg:x'), 'rg:')).toBe(true);
  expect(frameStartsWith(encodeBulk('xrg:'), 'rg:')).toBe(false);
});
