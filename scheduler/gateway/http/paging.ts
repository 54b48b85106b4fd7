import { PlatformError } from '#functions';

/** A cursor shows nobody what it is made of, so that it may change. */
export function encodeCursor(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/** What was given to `encodeCursor`; null = none was given. ARGUMENT_INVALID. */
export function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const place = Buffer.from(cursor, 'base64url').toString('utf8');
  if (encodeCursor(place) === cursor) return place;
  throw wrongCursor(cursor);
}

export function wrongCursor(cursor: string): PlatformError {
  return new PlatformError(
    'ARGUMENT_INVALID',
    `cursor "${cursor.slice(0, 100)}" is none of this list; begin without one, go on with nextCursor`,
    { details: { at: 'querystring', path: '/cursor' } },
  );
}

/** A page out of what was asked for with one more than the page takes. */
export function pageOf<Item>(
  found: readonly Item[],
  limit: number,
  placeOf: (item: Item) => string,
): { readonly items: readonly Item[]; readonly nextCursor: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const isLast = found.length <= limit || last === undefined;
  return { items, nextCursor: isLast ? null : encodeCursor(placeOf(last)) };
}

/** A list that comes whole. */
export function wholeList<Item>(items: readonly Item[]): {
  readonly items: readonly Item[];
  readonly nextCursor: null;
} {
  return { items, nextCursor: null };
}
