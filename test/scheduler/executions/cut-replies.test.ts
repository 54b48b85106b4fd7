import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBulk, encodeCommand, encodeError, replyStarts } from '#functions';
import { cutReplies, mayHaveError } from '../../../scheduler/executions/readers/cut-replies.ts';
import { joinNames, listNames, portionsOf, withoutPrefix } from '../../../scheduler/executions/readers/key-names.ts';

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

test('no error among replies stays unseen', () => {
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 20 }), (replies) => {
      if (replies.some((one) => one.startsWith('-'))) expect(mayHaveError(replies.join(''))).toBe(true);
    }),
  );
  expect(mayHaveError(encodeCommand(['a', '-1', '-x']))).toBe(false);
});

test('names are cut into portions, and lose those of the platform', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), (texts, size) => {
      const names = joinNames(texts.map(encodeBulk));
      expect(listNames(names)).toEqual(texts.map(encodeBulk));
      const portions = [...portionsOf(names, () => size)];
      expect(portions.flatMap(listNames)).toEqual(texts.map(encodeBulk));
      expect(portions.every(({ count }) => count > 0 && count <= size)).toBe(true);
    }),
  );
  const mixed = joinNames(['rg:x', 'xrg:', 'a'].map(encodeBulk));
  expect(listNames(withoutPrefix(mixed, 'rg:'))).toEqual(['xrg:', 'a'].map(encodeBulk));
});
