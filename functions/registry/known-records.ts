/** What records were read as, by name, for as long as their texts stay the same. */
export interface KnownRecords<T> {
  /**
   * Decodes every record whose texts are not those of the last call; the others are the same objects as before. What
   * `decode` answers null for is left out, and decoded again the next time.
   */
  read(records: Iterable<TextRecord>, decode: (record: TextRecord) => T | null): ReadonlyMap<string, T>;
}

export interface TextRecord {
  readonly name: string;
  readonly texts: readonly string[];
}

interface Known<T> {
  readonly texts: readonly string[];
  readonly value: T;
}

/** One change of a registry with thousands of records changes one or two of them: only those are worth parsing. */
export function createKnownRecords<T>(): KnownRecords<T> {
  let known: ReadonlyMap<string, Known<T>> = new Map();
  return {
    read(records, decode) {
      const values = new Map<string, T>();
      const next = new Map<string, Known<T>>();
      for (const record of records) {
        const { name, texts } = record;
        const before = known.get(name);
        if (before !== undefined && sameTexts(before.texts, texts)) {
          next.set(name, before);
          values.set(name, before.value);
          continue;
        }
        const value = decode(record);
        if (value === null) continue;
        next.set(name, { texts, value });
        values.set(name, value);
      }
      known = next;
      return values;
    },
  };
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, n) => text === b[n]);
}
