import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashSource } from '../../../functions/artifacts/compile.ts';
import type { PlatformError } from '../../../functions/errors.ts';
import { decodeRegistryFile } from '../../../scheduler/cli/transfer/decode-registry.ts';
import { encodeRegistryFile } from '../../../scheduler/cli/transfer/encode-registry.ts';
import type { ExportedVersion, RegistryFile } from '../../../scheduler/cli/transfer/registry-file.ts';

const version = (number: number, source: string): ExportedVersion => ({
  ...{ version: number, language: 'js', sha256: hashSource(source, 'js'), source },
  ...{ description: number === 1 ? null : 'die zweite ✓', createdAtMs: 1_700_000_000_000 },
});

function fileOf(sources: readonly string[]): RegistryFile {
  const versions = [...new Set(sources)].map((source, at) => version(at + 1, source));
  const facts = { description: null, createdAtMs: 5, registrations: [{ id: 'f/stream/s:*', state: 'paused' }] };
  return {
    head: {
      ...{ format: 'regears-registry', formatVersion: 1, exportedAt: '2026-11-25T00:00:00Z', writtenBy: 'regears 0' },
      ...{ functions: 2, versions: versions.length },
    },
    functions: [
      { name: 'f', activeVersion: versions.length, ...facts, versions },
      { name: 'empty', activeVersion: null, ...facts, versions: [] },
    ],
  };
}

const FILE = fileOf(['let a = 1;\n', 'nul \0, escape \x1b, line \u2028, half \ud800, ü']);

function refusal(bytes: Buffer): string {
  try {
    decodeRegistryFile(bytes, 'x.ndjson');
  } catch (error) {
    expect((error as PlatformError).code).toBe('REGISTRY_FILE_INVALID');
    return (error as PlatformError).message;
  }
  return 'none';
}

/** Lines of the file, changed, with a right sum at the end: what somebody makes by hand. */
function forged(change: (lines: Record<string, Record<string, unknown>>[]) => void): Buffer {
  const lines = encodeRegistryFile(FILE, false)
    .toString()
    .trim()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  change(lines);
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const end = { end: { lines: lines.length, sha256: createHash('sha256').update(body).digest('hex') } };
  return Buffer.from(`${body}${JSON.stringify(end)}\n`);
}

describe('a file', () => {
  test('is read as it was written, plain and compressed, whatever sources hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.boolean(), (sources, isCompressed) => {
        const file = fileOf(sources);
        expect(decodeRegistryFile(encodeRegistryFile(file, isCompressed), 'x')).toEqual(file);
      }),
      { numRuns: 30 },
    );
    expect(decodeRegistryFile(encodeRegistryFile(FILE, false), 'x')).toEqual(FILE);
  });

  test('with one byte changed, or cut off anywhere, is refused', () => {
    const good = encodeRegistryFile(FILE, false);
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      expect([at, refusal(bad)]).toEqual([at, expect.stringMatching(/^x\.ndjson/)]);
      expect([at, refusal(good.subarray(0, at))]).toEqual([at, expect.stringMatching(/^x\.ndjson/)]);
    }
  });

  test('tells where it is damaged', () => {
    const text = encodeRegistryFile(FILE, false).toString();
    expect(refusal(Buffer.from(text.replace('let a = 1', 'let a = 2')))).toBe(
      'x.ndjson, line 3: the source is not the one that its sha256 was made of',
    );
    expect(refusal(Buffer.from(text.replace('paused', 'Paused')))).toMatch(
      /line 6: the check sum of the file is another/,
    );
    expect(refusal(Buffer.from(text.slice(0, -30)))).toMatch(/line 6: the line has no end: the file has been cut off/);
    expect(refusal(encodeRegistryFile(FILE, true).subarray(0, 200))).toMatch(/gzip ends early/);
    expect(refusal(Buffer.from('hello\n'))).toBe('x.ndjson, line 1: this is no JSON');
    expect(refusal(Buffer.alloc(0))).toMatch(/it is empty/);
    expect(refusal(Buffer.from([0xff, 0xfe, 0x0a]))).toMatch(/no JSON/);
  });

  test.each([
    ['another format', (lines) => (lines[0] = { ...lines[0], format: 'zip' } as never), /says no "format"/],
    ['a later version', (lines) => (lines[0] = { ...lines[0], formatVersion: 2 } as never), /take a newer one/],
    [
      'a missing function',
      (lines) => lines.pop(),
      /line 1: it announces 2 functions and 2 versions; there are 1 and 2/,
    ],
    [
      'a field of another type',
      (lines) => ((lines[1] as never as { function: object }).function = { name: 5 }),
      /line 2: "registrations" is no list/,
    ],
    ['a function that is there twice', (lines) => lines.push(lines.at(-1) as never), /"empty" stands in it twice/],
    [
      'an active version that is not there',
      (lines) => ((lines[1] as { function: { activeVersion: unknown } }).function.activeVersion = 9),
      /version 9 of "f" is active/,
    ],
    [
      'versions in another order',
      (lines) => lines.splice(2, 2, lines[3] as never, lines[2] as never),
      /not in rising order/,
    ],
  ] as readonly (readonly [string, (lines: Record<string, Record<string, unknown>>[]) => unknown, RegExp])[])(
    'with %s is refused though its sum is right',
    (_, change, message) => {
      expect(refusal(forged(change))).toMatch(message);
    },
  );
});
