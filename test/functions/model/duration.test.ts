import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBytes, parseBytes } from '../../../functions/model/bytes.ts';
import { formatDuration, parseDuration } from '../../../functions/model/duration.ts';

const wrong = expect.objectContaining({ code: 'ARGUMENT_INVALID' });

test('durations are read with their unit, bare numbers are milliseconds', () => {
  const texts = {
    '500ms': 500,
    '5s': 5_000,
    '1.5m': 90_000,
    '2h': 7_200_000,
    '7d': 604_800_000,
    '250': 250,
    ' 3 S ': 3_000,
  };
  for (const [text, ms] of Object.entries(texts)) expect(parseDuration(text)).toBe(ms);
  for (const bad of ['', 's', '-1s', '5 weeks', '1e3', '9'.repeat(20), '5s5s'])
    expect(() => parseDuration(bad)).toThrow(wrong);
});

test('sizes are read with their unit, bare numbers are bytes', () => {
  const texts = {
    '64mb': 64 * 1024 ** 2,
    '1.5GB': 1.5 * 1024 ** 3,
    '2kb': 2_048,
    '10b': 10,
    '10': 10,
    '1tb': 1024 ** 4,
  };
  for (const [text, bytes] of Object.entries(texts)) expect(parseBytes(text)).toBe(bytes);
  for (const bad of ['', 'mb', '-1mb', '1mib', 'all', '9'.repeat(20)]) expect(() => parseBytes(bad)).toThrow(wrong);
});

test('what is formatted is read back as the same number', () => {
  const number = fc.nat({ max: 10 ** 12 });
  fc.assert(fc.property(number, (ms) => void expect(parseDuration(formatDuration(ms))).toBe(ms)));
  fc.assert(fc.property(number, (bytes) => void expect(parseBytes(formatBytes(bytes))).toBe(bytes)));
  expect([formatDuration(0), formatDuration(90_000), formatDuration(86_400_000)]).toEqual(['0ms', '90s', '1d']);
  expect([formatBytes(0), formatBytes(1_536), formatBytes(1024 ** 2)]).toEqual(['0b', '1536b', '1mb']);
});
