import { type DoorClient, listOf } from '../client.ts';

/** What a person names: streams by name, and patterns of Redis (`orders:*`), whose streams may come at any time. */
export interface StreamNames {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
}

/** A name with `*`, `?` or `[` is a pattern; with a backslash before it, it is none. */
export function splitNames(given: readonly string[]): StreamNames {
  const isPattern = (name: string): boolean => /(?<!\\)[*?[]/.test(name);
  const plain = given.filter((name) => !isPattern(name)).map((name) => name.replace(/\\([*?[\]\\])/g, '$1'));
  return { names: [...new Set(plain)], patterns: [...new Set(given.filter(isPattern))] };
}

const KEYS_AT_ONCE = 1_000;

/** Streams there are now, over all shards. Errors: those of the door. */
export async function findStreams(door: DoorClient, { names, patterns }: StreamNames): Promise<readonly string[]> {
  const found = new Set(names);
  for (const pattern of patterns) {
    let cursor = '0';
    do {
      const reply = await door.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', KEYS_AT_ONCE, 'TYPE', 'stream');
      const [next, keys] = listOf(reply);
      for (const key of listOf(keys)) found.add(String(key));
      cursor = String(next);
    } while (cursor !== '0');
  }
  return [...found];
}
