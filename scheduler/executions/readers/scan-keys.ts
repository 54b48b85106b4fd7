import { decodeReply, encodeCommand, latin1FromUtf8, PlatformError } from '#functions';
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
 * Names of all matching keys of one shard, as latin1 texts, in the portions the server gives. The next portion is asked for
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
    const own = keys.some((key) => key.startsWith(platformPrefix));
    const wanted = own ? keys.filter((key) => !key.startsWith(platformPrefix)) : keys;
    if (wanted.length > 0) yield wanted;
  }
}

function portionOf(reply: string): { readonly cursor: string; readonly keys: readonly string[] } {
  const value = decodeReply(reply);
  if (Array.isArray(value)) {
    const [cursor, keys] = value as unknown as readonly [string, readonly string[]];
    return { cursor, keys };
  }
  throw new PlatformError('REDIS_REPLY', reply.slice(1, reply.indexOf('\r\n')));
}
