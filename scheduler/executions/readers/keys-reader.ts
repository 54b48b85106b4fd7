import { encodeBulk, latin1FromUtf8, type RunSpec } from '#functions';
import { joinNames, type KeyNames, listNames, portionsOf } from './key-names.ts';
import type { ReadLinks } from './links.ts';
import { createValueReader } from './read-values.ts';
import type { InputPiece } from './reader.ts';
import { type ScanRequest, scanKeys } from './scan-keys.ts';

export interface KeysRequest extends Pick<ScanRequest, 'onPart'> {
  readonly links: ReadLinks;
  readonly run: Pick<RunSpec, 'arg' | 'noScan' | 'readValue' | 'count'>;
  readonly platformPrefix: string;
  /** Most keys of the next piece; left out: as many as suits the server. */
  readonly pieceSize?: () => number;
}

/** Values are fetched in portions of about so many bytes, so that a few large ones do not fill the memory. */
const PORTION_BYTES = 2 * 1024 * 1024;
const FIRST_PORTION = 250;

/** Reads that have been sent and not answered: the server has the next one at hand when it has answered one. */
const READS_UNDER_WAY = 2;

const noLimit = (): number => Number.POSITIVE_INFINITY;

/**
 * Every matching key of a shard with type and value. Holds a few portions at most, however many keys there are: one is
 * scanned while others are read and the ones before are worked on.
 */
export async function* readKeys(request: KeysRequest): AsyncGenerator<InputPiece> {
  const { links, run, pieceSize = noLimit } = request;
  const values = createValueReader(links);
  const underWay: Promise<InputPiece>[] = [];
  const size = (): number => {
    const portion = values.bytesPerKey === 0 ? FIRST_PORTION : Math.floor(PORTION_BYTES / values.bytesPerKey);
    return Math.min(portion, run.count, pieceSize());
  };
  for await (const names of namesOf(request)) {
    for (const portion of portionsOf(names, size)) {
      const piece = run.readValue ? values.read(portion) : Promise.resolve(namesAsKeys(portion));
      // Whoever waits for it is told; nobody does when the run has ended before.
      piece.catch(() => {});
      underWay.push(piece);
      if (underWay.length >= READS_UNDER_WAY) yield await (underWay.shift() as Promise<InputPiece>);
    }
  }
  for (const piece of underWay) yield await piece;
}

/** The names of matching keys; with `noScan` the one key, if it exists. */
export async function* readKeyNames(request: KeysRequest): AsyncGenerator<InputPiece> {
  const { links, run, pieceSize = noLimit } = request;
  for await (const names of namesOf(request)) {
    if (run.noScan && !(await exists(links, names.text))) return;
    for (const { text, count } of portionsOf(names, pieceSize)) yield { payload: `*${count}\r\n${text}`, count };
  }
}

async function* namesOf({ run, ...rest }: KeysRequest): AsyncGenerator<KeyNames> {
  if (!run.noScan) {
    yield* scanKeys({ ...rest, pattern: run.arg === '' ? '*' : run.arg, count: run.count });
    return;
  }
  const key = latin1FromUtf8(run.arg);
  if (!key.startsWith(rest.platformPrefix)) yield joinNames([encodeBulk(key)]);
}

function namesAsKeys(names: KeyNames): InputPiece {
  const { count } = names;
  return { payload: `*${count}\r\n*1\r\n${listNames(names).join('*1\r\n')}`, count };
}

async function exists(links: ReadLinks, key: string): Promise<boolean> {
  return (await links.anywhere(`*2\r\n$6\r\nEXISTS\r\n${key}`, 1)) === ':1\r\n';
}
