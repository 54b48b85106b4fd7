import { encodeBulk, PlatformError } from '#functions';
import { cutReplies } from './cut-replies.ts';
import type { ReadLinks } from './links.ts';
import type { InputPiece } from './reader.ts';

/** Command that reads the value of a key (a bulk string) whole; types without one have the value null. */
const READ: Readonly<Record<string, (key: string) => string>> = {
  string: (key) => `*2\r\n$3\r\nGET\r\n${key}`,
  hash: (key) => `*2\r\n$7\r\nHGETALL\r\n${key}`,
  list: (key) => `*4\r\n$6\r\nLRANGE\r\n${key}$1\r\n0\r\n$2\r\n-1\r\n`,
};
/** What TYPE says of types that functions know; everything else is a module's. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'string',
  hash: 'hash',
  list: 'list',
  set: 'set',
  zset: 'zset',
  stream: 'unknown',
  none: 'empty',
};
const NULL = '$-1\r\n';
const MINUS = 45;
const EMPTY = `$5\r\nempty\r\n${NULL}`;

/** Reads types and values of keys; remembers what type most keys have had, and reads values of that type unasked. */
export interface ValueReader {
  /** `[[key, type, value], …]` of keys given as bulk strings. Errors: REDIS_REPLY. */
  read(keys: readonly string[]): Promise<InputPiece>;
  /** Bytes per key of what was read last; 0 at first. */
  readonly bytesPerKey: number;
}

/**
 * One round trip where all keys have the type that was guessed; keys of which the guess was wrong cost two more. Values are
 * never parsed here: replies are cut at their ends and go on as they are.
 */
export function createValueReader(links: Pick<ReadLinks, 'read' | 'anywhere'>): ValueReader {
  let guess = 'hash';
  let bytesPerKey = 0;
  return {
    async read(keys) {
      const read = READ[guess];
      const tails =
        read === undefined ? new Array<string | null>(keys.length).fill(null) : await readAs(links, keys, guess);
      const open = tails.flatMap((tail, index) => (tail === null ? [index] : []));
      if (open.length > 0) {
        const found = await readByType(
          links,
          open.map((index) => keys[index] as string),
        );
        open.forEach((index, at) => {
          tails[index] = found.tails[at] ?? EMPTY;
        });
        if (open.length * 2 > keys.length) guess = found.commonest;
      }
      let body = '';
      keys.forEach((key, index) => {
        body += `*3\r\n${key}${tails[index]}`;
      });
      bytesPerKey = body.length / Math.max(1, keys.length);
      return { payload: `*${keys.length}\r\n${body}`, count: keys.length };
    },
    get bytesPerKey() {
      return bytesPerKey;
    },
  };
}

/** Type and value of each key, RESP text; null where the key has another type, or could not be read here. */
async function readAs(
  links: Pick<ReadLinks, 'read'>,
  keys: readonly string[],
  type: string,
): Promise<(string | null)[]> {
  const read = READ[type] as (key: string) => string;
  let commands = '';
  for (const key of keys) commands += read(key);
  const text = await links.read(commands, keys.length);
  const starts = cutReplies(text, keys.length);
  const head = encodeBulk(type);
  return keys.map((_, at) => {
    const from = starts[at] as number;
    const end = starts[at + 1] as number;
    if (text.charCodeAt(from) === MINUS) return null;
    return isNothing(text, from, end) ? EMPTY : head + text.slice(from, end);
  });
}

/** True for `$-1`, `*0` and `*-1`: the key is not there any more. A list or hash is never empty. */
function isNothing(text: string, from: number, end: number): boolean {
  if (end - from > 5) return false;
  const reply = text.slice(from, end);
  return reply === NULL || reply === '*0\r\n' || reply === '*-1\r\n';
}

interface Typed {
  readonly tails: readonly string[];
  readonly commonest: string;
}

async function readByType(links: Pick<ReadLinks, 'anywhere'>, keys: readonly string[]): Promise<Typed> {
  const types = await typesOf(links, keys);
  const tails: string[] = types.map((type) =>
    type === 'none' ? EMPTY : encodeBulk(TYPE_NAMES[type] ?? 'module') + NULL,
  );
  const readable = types.flatMap((type, index) => (READ[type] === undefined ? [] : [index]));
  if (readable.length > 0) {
    const commands = readable.map((index) => READ[types[index] as string]?.(keys[index] as string)).join('');
    const text = await links.anywhere(commands, readable.length);
    const starts = cutReplies(text, readable.length);
    readable.forEach((index, at) => {
      const reply = text.slice(starts[at], starts[at + 1]);
      // A key that has changed its type since a moment ago has no value that belongs to the type.
      const gone = reply.charCodeAt(0) === MINUS || isNothing(reply, 0, reply.length);
      tails[index] = gone ? EMPTY : encodeBulk(types[index] as string) + reply;
    });
  }
  return { tails, commonest: commonestOf(types) };
}

async function typesOf(links: Pick<ReadLinks, 'anywhere'>, keys: readonly string[]): Promise<readonly string[]> {
  const text = await links.anywhere(keys.map((key) => `*2\r\n$4\r\nTYPE\r\n${key}`).join(''), keys.length);
  const starts = cutReplies(text, keys.length);
  return keys.map((_, at) => {
    const reply = text.slice((starts[at] as number) + 1, (starts[at + 1] as number) - 2);
    if (text.charCodeAt(starts[at] as number) === MINUS) throw new PlatformError('REDIS_REPLY', reply);
    return reply;
  });
}

function commonestOf(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'hash';
}
