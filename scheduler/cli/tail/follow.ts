import { compareEntryIds, PlatformError } from '#functions';
import type { DoorClient } from '../client.ts';
import type { CommandInput } from '../command.ts';
import type { Interruption } from '../interrupted.ts';
import { type Entry, inOrder, lastIdOf, type Positions, readLast, readNext } from './entries.ts';
import { findStreams, type StreamNames } from './find-streams.ts';

/** Where a person wants to begin. */
export interface Start {
  /** Id behind which it begins, whatever is there; null = not given. */
  readonly after: string | null;
  /** Entries before now that are shown first, of each stream. */
  readonly last: number;
}

export interface FollowWish {
  readonly streams: StreamNames;
  readonly start: Start;
  /** False: what is there now, and no more. */
  readonly follows: boolean;
  readonly stop: Interruption;
  /** True ends it. */
  onEntry(entry: Entry): boolean;
}

/** Of one wait on the server; Ctrl-C does not wait for it. */
const BLOCK_MS = 1_000;
/** Several streams are asked so often. */
const POLL_MS = 200;
/** Streams that have come to match a pattern are found so often. */
const FIND_EVERY_MS = 2_000;
const RETRY_MS = 1_000;

/**
 * Hands entries over until it is told to end. A lost connection is made again, and goes on behind the last entry that was handed
 * over. Errors of the first connection and of the streams: those of the door, WRONGTYPE.
 */
export async function followStreams(input: CommandInput, wish: FollowWish): Promise<void> {
  const positions: Positions = new Map();
  let door: DoorClient | null = await input.door();
  let isTold = false;
  if (await begin(door, positions, wish)) return;
  while (wish.follows && !wish.stop.signal.aborted) {
    try {
      door ??= await input.newDoor();
      isTold = false;
      if (await followOn(door, positions, wish)) break;
    } catch (reason) {
      await door?.[Symbol.asyncDispose]();
      door = null;
      refuseOthers(reason);
      if (!isTold) input.output.note('The connection is lost; trying again.');
      isTold = true;
      await wish.stop.within(RETRY_MS);
    }
  }
  await door?.[Symbol.asyncDispose]();
}

/** What was there before; true when that was enough. */
async function begin(door: DoorClient, positions: Positions, wish: FollowWish): Promise<boolean> {
  const { streams, start } = wish;
  const first: Entry[] = [];
  for (const stream of await findStreams(door, streams)) {
    if (start.after !== null) {
      positions.set(stream, start.after);
      continue;
    }
    const entries = start.last > 0 ? await readLast(door, stream, start.last) : [];
    first.push(...entries);
    positions.set(stream, entries.at(-1)?.id ?? (await lastIdOf(door, stream)) ?? '0-0');
  }
  if (inOrder(first).some((entry) => wish.onEntry(entry))) return true;
  return start.after === null || wish.follows ? false : readUp(door, positions, wish);
}

/** Everything from the start on that is there now. */
async function readUp(door: DoorClient, positions: Positions, { onEntry, stop }: FollowWish): Promise<boolean> {
  const ends = new Map<string, string>();
  for (const stream of positions.keys()) ends.set(stream, (await lastIdOf(door, stream)) ?? '0-0');
  const isBehind = ({ stream, id }: Entry): boolean => compareEntryIds(id, ends.get(stream) ?? '0-0') > 0;
  while (positions.size > 0 && !stop.signal.aborted) {
    const entries = await readNext(door, positions, 1);
    // Writers may be faster than this.
    const wanted = entries.filter((entry) => !isBehind(entry));
    if (wanted.length === 0 || wanted.some((entry) => onEntry(entry))) return true;
  }
  return true;
}

async function followOn(door: DoorClient, positions: Positions, wish: FollowWish): Promise<boolean> {
  let findAtMs = performance.now() + FIND_EVERY_MS;
  while (!wish.stop.signal.aborted) {
    if (wish.streams.patterns.length > 0 && performance.now() >= findAtMs) {
      await addNew(door, positions, wish);
      findAtMs = performance.now() + FIND_EVERY_MS;
    }
    const entries = await untilStopped(readNext(door, positions, BLOCK_MS), wish.stop.signal);
    if (entries.some((entry) => wish.onEntry(entry))) return true;
    if (entries.length === 0 && positions.size !== 1) await wish.stop.within(POLL_MS);
  }
  return true;
}

/** A stream that has come meanwhile is new as a whole. */
async function addNew(door: DoorClient, positions: Positions, { streams, start }: FollowWish): Promise<void> {
  for (const stream of await findStreams(door, streams)) {
    if (!positions.has(stream)) positions.set(stream, start.after ?? '0-0');
  }
}

/** Nothing is waited for when somebody wants to end; the connection goes with the command. */
async function untilStopped(reading: Promise<readonly Entry[]>, signal: AbortSignal): Promise<readonly Entry[]> {
  const stopped = Promise.withResolvers<readonly Entry[]>();
  const stop = (): void => stopped.resolve([]);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([reading, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
    reading.catch(() => undefined);
  }
}

/** A node that is away, or whose Redis is, comes back; everything else would be the same again. */
function refuseOthers(reason: unknown): void {
  const error = PlatformError.from(reason, 'FAILED');
  if (error.code !== 'DOOR_UNREACHABLE' && error.code !== 'LOADING') throw error;
}
