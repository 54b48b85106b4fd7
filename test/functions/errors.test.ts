import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PlatformError } from '../../functions/errors.ts';

const read = (path: string): string => readFileSync(new URL(`../../functions/${path}`, import.meta.url), 'utf8');

test('the README explains exactly the codes of the layer', () => {
  const declared = [...(read('errors.ts').split('FunctionsErrorCode =')[1] ?? '').matchAll(/\| '([A-Z_]+)'/g)];
  const explained = [...read('README.md').matchAll(/^\| ([A-Z_]{6,}) \| .+ \| .+ \|$/gm)];
  expect(explained.map(([, code]) => code).sort()).toEqual(declared.map(([, code]) => code).sort());
});

test('anything thrown becomes a platform error that keeps what it was', () => {
  const known = new PlatformError('REDIS_REPLY', 'no', { retryable: true, details: { a: 1 } });
  expect(PlatformError.from(known, 'ARGUMENT_INVALID')).toBe(known);
  expect(known).toMatchObject({ name: 'PlatformError', retryable: true, details: { a: 1 } });
  const cause = new TypeError('broken');
  const wrapped = PlatformError.from(cause, 'ARGUMENT_INVALID');
  expect(wrapped).toMatchObject({ code: 'ARGUMENT_INVALID', message: 'broken', cause, retryable: false, details: {} });
  expect(PlatformError.from('text', 'ARGUMENT_INVALID')).toMatchObject({ message: 'text', cause: 'text' });
});
