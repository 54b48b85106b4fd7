import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createOutput } from '../../../scheduler/cli/render.ts';

const COLUMNS = ['ID', 'COUNT', 'ERROR'];
const ROWS = [
  ['clicks/stream/events:*', 12, 'a message that goes on and on'],
  ['b', 3, null],
] as const;

function tableAt(columns: number | undefined): string[] {
  let written = '';
  const stdout = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written += chunk.toString();
        done();
      },
    }),
    { isTTY: columns !== undefined, columns: columns ?? 0 },
  );
  createOutput({ json: false, stdout, stderr: stdout }).table(COLUMNS, ROWS);
  return written
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\p{Cc}\[\d+m/gu, ''));
}

describe('a table', () => {
  test('is complete where no terminal limits it', () => {
    expect(tableAt(undefined)).toEqual([
      'ID                      COUNT  ERROR',
      'clicks/stream/events:*     12  a message that goes on and on',
      'b                           3  -',
    ]);
  });

  test('cuts its last column on a narrow terminal', () => {
    expect(tableAt(50)[1]).toBe('clicks/stream/events:*     12  a message that goe…');
    for (const line of tableAt(50)) expect(line.length).toBeLessThanOrEqual(50);
  });

  test('becomes a list of cells where even that is too wide', () => {
    expect(tableAt(40)).toEqual([
      'ID     clicks/stream/events:*',
      'COUNT  12',
      'ERROR  a message that goes on and on',
      '',
      'ID     b',
      'COUNT  3',
      'ERROR  -',
    ]);
  });
});
