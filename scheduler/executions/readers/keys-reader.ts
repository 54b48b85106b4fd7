import { encodeBulk, latin1FromUtf8, type RunSpec } from '#functions';
import type { ReadLinks } from './links.ts';
import { createValueReader } from './read-values.ts';
import type { InputPiece } from './reader.ts';
import { scanKeys } from './scan-keys.ts';

export interface KeysRequest {
  readonly links: ReadLinks;
  readonly run: Pick<RunSpec, 'arg' | 'noScan' | 'readValue' | 'count'>;
  readonly platformPrefix: string;
}

/** Values are fetched in portions of about so many bytes, so that a few large ones do not fill the memory. */
const PORTION_BYTES = 2 * 1024 * 1024;
const FIRST_PORTION = 250;

/**
 * Every matching key of a shard with type and value. Holds a few portions at most, however many keys there are: one is
 * scanned while the one before is read and the one before that is worked on.
 */
export async function* readKeys({ links, run, platformPrefix }: KeysRequest): AsyncGenerator<InputPiece> {
  const values = createValueReader(links);
  for await (const keys of namesOf({ links, run, platformPrefix })) {
    let at = 0;
    while (at < keys.length) {
      const size = values.bytesPerKey === 0 ? FIRST_PORTION : Math.floor(PORTION_BYTES / values.bytesPerKey);
      const portion = keys.slice(at, at + Math.max(1, Math.min(size, run.count)));
      at += portion.length;
      yield run.readValue ? await values.read(portion) : namesAsKeys(portion);
    }
  }
}

/** The names of matching keys; with `noScan` the one key, if it exists. */
export async function* readKeyNames({ links, run, platformPrefix }: KeysRequest): AsyncGenerator<InputPiece> {
  for await (const keys of namesOf({ links, run, platformPrefix })) {
    if (run.noScan && !(await exists(links, keys[0] as string))) return;
    yield { payload: `*${keys.length}\r\n${keys.join('')}`, count: keys.length };
  }
}

async function* namesOf({ links, run, platformPrefix }: KeysRequest): AsyncGenerator<readonly string[]> {
  if (!run.noScan) {
    yield* scanKeys({ links, pattern: run.arg === '' ? '*' : run.arg, count: run.count, platformPrefix });
    return;
  }
  const key = latin1FromUtf8(run.arg);
  if (!key.startsWith(platformPrefix)) yield [encodeBulk(key)];
}

function namesAsKeys(keys: readonly string[]): InputPiece {
  const body = keys.map((key) => `*1\r\n${key}`).join('');
  return { payload: `*${keys.length}\r\n${body}`, count: keys.length };
}

async function exists(links: ReadLinks, key: string): Promise<boolean> {
  return (await links.anywhere(`*2\r\n$6\r\nEXISTS\r\n${key}`, 1)) === ':1\r\n';
}
