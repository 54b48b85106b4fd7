import { describe, expect, test } from 'vitest';
import {
  type Configuration,
  DEFAULT_LIMITS,
  type Limits,
  limitsWithin,
  PlatformError,
  parseManifest,
} from '#functions';
import { streamReport } from '../registry/reports.ts';

const NO_LIMITS = {
  memoryBytes: null,
  callMs: null,
  executionMs: null,
  outputBytes: null,
  commandsPerEvent: null,
  commandBytes: null,
  concurrency: null,
};
const EMPTY = { limits: NO_LIMITS, commands: null, keys: null, settings: [] };

function parsed(configuration: unknown, ceiling: Limits = DEFAULT_LIMITS): Configuration | undefined {
  return parseManifest('f', [streamReport(0, 's')], { configuration, ceiling }).configuration;
}

function refusal(configuration: unknown): PlatformError {
  try {
    parsed(configuration);
  } catch (error) {
    if (error instanceof PlatformError) return error;
    throw error;
  }
  throw new Error('It was taken.');
}

describe('what configure(…) was given', () => {
  test('is no part of a manifest that was made without it', () => {
    expect(parseManifest('f', [streamReport(0, 's')])).not.toHaveProperty('configuration');
    expect(parsed(null)).toBeUndefined();
  });

  test('holds the limits that were given and no others', () => {
    const limits = { ...NO_LIMITS, callMs: 100, commandsPerEvent: 5 };
    const given = { ...EMPTY, limits, commands: ['get'], keys: ['a:*'], settings: [['region', 'eu']] };
    expect(parsed(given)).toEqual({
      limits: { callMs: 100, commandsPerEvent: 5 },
      commands: ['get'],
      keys: ['a:*'],
      settings: { region: 'eu' },
    });
  });

  test.each([
    [
      'memoryBytes',
      'limits.memory is 129mb; this platform allows at most 128mb (setting limit-memory)',
      129 * 1024 ** 2,
    ],
    ['callMs', 'limits.call is 3s; this platform allows at most 2s (setting limit-call-ms)', 3_000],
    [
      'concurrency',
      'limits.concurrency is 10001; this platform allows at most 10000 (setting limit-concurrency)',
      10_001,
    ],
  ])('may not raise %s above the platform', (field, sentence, value) => {
    const error = refusal({ ...EMPTY, limits: { ...NO_LIMITS, [field]: value } });
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toBe(`configure: ${sentence}`);
  });

  test.each([
    ['an unknown field', { ...EMPTY, more: 1 }],
    ['an unknown limit', { ...EMPTY, limits: { ...NO_LIMITS, speed: 1 } }],
    ['a missing limit', { ...EMPTY, limits: {} }],
    ['a limit that is no number', { ...EMPTY, limits: { ...NO_LIMITS, callMs: '5' } }],
    ['less memory than an isolate needs', { ...EMPTY, limits: { ...NO_LIMITS, memoryBytes: 1024 } }],
    ['a command in capitals', { ...EMPTY, commands: ['GET'] }],
    ['a command with line ends', { ...EMPTY, commands: ['get\r\n'] }],
    ['an empty pattern', { ...EMPTY, keys: [''] }],
    ['a pattern without end', { ...EMPTY, keys: ['a'.repeat(257)] }],
    ['patterns without end', { ...EMPTY, keys: Array.from({ length: 101 }, () => 'a') }],
    ['a setting that is no text', { ...EMPTY, settings: [['a', 1]] }],
    ['a setting without value', { ...EMPTY, settings: [['a']] }],
    ['a list', []],
  ])('is refused with %s', (_, configuration) => {
    expect(refusal(configuration).code).toBe('MANIFEST_INVALID');
  });
});

test('limits that the platform has lowered since then hold for a version that asked for more', () => {
  const limits = limitsWithin({ ...DEFAULT_LIMITS, callMs: 50 }, { limits: { callMs: 100, executionMs: 1_000 } });
  expect(limits).toEqual({ ...DEFAULT_LIMITS, callMs: 50, executionMs: 1_000 });
  expect(limitsWithin(DEFAULT_LIMITS, undefined)).toBe(DEFAULT_LIMITS);
});
