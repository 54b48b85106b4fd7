import { gunzipSync } from 'node:zlib';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import { readLines, type TextLine } from './lines.ts';
import { parseFunctionLine, parseHead, parseVersionLine } from './parse-lines.ts';
import { type ExportedFunction, type ExportedVersion, type RegistryFile, sumOf } from './registry-file.ts';

/**
 * Reads a whole file and checks every sum in it, so that nothing of a damaged one is ever used. Errors: REGISTRY_FILE_INVALID with
 * the line. @param name how the file is called in errors.
 */
export function decodeRegistryFile(bytes: Buffer, name: string): RegistryFile {
  const lines = readLines(unpacked(bytes, name), name);
  const [first, ...rest] = lines;
  const end = rest.pop();
  if (first === undefined) throw damaged(name, null, 'it is empty');
  const head = parseHead(first);
  if (end === undefined) throw damaged(name, null, 'it ends after its first line');
  checkEnd(end, lines.slice(0, -1));
  const functions = parseFunctions(rest);
  const counted = { functions: functions.length, versions: rest.length - functions.length };
  if (counted.functions !== head.functions || counted.versions !== head.versions) {
    const told = `${head.functions} functions and ${head.versions} versions`;
    throw first.refuse(`it announces ${told}; there are ${counted.functions} and ${counted.versions}`);
  }
  return { head, functions };
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

function unpacked(bytes: Buffer, name: string): Buffer {
  if (!bytes.subarray(0, 2).equals(GZIP_MAGIC)) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw damaged(name, cause, `its gzip ends early or is broken (${(cause as Error).message})`);
  }
}

/** Before anything else of the lines is looked at: a flipped bit may well leave good JSON behind. */
function checkEnd(last: TextLine, before: readonly TextLine[]): void {
  const { end } = last.object();
  if (typeof end !== 'object' || end === null) {
    throw last.refuse('the last line is not the one with the check sum: the file has been cut off');
  }
  const { sha256, lines } = end as { readonly sha256?: unknown; readonly lines?: unknown };
  if (lines !== before.length)
    throw last.refuse(`it counts ${String(lines)} lines before it; there are ${before.length}`);
  const found = sumOf(Buffer.concat(before.map(({ bytes }) => bytes)));
  if (sha256 === found) return;
  // A source that does not fit its own sum tells where the damage is.
  for (const line of before) line.checkSource();
  throw last.refuse('the check sum of the file is another one: something in it has been changed');
}

function parseFunctions(lines: readonly TextLine[]): readonly ExportedFunction[] {
  const functions: ExportedFunction[] = [];
  const names = new Set<string>();
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] as TextLine;
    const { count, ...facts } = parseFunctionLine(line);
    if (names.has(facts.name)) throw line.refuse(`the function "${facts.name}" stands in it twice`);
    names.add(facts.name);
    const own = lines.slice(at + 1, at + 1 + count);
    if (own.length < count)
      throw line.refuse(`the function "${facts.name}" announces ${count} versions; ${own.length} follow`);
    const versions = own.map((each) => parseVersionLine(each, facts.name));
    checkOrder(line, facts, versions);
    functions.push({ ...facts, versions });
    at += 1 + count;
  }
  return functions;
}

function checkOrder(
  line: TextLine,
  { name, activeVersion }: Pick<ExportedFunction, 'name' | 'activeVersion'>,
  versions: readonly ExportedVersion[],
): void {
  const isRising = versions.every(({ version }, at) => version > (versions[at - 1]?.version ?? 0));
  if (!isRising) throw line.refuse(`the versions of "${name}" are not in rising order`);
  if (activeVersion !== null && !versions.some(({ version }) => version === activeVersion)) {
    throw line.refuse(`version ${activeVersion} of "${name}" is active, and is not in the file`);
  }
}

function damaged(name: string, cause: unknown, why: string): PlatformError {
  return new PlatformError<SchedulerErrorCode>('REGISTRY_FILE_INVALID', `${name} is no export of a registry: ${why}`, {
    cause,
  });
}
