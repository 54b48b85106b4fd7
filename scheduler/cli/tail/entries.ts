import { isUtf8 } from 'node:buffer';
import { compareEntryIds } from '#functions';
import type { BytesReply, DoorClient } from '../client.ts';

/** An entry as it stands in its stream. */
export interface Entry {
  readonly stream: string;
  readonly id: string;
  /** Names and values, in their order; bytes, as streams hold anything. */
  readonly fields: readonly (readonly [name: Buffer, value: Buffer])[];
}

/** Where reading goes on, by stream: id of the last entry that was read. */
export type Positions = Map<string, string>;

/** Entries of one read of one stream. */
const ENTRIES_AT_ONCE = 500;

/**
 * The next entries of all streams, oldest first; moves the positions. With one stream it waits on the server for them, else it
 * returns at once. Errors: WRONGTYPE for a key that is no stream, those of the door.
 */
export async function readNext(door: DoorClient, positions: Positions, blockMs: number): Promise<readonly Entry[]> {
  const wait = positions.size === 1 ? ['BLOCK', blockMs] : [];
  const replies = await door.bytes(
    [...positions].map(([stream, after]) => ['XREAD', 'COUNT', ENTRIES_AT_ONCE, ...wait, 'STREAMS', stream, after]),
  );
  const found: Entry[] = [];
  for (const [at, [stream]] of [...positions].entries()) {
    const [read] = asList(replies[at]);
    const entries = asList(asList(read)[1]).map((entry) => entryOf(stream, entry));
    const last = entries.at(-1);
    if (last !== undefined) positions.set(stream, last.id);
    found.push(...entries);
  }
  return inOrder(found);
}

/** The last entries of a stream, oldest first. Errors as above. */
export async function readLast(door: DoorClient, stream: string, count: number): Promise<readonly Entry[]> {
  const [reply] = await door.bytes([['XREVRANGE', stream, '+', '-', 'COUNT', count]]);
  return asList(reply)
    .map((entry) => entryOf(stream, entry))
    .reverse();
}

/** Id of the newest entry a stream has ever had; null when there is no such stream. Errors as above. */
export async function lastIdOf(door: DoorClient, stream: string): Promise<string | null> {
  const [newest] = await readLast(door, stream, 1);
  if (newest !== undefined) return newest.id;
  const [type] = await door.bytes([['TYPE', stream]]);
  if (textOf(type) !== 'stream') return null;
  const [facts] = await door.bytes([['XINFO', 'STREAM', stream]]);
  const list = asList(facts);
  const at = list.findIndex((each) => textOf(each) === 'last-generated-id');
  return textOf(list[at + 1]);
}

export function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => compareEntryIds(a.id, b.id));
}

function entryOf(stream: string, reply: BytesReply): Entry {
  const [id, flat] = asList(reply);
  const texts = asList(flat);
  const fields: (readonly [Buffer, Buffer])[] = [];
  for (let at = 0; at + 1 < texts.length; at += 2) fields.push([bytesOf(texts[at]), bytesOf(texts[at + 1])]);
  return { stream, id: textOf(id), fields };
}

/** For programs: an object, where names are text and there once each; else a list of pairs. */
export function entryJson({ stream, id, fields }: Entry): object {
  const names = new Set(fields.map(([name]) => name.toString('latin1')));
  const isPlain = names.size === fields.length && fields.every(([name]) => isUtf8(name));
  const pairs = fields.map(([name, value]) => [valueJson(name), valueJson(value)] as const);
  return { stream, id, fields: isPlain ? Object.fromEntries(pairs) : pairs };
}

function valueJson(bytes: Buffer): string | { readonly base64: string } {
  return isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') };
}

function asList(reply: BytesReply | undefined): readonly BytesReply[] {
  return Array.isArray(reply) ? reply : [];
}

function bytesOf(reply: BytesReply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply ?? ''));
}

function textOf(reply: BytesReply | undefined): string {
  return bytesOf(reply).toString();
}
