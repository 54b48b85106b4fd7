import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlatformError } from '../../../functions/errors.ts';
import { createKeyRing, generateKey } from '../../../functions/variables/key-ring.ts';
import type { VariableName } from '../../../functions/variables/variable.ts';

const API_KEY: VariableName = { functionName: 'mailer', kind: 'secret', name: 'API_KEY' };
const ringOf = (...keys: string[]) => createKeyRing(keys.join('\n'), 'a test');
const anyName = fc.record({
  functionName: fc.string({ minLength: 1 }),
  kind: fc.constantFrom('env' as const, 'secret' as const),
  name: fc.string({ minLength: 1 }),
});

function errorOf(work: () => unknown): PlatformError {
  try {
    work();
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('nothing was thrown');
}

describe('a value that was sealed', () => {
  const ring = ringOf(generateKey());

  test('opens as it was, and never looks the same twice', () => {
    fc.assert(
      fc.property(anyName, fc.string({ unit: 'grapheme' }), (variable, value) => {
        const first = ring.seal(variable, value);
        const second = ring.seal(variable, value);
        expect(ring.open(variable, first.text)).toBe(value);
        expect(second.text).not.toBe(first.text);
        expect(second.fingerprint).toBe(first.fingerprint);
        expect(first.fingerprint).toMatch(/^[0-9a-f]{8}$/);
      }),
    );
  });

  test('opens for no other function, kind or name', () => {
    fc.assert(
      fc.property(anyName, anyName, (mine, other) => {
        fc.pre(JSON.stringify(mine) !== JSON.stringify(other));
        const { text } = ring.seal(mine, 'a value');
        expect(errorOf(() => ring.open(other, text)).code).toBe('SECRET_UNREADABLE');
      }),
    );
    const { text } = ring.seal(API_KEY, 'a value');
    for (const moved of [{ functionName: 'other' }, { kind: 'env' as const }, { name: 'REGION' }]) {
      expect(errorOf(() => ring.open({ ...API_KEY, ...moved }, text)).code).toBe('SECRET_UNREADABLE');
    }
  });

  test('does not open when any bit of it has been changed, or the end is cut off', () => {
    const { text } = ring.seal(API_KEY, 'sk-live-1234567890');
    const [version, id, body = ''] = text.split(':');
    const bytes = Buffer.from(body, 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const error = errorOf(() => ring.open(API_KEY, `${version}:${id}:${changed.toString('base64')}`));
      expect(error.code).toBe('SECRET_UNREADABLE');
    }
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length).toString('base64');
      expect(errorOf(() => ring.open(API_KEY, `${version}:${id}:${cut}`)).code).toBe('SECRET_UNREADABLE');
    }
  });

  test('does not open with another key, which the error names', () => {
    const { text } = ring.seal(API_KEY, 'sk-live-1234567890');
    const error = errorOf(() => ringOf(generateKey()).open(API_KEY, text));
    expect(error.code).toBe('SECRET_UNREADABLE');
    expect(error.message).toContain(`the key ${ring.keyId}`);
    expect(error.message).toContain('API_KEY of mailer');
  });

  test.each(['', 'sk-live', 'v1:', 'v2:00000000:AAAA', 'v1:0000:AAAA'])('is not %o', (text) => {
    expect(errorOf(() => ring.open(API_KEY, text)).code).toBe('SECRET_UNREADABLE');
  });
});

describe('keys', () => {
  test('the first one seals, all of them open', () => {
    const [older, newer] = [generateKey(), generateKey()];
    const before = ringOf(older);
    const between = ringOf(newer, older);
    const after = ringOf(newer);
    const old = before.seal(API_KEY, 'a value');
    expect(between.open(API_KEY, old.text)).toBe('a value');
    expect(between.isCurrent(old.text)).toBe(false);
    const renewed = between.seal(API_KEY, between.open(API_KEY, old.text));
    expect(between.isCurrent(renewed.text)).toBe(true);
    expect(after.open(API_KEY, renewed.text)).toBe('a value');
    expect(errorOf(() => after.open(API_KEY, old.text)).code).toBe('SECRET_UNREADABLE');
    expect(renewed.fingerprint).not.toBe(old.fingerprint);
  });

  test('are read as base64 and hex, with comments, on lines and with commas', () => {
    const [one, two] = [generateKey(), generateKey()];
    const asHex = Buffer.from(two, 'base64').toString('hex');
    const ring = createKeyRing(`# made in May\n${one} # the new one\n\n`, 'f');
    expect(createKeyRing(`${one},${asHex}`, 'f').keyId).toBe(ring.keyId);
    const sealed = ringOf(two).seal(API_KEY, 'a value').text;
    expect(createKeyRing(`${one}, ${asHex}`, 'f').open(API_KEY, sealed)).toBe('a value');
  });

  test('that are none are refused without being shown', () => {
    const error = errorOf(() => createKeyRing(`${generateKey()}\npassword-of-mine`, 'the file /k'));
    expect(error.code).toBe('ARGUMENT_INVALID');
    expect(error.message).toContain('key 2 of 2 in the file /k');
    expect(error.message).not.toContain('password');
  });

  test('without one nothing is sealed', () => {
    const ring = createKeyRing('# nothing yet', 'f');
    expect(ring.keyId).toBeNull();
    expect(errorOf(() => ring.seal(API_KEY, 'a value')).code).toBe('SECRETS_KEY_MISSING');
  });
});
