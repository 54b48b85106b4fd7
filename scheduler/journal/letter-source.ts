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
  /** Last id, inclusive, or exclusive with a `(` before it. */
  readonly to: string;
}

export const LETTER_ORDERS = ['oldest', 'newest'] as const;
/** Which letters come first. */
export type LetterOrder = (typeof LETTER_ORDERS)[number];

export interface LetterSource {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'dead'>;
  readonly order: LetterOrder;
}

const PAGE = 200;

/** The letters of all streams in order, read page by page as they are needed. */
export async function* readLetters(
  source: LetterSource,
  streams: readonly LetterStream[],
): AsyncGenerator<PlacedLetter> {
  const heads = await Promise.all(
    streams.map(async (stream) => {
      const letters = readStream(source, stream);
      return { letters, next: await letters.next() };
    }),
  );
  const sign = source.order === 'oldest' ? 1 : -1;
  const isFirst = (a: PlacedLetter, b: PlacedLetter | undefined): boolean =>
    b === undefined || comparePlaces(a.place, b.place) * sign < 0;
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (!head.next.done && (!first || isFirst(head.next.value, first.next.value))) first = head;
    }
    if (!first) return;
    yield first.next.value as PlacedLetter;
    first.next = await first.letters.next();
  }
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
  { access, keys, order }: LetterSource,
  stream: LetterStream,
): AsyncGenerator<PlacedLetter, undefined> {
  const { client } = access;
  const { registrationId, tag } = stream;
  const key = keys.dead(tag, registrationId);
  let { from, to } = stream;
  for (;;) {
    const entries =
      order === 'oldest'
        ? await client.xrangeBuffer(key, from, to, 'COUNT', PAGE)
        : await client.xrevrangeBuffer(key, to, from, 'COUNT', PAGE);
    for (const [id, fields] of entries) yield decodeLetter({ registrationId, tag, streamId: id.toString() }, fields);
    const last = entries.at(-1);
    if (last === undefined || entries.length < PAGE) return undefined;
    if (order === 'oldest') from = `(${last[0]}`;
    else to = `(${last[0]}`;
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
