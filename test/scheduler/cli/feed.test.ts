import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandArgument, connectDoor, type DoorClient } from '../../../scheduler/cli/client.ts';
import { FORMATS } from '../../../scheduler/cli/feed/entry-format.ts';
import { countBytes, feedSource } from '../../../scheduler/cli/feed/feed-source.ts';
import { feedLines } from '../../../scheduler/cli/feed/feeder.ts';
import { readLines } from '../../../scheduler/cli/feed/lines.ts';
import { spanText } from '../../../scheduler/cli/feed/progress.ts';
import { createOutput } from '../../../scheduler/cli/render.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

async function* chunksOf(text: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
}

async function linesOf(text: Buffer, size: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(chunksOf(text, size))) lines.push(line.toString('latin1'));
  return lines;
}

describe('lines', () => {
  test.each([
    ['a\nb\n', ['a', 'b']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\na\n', ['', '', 'a']],
    ['', []],
  ])('%j holds %j, however it is cut into chunks', async (text, lines) => {
    for (const size of [1, 2, 3, 100]) expect(await linesOf(Buffer.from(text), size)).toEqual(lines);
  });

  test('bytes of any encoding stay what they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n).filter((n) => n !== 10 && n !== 13));
    expect(await linesOf(Buffer.concat([bytes, Buffer.from('\n'), bytes]), 7)).toEqual([
      bytes.toString('latin1'),
      bytes.toString('latin1'),
    ]);
  });

  test('the lines of a text do not depend on its chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('a', '\n', '\r') }),
        fc.integer({ min: 1, max: 9 }),
        async (text, size) => {
          expect(await linesOf(Buffer.from(text), size)).toEqual(await linesOf(Buffer.from(text), 1000));
        },
      ),
    );
  });
});

describe('NDJSON', () => {
  const fieldsOf = (line: string): readonly CommandArgument[] | null => FORMATS.ndjson(Buffer.from(line), 7);

  test('scalar fields become fields and nested values JSON text', () => {
    const line = '{"a":"x","b":1.5,"c":true,"d":null,"e":{"f":[1,2]},"g":[]}';
    expect(fieldsOf(line)).toEqual(['a', 'x', 'b', '1.5', 'c', 'true', 'd', 'null', 'e', '{"f":[1,2]}', 'g', '[]']);
  });

  test('long numbers keep all their digits, also in nested values', () => {
    const line = '{"id":12345678901234567890,"deep":{"id":98765432109876543210},"price":0.10}';
    expect(fieldsOf(line)).toEqual([
      'id',
      '12345678901234567890',
      'deep',
      '{"id":98765432109876543210}',
      'price',
      '0.10',
    ]);
  });

  test('an empty line makes no entry', () => {
    expect(fieldsOf('')).toBeNull();
    expect(fieldsOf('  ')).toBeNull();
  });

  test.each(['{', '[1]', '"text"', '17', 'null', '{}'])('%j is refused with its line number', (line) => {
    expect(() => fieldsOf(line)).toThrow(/line 7 is/);
  });
});

test.each([
  [0, '0s'],
  [59_400, '59s'],
  [185_000, '3m 05s'],
])('%i ms are shown as %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

describe('feeding a stream', () => {
  let redis: TestRedis;
  let door: DoorClient;
  beforeAll(async () => {
    redis = await startRedis();
    door = await connectDoor(redis.url);
  });
  afterAll(async () => {
    await door?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  const options = (stream: string) => ({
    door,
    stream,
    format: FORMATS.text,
    ratePerSecond: null as number | null,
    limit: null as number | null,
    maxLength: null as number | null,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const numbered = (count: number): Buffer =>
    Buffer.from(Array.from({ length: count }, (_, n) => `line ${n}\n`).join(''));

  test('every line becomes one entry, in order', async () => {
    expect(await feedLines(readLines(chunksOf(numbered(4321), 1000)), options('all'))).toBe(4321);
    const entries = await redis.client().xrange('all', '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(Array.from({ length: 4321 }, (_, n) => ['line', `line ${n}`]));
  });

  test('a limit ends it, and a length trims the stream', async () => {
    const limited = { ...options('few'), limit: 2500, maxLength: 100 };
    expect(await feedLines(readLines(chunksOf(numbered(4000), 999)), limited)).toBe(2500);
    expect(await redis.client().xlen('few')).toBeLessThan(500);
  });

  test('a rate is kept', async () => {
    const startedAtMs = performance.now();
    await feedLines(readLines(chunksOf(numbered(60), 1000)), { ...options('slow'), ratePerSecond: 200 });
    const elapsedMs = performance.now() - startedAtMs;
    expect(elapsedMs).toBeGreaterThan(150);
    expect(elapsedMs).toBeLessThan(2000);
  });

  test('a wrong line ends it with its number, and what stood before it is appended', async () => {
    const text = Buffer.from(`${'{"n":1}\n'.repeat(1500)}broken\n{"n":2}\n`);
    const feeding = feedLines(readLines(chunksOf(text, 64)), { ...options('wrong'), format: FORMATS.ndjson });
    await expect(feeding).rejects.toThrow(/line 1501 is not JSON/);
    expect(await redis.client().xlen('wrong')).toBe(1500);
  });

  test("an error of the door ends it with the door's own code", async () => {
    await redis.client().set('text', 'not a stream');
    await expect(feedLines(readLines(chunksOf(numbered(3), 10)), options('text'))).rejects.toMatchObject({
      code: 'WRONGTYPE',
    });
  });

  test('a source that fails midway is reported with what was appended', async () => {
    const input = new PassThrough();
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text) };
    const output = createOutput({ json: false, stdout: stream, stderr: stream });
    input.write(numbered(10));
    const feeding = feedSource(countBytes(input, null), { ...options('half'), output });
    input.destroy(new Error('the disk is gone'));
    const report = await feeding;
    expect(report).toMatchObject({ stream: 'half', interrupted: false });
    expect(String(report.error)).toContain('the disk is gone');
    expect(await redis.client().xlen('half')).toBe(report.appended);
  });
});

test('a door that is not there is named, without the password', async () => {
  const connecting = connectDoor('redis://user:secret@127.0.0.1:1');
  await expect(connecting).rejects.toMatchObject({ code: 'DOOR_UNREACHABLE' });
  await expect(connecting).rejects.toThrow(/redis:\/\/user:\*\*\*@127\.0\.0\.1:1/);
});
