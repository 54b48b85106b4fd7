import { encodeCommand, latin1FromUtf8, PlatformError } from '#functions';
import { type KeyNames, withoutPrefix } from './key-names.ts';
import type { ReadLinks } from './links.ts';
import { scannedPart } from './scan-part.ts';

export interface ScanRequest {
  readonly links: Pick<ReadLinks, 'scan'>;
  /** Glob (Unicode). */
  readonly pattern: string;
  readonly count: number;
  /** Keys that begin so are the platform's own, and are left out. */
  readonly platformPrefix: string;
  /** Told with each portion: how much of the shard has been scanned, 0 to 1. */
  readonly onPart?: (part: number) => void;
}

/**
 * Names of all matching keys of one shard, in the portions the server gives. The next portion is asked for before the present
 * one is handed out.
 */
export async function* scanKeys({
  links,
  pattern,
  count,
  platformPrefix,
  onPart,
}: ScanRequest): AsyncGenerator<KeyNames> {
  const ask = (cursor: string): Promise<string> => {
    const match = pattern === '*' ? [] : ['MATCH', latin1FromUtf8(pattern)];
    return links.scan(encodeCommand(['SCAN', cursor, ...match, 'COUNT', String(count)]), 1);
  };
  let asked: Promise<string> | null = ask('0');
  while (asked !== null) {
    const { cursor, names } = portionOf(await asked);
    asked = cursor === '0' ? null : ask(cursor);
    asked?.catch(() => {});
    onPart?.(scannedPart(cursor));
    const wanted = withoutPrefix(names, platformPrefix);
    if (wanted.count > 0) yield wanted;
  }
}

function portionOf(reply: string): { readonly cursor: string; readonly names: KeyNames } {
  if (reply.startsWith('-')) throw new PlatformError('REDIS_REPLY', reply.slice(1, reply.indexOf('\r\n')));
  // `*2`, the cursor as a string, the keys as a list.
  const cursorAt = reply.indexOf('\r\n', reply.indexOf('\r\n') + 2) + 2;
  const cursorEnd = reply.indexOf('\r\n', cursorAt);
  const listEnd = reply.indexOf('\r\n', cursorEnd + 2);
  const count = Number(reply.slice(cursorEnd + 3, listEnd));
  return { cursor: reply.slice(cursorAt, cursorEnd), names: { text: reply.slice(listEnd + 2), count } };
}
