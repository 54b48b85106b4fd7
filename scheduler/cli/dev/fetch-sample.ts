import { isUtf8 } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EntryFound, isEntryId, maskRedisUrl, PlatformError, readEntry } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';

/** Where an entry is: `--from <url> <stream> <id>`. */
export interface SampleOrigin {
  readonly url: string;
  readonly stream: string;
  /** An entry id, or `$` for the newest entry. */
  readonly id: string;
}

/** An entry of another server, ready to be a sample. */
export interface FetchedSample {
  /** Name of its file. */
  readonly name: string;
  /** Content of its file. */
  readonly text: string;
}

const LONGEST_NAME = 100;

/**
 * What was given as `--from` and what stands behind it: three words for each address, and then, where the option stands before
 * them, the files. Errors: ARGUMENT_INVALID.
 */
export function parseFrom(words: readonly string[]): {
  readonly origins: readonly SampleOrigin[];
  readonly files: readonly string[];
} {
  const origins: SampleOrigin[] = [];
  let at = 0;
  while (at < words.length && (at === 0 || (words[at] ?? '').includes('://'))) {
    const [url = '', stream, id] = words.slice(at, at + 3);
    if (stream === undefined || id === undefined) {
      const given = [url, stream]
        .filter((word) => word !== undefined)
        .map(maskRedisUrl)
        .join(' ');
      throw new PlatformError('ARGUMENT_INVALID', `--from is "${given}"; it takes <url> <stream> <id>`);
    }
    if (id !== '$' && !isEntryId(id)) {
      const allowed = 'an entry id such as 1700000000000-0, or $ for the newest entry (quote it)';
      throw new PlatformError(
        'ARGUMENT_INVALID',
        `the id of --from is "${id.slice(0, LONGEST_NAME)}"; allowed is ${allowed}`,
      );
    }
    origins.push({ url, stream, id });
    at += 3;
  }
  return { origins, files: words.slice(at) };
}

/**
 * Reads an entry; the other server is only read. Errors: REDIS_URL_INVALID, REDIS_UNREACHABLE, REDIS_REPLY, STREAM_NOT_FOUND (also
 * for a key that holds something else), ENTRY_NOT_FOUND.
 */
export async function fetchSample({ url, stream, id }: SampleOrigin): Promise<FetchedSample> {
  const found = await readEntry({ url, stream, id: id === '$' ? null : id });
  if (found.kind === 'absent') throw missing({ url: maskRedisUrl(url), stream, id }, found.keyType);
  const sample = { stream, id: found.id, fields: fieldsJson(found) };
  const name = `${stream.replace(/[^\w.-]+/g, '_').slice(0, LONGEST_NAME)}-${found.id}.json`;
  return { name, text: `${JSON.stringify(sample, null, 2)}\n` };
}

/** Keeps it in the folder, which is made if it is not there. Returns the path. Errors: ARGUMENT_INVALID. */
export function saveSample(folder: string, { name, text }: FetchedSample): string {
  const path = join(folder, name.replace(/^\.+/, ''));
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
    return path;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new PlatformError('ARGUMENT_INVALID', `the sample cannot be written to ${path} (--samples): ${why}`, {
      cause,
    });
  }
}

function missing({ url, stream, id }: SampleOrigin, keyType: string): PlatformError<SchedulerErrorCode> {
  const shown = stream.slice(0, LONGEST_NAME);
  if (keyType === 'stream') {
    const text =
      id === '$'
        ? `the stream "${shown}" at ${url} is empty`
        : `the stream "${shown}" at ${url} has no entry ${id}; it may have been trimmed`;
    return new PlatformError('ENTRY_NOT_FOUND', text);
  }
  const what =
    keyType === 'none' ? `there is no stream "${shown}"` : `the key "${shown}" holds no stream but a ${keyType}`;
  return new PlatformError('STREAM_NOT_FOUND', `${what} at ${url}`);
}

/** An object where names are text and differ, else pairs; what is no UTF-8 is base64. */
function fieldsJson({ fields }: Extract<EntryFound, { kind: 'entry' }>): object {
  const pairs = fields.map(([name, value]) => [bytesJson(name), bytesJson(value)] as const);
  const names = pairs.map(([name]) => name);
  // An object would put names that look like numbers first.
  const isPlain =
    names.every((name) => typeof name === 'string' && !/^\d+$/.test(name)) && new Set(names).size === names.length;
  return isPlain ? Object.fromEntries(pairs) : pairs;
}

function bytesJson(bytes: Buffer): string | { readonly base64: string } {
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') };
}
