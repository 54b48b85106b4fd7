import { gzipSync } from 'node:zlib';
import { type RegistryFile, sumOf } from './registry-file.ts';

/** The file's bytes. @param isCompressed as gzip. */
export function encodeRegistryFile(file: RegistryFile, isCompressed: boolean): Buffer {
  const lines = [
    file.head,
    ...file.functions.flatMap(({ versions, ...facts }) => [
      { function: { ...facts, versions: versions.length } },
      ...versions.map((version) => ({ version: { function: facts.name, ...version } })),
    ]),
  ];
  const body = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const end = { end: { lines: lines.length, sha256: sumOf(body) } };
  const whole = Buffer.concat([body, Buffer.from(`${JSON.stringify(end)}\n`)]);
  return isCompressed ? gzipSync(whole) : whole;
}
