import type { RedisAccess } from '#functions';
import type { DeadLetter } from '../delivery.ts';
import type { SchedulerKeys } from '../keys.ts';
import { compareIds } from './function-logs.ts';
import { formatLetterId, type LetterPlace } from './letter-id.ts';

/** A dead letter with the id under which it is shown, redriven and discarded. */
export interface KeptLetter extends DeadLetter {
  readonly id: string;
}

/** A letter together with its place, while it is worked on. */
export interface PlacedLetter extends KeptLetter {
  readonly place: LetterPlace;
}

/** One stream of dead letters. */
export interface LetterStream {
  readonly registrationId: string;
  readonly tag: string;
  /** First id, inclusive, or exclusive with a `(` before it. */
  readonly from: string;
  readonly to: string;
}

const PAGE = 200;

/** The letters of all streams, oldest first, read page by page as they are needed. */
export async function* readLetters(
  access: RedisAccess,
  keys: SchedulerKeys,
  streams: readonly LetterStream[],
): AsyncGenerator<PlacedLetter> {
  const heads = await Promise.all(
    streams.map(async (stream) => {
      const letters = readStream(access, keys, stream);
      return { letters, next: await letters.next() };
    }),
  );
  for (;;) {
    let oldest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (!head.next.done && (!oldest || isOlder(head.next.value, oldest.next.value))) oldest = head;
    }
    if (!oldest) return;
    yield oldest.next.value as PlacedLetter;
    oldest.next = await oldest.letters.next();
  }
}

function isOlder(a: PlacedLetter, b: PlacedLetter | undefined): boolean {
  return b === undefined || comparePlaces(a.place, b.place) < 0;
}

/** The order in which letters are listed: by time, equal ones by registration and tag. */
export function comparePlaces(a: LetterPlace, b: LetterPlace): number {
  return compareIds(a.streamId, b.streamId) || compareStreams(a, b);
}

export function compareStreams(
  a: Pick<LetterPlace, 'registrationId' | 'tag'>,
  b: Pick<LetterPlace, 'registrationId' | 'tag'>,
): number {
  const left = `${a.registrationId}@${a.tag}`;
  const right = `${b.registrationId}@${b.tag}`;
  return left < right ? -1 : Number(left > right);
}

async function* readStream(
  access: RedisAccess,
  keys: SchedulerKeys,
  stream: LetterStream,
): AsyncGenerator<PlacedLetter, undefined> {
  const key = keys.dead(stream.tag, stream.registrationId);
  let from = stream.from;
  for (;;) {
    const entries = await access.client.xrangeBuffer(key, from, stream.to, 'COUNT', PAGE);
    for (const [id, fields] of entries) {
      const { registrationId, tag } = stream;
      const streamId = id.toString();
      yield decodeLetter({ registrationId, tag, streamId }, fields);
      from = `(${streamId}`;
    }
    if (entries.length < PAGE) return undefined;
  }
}

/** Keys and payload are bytes (latin1 text), everything else is UTF-8. */
export function decodeLetter(place: LetterPlace, fields: readonly Buffer[]): PlacedLetter {
  const byName = new Map<string, Buffer>();
  for (let at = 0; at + 1 < fields.length; at += 2) byName.set(String(fields[at]), fields[at + 1] ?? Buffer.alloc(0));
  const text = (name: string): string => byName.get(name)?.toString('utf8') ?? '';
  const bytes = (name: string): string => byName.get(name)?.toString('latin1') ?? '';
  return {
    place,
    id: formatLetterId(place),
    entryId: text('entryId'),
    stream: bytes('stream'),
    registrationId: place.registrationId,
    functionName: text('functionName'),
    version: Number(text('version')),
    attempts: Number(text('attempts')),
    reason: text('reason') as DeadLetter['reason'],
    errorCode: text('errorCode'),
    errorMessage: text('errorMessage'),
    errorStack: text('errorStack'),
    payload: bytes('payload'),
    diedAtMs: Number(text('diedAtMs')),
  };
}
