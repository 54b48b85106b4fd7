import { encodeBulk, PlatformError } from '#functions';
import { cutReplies, mayHaveError } from './cut-replies.ts';
import { joinNames, type KeyNames, listNames } from './key-names.ts';
import type { ReadLinks } from './links.ts';
import type { InputPiece } from './reader.ts';

/** What stands before and behind the key (a bulk string) in the command that reads a value whole; types without one have the value null. */
const READ: Readonly<Record<string, readonly [head: string, tail: string]>> = {
  string: ['*2\r\n$3\r\nGET\r\n', ''],
  hash: ['*2\r\n$7\r\nHGETALL\r\n', ''],
  list: ['*4\r\n$6\r\nLRANGE\r\n', '$1\r\n0\r\n$2\r\n-1\r\n'],
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

type Links = Pick<ReadLinks, 'read' | 'anywhere'>;

/** Reads types and values of keys; remembers what type most keys have had, and reads values of that type unasked. */
export interface ValueReader {
  /** Types and values of keys, in one of the two forms of `StageRequest.input`. Errors: REDIS_REPLY. */
  read(names: KeyNames): Promise<InputPiece>;
  /** Bytes per key of what was read last; 0 at first. */
  readonly bytesPerKey: number;
}

/**
 * One round trip where all keys have the type that was guessed: then names and replies go on as they came. Keys of which the
 * guess was wrong cost two more; replies are cut at their ends, but values are never parsed here.
 */
export function createValueReader(links: Links): ValueReader {
  let guess = 'hash';
  let bytesPerKey = 0;
  return {
    async read(names) {
      const { count } = names;
      const replies = READ[guess] === undefined ? null : await links.read(commandsFor(names, guess), count);
      let payload: string;
      if (replies !== null && !mayHaveError(replies)) payload = columns(guess, names, replies);
      else {
        const rows = await readRows(links, names, replies === null ? null : tailsOf(replies, guess, count));
        if (rows.commonest !== null) guess = rows.commonest;
        payload = rows.payload;
      }
      bytesPerKey = payload.length / Math.max(1, count);
      return { payload, count };
    },
    get bytesPerKey() {
      return bytesPerKey;
    },
  };
}

function commandsFor(names: KeyNames, type: string): string {
  const [head, tail] = READ[type] ?? ['', ''];
  return head + listNames(names).join(tail + head) + tail;
}

/** Keys of one type: names and replies stay where they are, so nobody looks at each before the sandbox does. */
function columns(type: string, { text, count }: KeyNames, replies: string): string {
  const list = `*${count}\r\n`;
  return `*4\r\n${encodeBulk(type)}:${list.length + text.length}\r\n${list}${text}${list}${replies}`;
}

interface Rows {
  readonly payload: string;
  /** Type that most keys have; null when the guess was right for most. */
  readonly commonest: string | null;
}

/** @param known type and value of each key as RESP text, null where they are not known; null: none is. */
async function readRows(links: Links, names: KeyNames, known: readonly (string | null)[] | null): Promise<Rows> {
  const keys = listNames(names);
  const tails = known === null ? keys.map(() => null as string | null) : [...known];
  const open = tails.flatMap((tail, index) => (tail === null ? [index] : []));
  let commonest: string | null = null;
  if (open.length > 0) {
    const found = await readByType(
      links,
      open.map((index) => keys[index] as string),
    );
    open.forEach((index, at) => {
      tails[index] = found.tails[at] ?? EMPTY;
    });
    if (open.length * 2 > keys.length) commonest = found.commonest;
  }
  let body = '';
  keys.forEach((key, index) => {
    body += `*3\r\n${key}${tails[index]}`;
  });
  return { payload: `*${keys.length}\r\n${body}`, commonest };
}

/** Type and value of each key; null where the key has another type, or could not be read here. */
function tailsOf(replies: string, type: string, count: number): (string | null)[] {
  const starts = cutReplies(replies, count);
  const head = encodeBulk(type);
  return Array.from({ length: count }, (_, at) => {
    const from = starts[at] as number;
    const end = starts[at + 1] as number;
    if (replies.charCodeAt(from) === MINUS) return null;
    return isNothing(replies, from, end) ? EMPTY : head + replies.slice(from, end);
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

async function readByType(links: Links, keys: readonly string[]): Promise<Typed> {
  const types = await typesOf(links, keys);
  const tails: string[] = types.map((type) =>
    type === 'none' ? EMPTY : encodeBulk(TYPE_NAMES[type] ?? 'module') + NULL,
  );
  const readable = types.flatMap((type, index) => (READ[type] === undefined ? [] : [index]));
  if (readable.length > 0) {
    const commands = readable
      .map((index) => commandsFor(joinNames([keys[index] as string]), types[index] as string))
      .join('');
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

async function typesOf(links: Links, keys: readonly string[]): Promise<readonly string[]> {
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
