import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlatformError } from '../../../functions/errors.ts';
import { checkFunctionName, parseManifest } from '../../../functions/model/parse-manifest.ts';
import { commandReport, streamReport } from '../registry/reports.ts';

function refusal(reported: unknown): PlatformError {
  try {
    parseManifest('f', reported);
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('nothing was refused');
}

test('a report of all defaults becomes a manifest with ids', () => {
  const { registrations } = parseManifest('shop', [streamReport(0, 'orders:*'), commandReport(1, 'greet')]);
  expect(registrations.map(({ id }) => id)).toEqual(['shop/stream/orders:*', 'shop/command/greet']);
  expect(registrations[0]).toEqual({ ...streamReport(0, 'orders:*'), id: 'shop/stream/orders:*' });
});

test('repeated ids are numbered, named ones are taken as they are', () => {
  const named = { ...streamReport(3, 'a'), id: 'main' };
  const reports = [streamReport(0, 'a'), streamReport(1, 'a'), streamReport(2, 'a~2'), named];
  const ids = parseManifest('f', reports).registrations.map(({ id }) => id);
  expect(ids).toEqual(['f/stream/a', 'f/stream/a~2', 'f/stream/a~2~2', 'f/main']);
});

test('each field has its type and range, and the refusal names field and value', () => {
  const wrongTriggers: [string, unknown][] = [
    ['kind', 'command'],
    ['prefix', ''],
    ['prefix', 'rg:{x}:dead'],
    ['prefix', 7],
    ['batch', 0],
    ['batch', 100_001],
    ['batch', 1.5],
    ['batch', '1'],
    ['durationMs', -1],
    ['fromId', 'yesterday'],
    ['fromId', ''],
    ['trimStream', 'no'],
    ['onFailedPolicy', 'ignore'],
    ['retryIntervalMs', Number.NaN],
    ['maxAttempts', -1],
    ['maxInFlight', 0],
    ['maxAgeMs', 0],
  ];
  for (const [field, value] of wrongTriggers) {
    const error = refusal([streamReport(0, 'a', { [field]: value })]);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', details: { field: `registrations[0].trigger.${field}` } });
    expect(error.message).toContain(JSON.stringify(value));
  }
  const wrongFields: [string, unknown][] = [
    ['index', 1],
    ['id', 'a b'],
    ['id', ''],
    ['reader', 'NoReader'],
    ['description', 5],
    ['mode', 'fast'],
    ['steps', {}],
    ['trigger', null],
    ['convertToStr', 1],
    ['collect', null],
    ['hasOnRegistered', undefined],
  ];
  for (const [field, value] of wrongFields) {
    const error = refusal([{ ...streamReport(0, 'a'), [field]: value }]);
    expect(error).toMatchObject({ code: 'MANIFEST_INVALID', details: { field: `registrations[0].${field}` } });
  }
  expect(refusal([{ ...streamReport(0, 'a'), steps: [{ type: 'eval', arg: null }] }]).message).toContain(
    'steps[0].type is "eval"',
  );
  expect(
    refusal([{ ...commandReport(0, 'a'), trigger: { kind: 'command', trigger: '', inorder: false } }]).message,
  ).toContain('trigger');
});

test('unknown fields, missing fields and what is no list of objects are refused', () => {
  expect(refusal([streamReport(0, 'a', { btach: 5 })]).message).toContain('trigger.btach is 5; it must be left out');
  const { mode: _mode, ...withoutMode } = streamReport(0, 'a');
  expect(refusal([withoutMode]).message).toContain('registrations[0].mode is missing');
  for (const bad of [null, {}, 'x', [null], [[]], [1], new Array(1_001).fill(streamReport(0, 'a'))]) {
    expect(refusal(bad).code).toBe('MANIFEST_INVALID');
  }
  expect(refusal([{ ...streamReport(0, 'a'), description: { long: 'x'.repeat(1_000) } }]).message.length).toBeLessThan(
    250,
  );
  expect(refusal([{ ...streamReport(0, 'a'), description: () => 1 }]).message).toContain('function');
});

test('a trigger or an id that comes twice is refused', () => {
  expect(refusal([commandReport(0, 'a'), commandReport(1, 'a')]).message).toContain('trigger');
  const twice = [0, 1].map((index) => ({ ...streamReport(index, 'a'), id: 'same' }));
  expect(refusal(twice).details.field).toBe('registrations[1].id');
});

test('the beginning of a stream is 0, $, an id or a time', () => {
  const fromIdOf = (fromId: string): unknown =>
    parseManifest('f', [streamReport(0, 'a', { fromId })]).registrations[0]?.trigger;
  for (const same of ['0', '$', '5-3']) expect(fromIdOf(same)).toMatchObject({ fromId: same });
  expect(fromIdOf('1700000000000')).toMatchObject({ fromId: '1700000000000-0' });
  expect(fromIdOf('0-0')).toMatchObject({ fromId: '0-0' });
});

test('the platform prefix is the configured one', () => {
  const options = { platformPrefix: 'my:' };
  expect(parseManifest('f', [streamReport(0, 'rg:x', { maxAgeMs: 5 })], options).registrations).toHaveLength(1);
  expect(() => parseManifest('f', [streamReport(0, 'my:x')], options)).toThrow('my:');
});

test('whatever is reported, the answer is a manifest or MANIFEST_INVALID', () => {
  const sane = streamReport(0, 'a');
  const mutated = fc
    .tuple(fc.constantFrom(...Object.keys(sane)), fc.jsonValue())
    .map(([key, value]) => [{ ...sane, [key]: value }]);
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), mutated), (reported) => {
      try {
        parseManifest('f', reported);
      } catch (error) {
        expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
      }
    }),
    { numRuns: 1_000 },
  );
});

test('function names are 1 to 128 plain characters', () => {
  for (const good of ['a', 'A-b_c.9', 'x'.repeat(128)]) expect(checkFunctionName(good)).toBeUndefined();
  for (const bad of ['', 'a/b', 'a b', 'é', 'x'.repeat(129), 'a\n']) {
    expect(() => checkFunctionName(bad)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  }
});
