import { type CommandPipe, decodeReply, encodeBulk, encodeCommand, replyStarts, unlessError } from '#functions';

/** One event as it lies in its stream. */
export interface StoredEvent {
  /** latin1. */
  readonly key: string;
  readonly event: string;
  /** RESP array; '' = none. */
  readonly command: string;
  readonly token: string;
}

export interface ReadWhat {
  readonly type: boolean;
  readonly value: boolean;
}

/** Reads the events out of one RESP array of stream entries, latin1. */
export function storedEvents(payload: string): readonly StoredEvent[] {
  const entries = decodeReply(payload) as readonly (readonly [string, readonly string[]])[];
  return entries.map(([, fields]) => {
    const read = (name: string): string => {
      for (let at = 0; at + 1 < fields.length; at += 2) if (fields[at] === name) return fields[at + 1] as string;
      return '';
    };
    return { key: read('k'), event: read('e'), command: read('c'), token: read('w') };
  });
}

const READS: Readonly<Record<string, (key: string) => readonly string[]>> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
};
const KNOWN_TYPES = new Set(['string', 'list', 'hash', 'set', 'zset']);
const NIL = '$-1\r\n';
/** A key may become another type between the two questions. */
const MOST_TRIES = 3;

interface TypedValue {
  type: string;
  value: string;
}

/**
 * The payload of shape `keys` for these events: types and values are what the keys hold now, values as the RESP text that Redis
 * sent. Two round trips for any number of keys. Rejects with REDIS_LINK_LOST and REDIS_REPLY.
 */
export async function keysPayload(pipe: CommandPipe, events: readonly StoredEvent[], what: ReadWhat): Promise<string> {
  const size = 3 + (what.type ? 1 : 0) + (what.value ? 1 : 0);
  const values = what.type || what.value ? await readKeys(pipe, events, what) : null;
  let payload = `*${events.length}\r\n`;
  for (const { key, event, command } of events) {
    const found = values?.get(key);
    payload += `*${size}\r\n${encodeBulk(key)}${encodeBulk(event)}${command === '' ? NIL : command}`;
    if (found !== undefined) payload += encodeBulk(found.type) + (what.value ? found.value : '');
  }
  return payload;
}

async function readKeys(
  pipe: CommandPipe,
  events: readonly StoredEvent[],
  what: ReadWhat,
): Promise<ReadonlyMap<string, TypedValue>> {
  const found = new Map<string, TypedValue>();
  let keys = [...new Set(events.map(({ key }) => key))];
  for (let tries = 0; keys.length > 0 && tries < MOST_TRIES; tries += 1) {
    const types = await ask(
      pipe,
      keys.map((key) => ['TYPE', key]),
    );
    for (const [at, key] of keys.entries()) found.set(key, { type: typeOf(types[at] ?? NIL), value: NIL });
    if (!what.value) break;
    const readable = keys.filter((key) => READS[found.get(key)?.type ?? ''] !== undefined);
    const replies = await ask(
      pipe,
      readable.map((key) => (READS[found.get(key)?.type ?? ''] as (k: string) => readonly string[])(key)),
    );
    keys = readable.filter((key, at) => {
      const reply = replies[at] ?? NIL;
      const isGone = reply.startsWith('-') || reply === NIL || reply === '*0\r\n';
      if (!isGone) (found.get(key) as TypedValue).value = reply;
      return isGone;
    });
  }
  return found;
}

async function ask(pipe: CommandPipe, commands: readonly (readonly string[])[]): Promise<readonly string[]> {
  if (commands.length === 0) return [];
  const text = await pipe.send(commands.map((command) => encodeCommand(command)).join(''), commands.length);
  const starts = replyStarts(text, commands.length);
  return commands.map((_, at) => text.slice(starts[at], starts[at + 1] ?? text.length));
}

/** In the words of the reference: `empty` for no key, `unknown` for a stream, `module` for what modules bring. */
function typeOf(reply: string): string {
  const type = unlessError(decodeReply(reply));
  if (typeof type !== 'string' || type === 'none') return 'empty';
  if (KNOWN_TYPES.has(type)) return type;
  return type === 'stream' ? 'unknown' : 'module';
}
