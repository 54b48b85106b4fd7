import { expect, test } from 'vitest';
import { parseNestedRun, type RunSpec } from '#functions';
import { refusedReading } from '../../../runtime/bindings/reading-rules.ts';

function runOf(fields: Partial<RunSpec>): RunSpec {
  return parseNestedRun({
    index: 1,
    reader: 'KeysReader',
    arg: '*',
    mode: 'async',
    noScan: false,
    readValue: true,
    count: 1_000,
    fromId: '0-0',
    untilId: '+',
    description: null,
    steps: [],
    ...fields,
  });
}

test.each<[Partial<RunSpec>, readonly string[]]>([
  [{ arg: 'clicks:*' }, ['clicks:*']],
  [{ arg: 'clicks:7:*' }, ['total', 'clicks:*']],
  [{ arg: 'clicks:[ab]' }, ['clicks:*']],
  [{ arg: 'total' }, ['total']],
  [{ arg: '*' }, ['*']],
  [{ arg: 'a?c' }, ['a?c']],
  [{ arg: 'clicks:7', noScan: true }, ['clicks:[0-9]']],
  [{ arg: 'events', reader: 'StreamReader' }, ['e*s']],
  [{ arg: '', reader: 'GeneratorReader' }, ['nothing']],
  [{ arg: '', reader: 'ShardsIDReader' }, ['nothing']],
])('%j may be read by a version that keeps to %j', (fields, keys) => {
  expect(refusedReading(keys, runOf(fields))).toBeNull();
});

test.each<[Partial<RunSpec>, readonly string[]]>([
  [{ arg: '*' }, ['clicks:*']],
  [{ arg: 'click*' }, ['clicks:*']],
  [{ arg: '[c]licks:*' }, ['clicks:*']],
  [{ arg: '\\clicks:*' }, ['clicks:*']],
  [{ arg: 'clicks:*' }, ['clicks:?']],
  [{ arg: 'clicks:*:x' }, ['clicks:*:*']],
  [{ arg: 'other' }, ['clicks:*']],
  [{ arg: 'clicks:x', noScan: true }, ['clicks:[0-9]']],
  [{ arg: 'events', reader: 'StreamReader' }, ['clicks:*']],
  [{ arg: 'anything' }, []],
])('%j may not be read by a version that keeps to %j', (fields, keys) => {
  expect(refusedReading(keys, runOf(fields))).toMatch(/^the run reads ".*"; this version keeps to .*\(configure\)$/);
});

test('versions that keep to nothing read everything', () => {
  expect(refusedReading(null, runOf({}))).toBeNull();
});
