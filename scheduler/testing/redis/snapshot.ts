import type { Reply } from '../values.ts';

/** What a key holds, in a form in which equal means the same to a reader of Redis. */
export interface KeySnapshot {
  readonly type: string;
  /**
   * Part → value: fields of a hash, positions of a list, members of a set (''), members and scores of a sorted set, positions of
   * entries of a stream (their ids, which carry the time, are left out); the one part '' of a string.
   */
  readonly parts: ReadonlyMap<string, string>;
  /** True: the key expires. When is left out. */
  readonly expires: boolean;
}

/** All keys of a server but the platform's own, by name (latin1 text). */
export type Snapshot = ReadonlyMap<string, KeySnapshot>;

/** Asks in latin1 text; error replies throw. */
export type Ask = (command: string, ...args: readonly string[]) => Promise<Reply>;

type Pairs = readonly string[];

const READS: Readonly<Record<string, (ask: Ask, key: string) => Promise<ReadonlyMap<string, string>>>> = {
  string: async (ask, key) => new Map([['', (await ask('GET', key)) as string]]),
  hash: async (ask, key) => pairs((await ask('HGETALL', key)) as Pairs),
  list: async (ask, key) => numbered((await ask('LRANGE', key, '0', '-1')) as Pairs),
  set: async (ask, key) => new Map(((await ask('SMEMBERS', key)) as Pairs).map((member) => [member, ''])),
  zset: async (ask, key) => pairs((await ask('ZRANGE', key, '0', '-1', 'WITHSCORES')) as Pairs),
  stream: async (ask, key) => {
    const entries = (await ask('XRANGE', key, '-', '+')) as readonly (readonly [string, Pairs])[];
    return numbered(entries.map(([, fields]) => fields.join(' ')));
  },
};

/** Reads everything that is there. */
export async function takeSnapshot(ask: Ask, prefix: string): Promise<Snapshot> {
  const found = new Map<string, KeySnapshot>();
  let cursor = '0';
  do {
    const [next, keys] = (await ask('SCAN', cursor, 'COUNT', '1000')) as [string, Pairs];
    for (const key of keys) {
      if (key.startsWith(prefix) || found.has(key)) continue;
      const type = (await ask('TYPE', key)) as string;
      const read = READS[type];
      const parts = read === undefined ? await dumped(ask, key) : await read(ask, key);
      if (type !== 'none') found.set(key, { type, parts, expires: Number(await ask('PTTL', key)) >= 0 });
    }
    cursor = next;
  } while (cursor !== '0');
  return found;
}

/** A type of a module: compared as what DUMP makes of it. */
async function dumped(ask: Ask, key: string): Promise<ReadonlyMap<string, string>> {
  const dump = await ask('DUMP', key);
  return new Map([['', String(dump)]]);
}

function pairs(flat: Pairs): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) found.set(flat[at] as string, flat[at + 1] as string);
  return found;
}

function numbered(values: Pairs): ReadonlyMap<string, string> {
  return new Map(values.map((value, at) => [`${at}`, value]));
}
