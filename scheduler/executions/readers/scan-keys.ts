import { encodeCommand, latin1FromUtf8, PlatformError } from '#functions';
import { cutStrings, frameStartsWith } from './cut-replies.ts';
import type { ReadLinks } from './links.ts';

export interface ScanRequest {
  readonly links: Pick<ReadLinks, 'scan'>;
  /** Glob (Unicode). */
  readonly pattern: string;
  readonly count: number;
  /** Keys that begin so are the platform's own, and are left out. */
  readonly platformPrefix: string;
}

/**
 * Names of all matching keys of one shard, as bulk strings, in the portions the server gives. The next portion is asked for
 * before the present one is handed out.
 */
export async function* scanKeys({
  links,
  pattern,
  count,
  platformPrefix,
}: ScanRequest): AsyncGenerator<readonly string[]> {
  const ask = (cursor: string): Promise<string> => {
    const match = pattern === '*' ? [] : ['MATCH', latin1FromUtf8(pattern)];
    return links.scan(encodeCommand(['SCAN', cursor, ...match, 'COUNT', String(count)]), 1);
  };
  let asked: Promise<string> | null = ask('0');
  while (asked !== null) {
    const { cursor, keys } = portionOf(await asked);
    asked = cursor === '0' ? null : ask(cursor);
    asked?.catch(() => {});
    const own = keys.some((key) => frameStartsWith(key, platformPrefix));
    const wanted = own ? keys.filter((key) => !frameStartsWith(key, platformPrefix)) : keys;
    if (wanted.length > 0) yield wanted;
  }
}

function portionOf(reply: string): { readonly cursor: string; readonly keys: readonly string[] } {
  if (reply.startsWith('-')) throw new PlatformError('REDIS_REPLY', reply.slice(1, reply.indexOf('\r\n')));
  // `*2`, the cursor as a string, the keys as a list.
  const cursorAt = reply.indexOf('\r\n', reply.indexOf('\r\n') + 2) + 2;
  const cursorEnd = reply.indexOf('\r\n', cursorAt);
  return { cursor: reply.slice(cursorAt, cursorEnd), keys: cutStrings(reply, cursorEnd + 2) };
}
