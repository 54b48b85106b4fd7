import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replyEnd } from '../../../functions/redis/resp/frame.ts';
import { encodeBulk, latin1FromUtf8 } from '../../../functions/redis/resp/encode.ts';
import { createRedactor, type Redactor } from '../../../functions/variables/redactor.ts';

const redactorOf = (...secrets: [string, string][]): Redactor => createRedactor(secrets) as Redactor;

test('without secrets there is nothing to look for', () => {
  expect(createRedactor([])).toBeNull();
});

test('every value is replaced by its name, the longest first', () => {
  const redactor = redactorOf(['SHORT', 'abcdefgh'], ['LONG', 'abcdefghijkl']);
  expect(redactor.text('abcdefghijkl, abcdefgh, abcdefg')).toBe('[secret LONG], [secret SHORT], abcdefg');
});

test('whatever a value is, no text around it lets it through, nor does its JSON or its bytes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 8 }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (value, before, after) => {
        fc.pre(!'[secret X]'.includes(value) && !before.includes(value) && !after.includes(value));
        const redactor = redactorOf(['X', value]);
        const marked = (text: string): boolean => redactor.text(text).includes('[secret X]');
        expect(marked(`${before}${value}${after}`)).toBe(true);
        expect(redactor.text(`${value}`)).toBe('[secret X]');
        expect(redactor.text(JSON.stringify(value))).toBe('"[secret X]"');
        expect(redactor.text(latin1FromUtf8(value))).toBe('[secret X]');
      },
    ),
  );
});

test('in RESP lengths stay right', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), fc.string(), (value, around) => {
      const text = `*2\r\n${encodeBulk(latin1FromUtf8(around + value))}${encodeBulk('x')}`;
      const shown = redactorOf(['X', value]).resp(text);
      expect(shown).toHaveLength(text.length);
      expect(replyEnd(shown, 0)).toBe(text.length);
    }),
  );
});

test('a long line of a value with several is replaced by itself', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END PRIVATE KEY-----\n';
  const redactor = redactorOf(['PEM', pem]);
  expect(redactor.text('line 2: MIIEvQIBADANBgkqhkiG9w0')).toBe('line 2: [secret PEM]');
  expect(redactor.text('a short line')).toBe('a short line');
});
