import type { RedisAccess } from '#functions';

const CURSOR_BITS = 64;

/**
 * The part of a table that has been scanned when SCAN answers this cursor, 0 to 1. Redis counts upwards in the bits of a cursor
 * read backwards, so that a table may grow meanwhile; read backwards it is a fraction, whatever the size of the table.
 */
export function scannedPart(cursor: string): number {
  if (cursor === '0') return 1;
  const bits = BigInt(cursor).toString(2).padStart(CURSOR_BITS, '0');
  let part = 0;
  for (let at = bits.length - 1; at >= 0; at -= 1) if (bits[at] === '1') part += 2 ** (at - bits.length);
  return part;
}

/** Newer clusters have a table per slot, and cursors that name it. */
export function cursorsTellPart({ facts }: Pick<RedisAccess, 'facts'>): boolean {
  if (facts.topology !== 'cluster') return true;
  const [major = 0, minor = 0] = facts.version.split('.').map(Number);
  return facts.product === 'redis' && (major < 7 || (major === 7 && minor < 4));
}
