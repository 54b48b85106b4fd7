import { defineScript, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import { type LetterPlace, parseLetterId } from './letter-id.ts';
import {
  compareStreams,
  decodeLetter,
  type KeptLetter,
  type LetterOrder,
  type LetterStream,
  type PlacedLetter,
  readLetters,
} from './letter-source.ts';
import { deadItemOf } from './list-letters.ts';

/** Which dead letters; what is not given does not restrict. */
export interface LetterFilter {
  /** One letter; the other fields must hold for it too. */
  readonly id?: string;
  readonly functionName?: string;
  readonly registrationId?: string;
  /** Part of the error's code or message, upper and lower case alike. */
  readonly error?: string;
  /** Died at this time or later, ms since the epoch. */
  readonly sinceMs?: number;
  /** Died at this time or before, ms since the epoch. */
  readonly untilMs?: number;
}

export interface LetterListRequest extends LetterFilter {
  readonly count: number;
  /** Only letters behind the one with this id; null = from the first on. */
  readonly after: string | null;
  /** Default `oldest`. */
  readonly order?: LetterOrder;
}

export interface RedriveResult {
  readonly matched: number;
  /** Appended to their streams again; with `dryRun` those that could be. */
  readonly redriven: number;
  /** Their entries had been trimmed away: there is no payload to append. They stay. */
  readonly lostToTrim: number;
  /** More fields than one script can pass on (3,500). They stay. */
  readonly tooLarge: number;
  /** Redriven or discarded by somebody else meanwhile, or gone with the cap. */
  readonly gone: number;
  /** Refused by the server, such as a source key that is no stream any more. They stay. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
}

/** Entries that were given up on, over all registrations, also removed ones. */
export interface DeadLetters {
  /** In the order that was asked for. */
  list(request: LetterListRequest): Promise<readonly KeptLetter[]>;
  /** DEAD_LETTER_NOT_FOUND. */
  show(id: string): Promise<KeptLetter>;
  count(filter: LetterFilter): Promise<number>;
  /** How many are kept; cheap, however many there are. */
  total(): Promise<number>;
  /**
   * Appends the entries to their streams under new ids (items to their lists) and deletes the letters, each in one step: a
   * crash neither loses nor doubles one. Every registration on the stream sees the new entry. Letters that die meanwhile are left for next time.
   */
  redrive(filter: LetterFilter, options?: { readonly dryRun?: boolean }): Promise<RedriveResult>;
  /** Deletes letters for good; returns how many. */
  discard(filter: LetterFilter, options?: { readonly dryRun?: boolean }): Promise<number>;
}

export interface DeadLettersOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
}

export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  const { access, keys } = options;
  const redriveScript = defineScript('redrive-letter', new URL('./scripts/redrive-letter.lua', import.meta.url));
  const redriveItemScript = defineScript('redrive-item', new URL('./scripts/redrive-item.lua', import.meta.url));
  const matching = (filter: LetterFilter) => findLetters(options, filter, { after: null, order: 'oldest' });

  async function redriveOne(letter: PlacedLetter): Promise<Fate> {
    const { registrationId, tag, streamId } = letter.place;
    const dead = keys.dead(tag, registrationId);
    const item = deadItemOf(letter, tag, keys);
    if (item !== null) {
      const args = [streamId, Buffer.from(item.value, 'latin1'), item.from];
      const reply = await redriveItemScript.run(access.client, [dead, Buffer.from(item.list, 'latin1')], args);
      return fateOf(String(reply));
    }
    const source = Buffer.from(letter.stream, 'latin1');
    return fateOf(String(await redriveScript.run(access.client, [dead, source], [streamId])));
  }

  return {
    async list({ count, after, order = 'oldest', ...filter }) {
      const found: KeptLetter[] = [];
      if (count <= 0) return found;
      for await (const { place: _place, ...letter } of findLetters(options, filter, { after, order })) {
        found.push(letter);
        if (found.length >= count) break;
      }
      return found;
    },
    async show(id) {
      for await (const { place: _place, ...letter } of matching({ id })) return letter;
      throw notFound(id);
    },
    async count(filter) {
      let count = 0;
      for await (const _letter of matching(filter)) count++;
      return count;
    },
    async total() {
      const streams = await streamsOf(options, {}, { after: null, order: 'oldest' });
      const lengths = streams.map(({ tag, registrationId }) => access.client.xlen(keys.dead(tag, registrationId)));
      return (await Promise.all(lengths)).reduce((sum, length) => sum + length, 0);
    },
    async redrive(filter, { dryRun = false } = {}) {
      const tally = createTally();
      for await (const letter of matching(filter)) {
        try {
          tally.add(dryRun ? foreseenFate(letter) : await redriveOne(letter));
        } catch (error) {
          if (!isRefusal(error)) throw error;
          tally.refuse(letter.id, error.message);
        }
      }
      return tally.result();
    },
    async discard(filter, { dryRun = false } = {}) {
      let discarded = 0;
      for await (const { place } of matching(filter)) {
        discarded += dryRun ? 1 : await access.client.xdel(keys.dead(place.tag, place.registrationId), place.streamId);
      }
      return discarded;
    },
  };
}

type Fate = 'redriven' | 'gone' | 'lostToTrim' | 'tooLarge';

function fateOf(reply: string): Fate {
  if (reply === '-gone') return 'gone';
  if (reply === '-lost') return 'lostToTrim';
  return reply === '-large' ? 'tooLarge' : 'redriven';
}

function foreseenFate(letter: PlacedLetter): Fate {
  const fields = Number(/^\*(\d+)\r\n/.exec(letter.payload)?.[1] ?? 0);
  if (fields < 2) return 'lostToTrim';
  return fields > 7_000 ? 'tooLarge' : 'redriven';
}

function createTally(): {
  add(fate: Fate): void;
  refuse(id: string, message: string): void;
  result(): RedriveResult;
} {
  const counts: Record<Fate, number> = { redriven: 0, gone: 0, lostToTrim: 0, tooLarge: 0 };
  const refused: { id: string; message: string }[] = [];
  return {
    add(fate) {
      counts[fate]++;
    },
    refuse(id, message) {
      refused.push({ id, message });
    },
    result() {
      const matched = Object.values(counts).reduce((sum, count) => sum + count, refused.length);
      return { matched, ...counts, refused };
    },
  };
}

/** An error reply about this one letter; trouble with the connection or the server ends the whole redrive. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^(WRONGTYPE|ERR) /.test(error.message);
}

/** Where a listing goes on, and which way. */
interface Course {
  readonly after: string | null;
  readonly order: LetterOrder;
}

async function* findLetters(
  options: DeadLettersOptions,
  filter: LetterFilter,
  course: Course,
): AsyncGenerator<PlacedLetter> {
  const letters =
    filter.id === undefined
      ? readLetters({ ...options, order: course.order }, await streamsOf(options, filter, course))
      : readLetter(options, placeOf(filter.id));
  for await (const letter of letters) {
    if (fits(letter, filter)) yield letter;
  }
}

async function* readLetter({ access, keys }: DeadLettersOptions, place: LetterPlace): AsyncGenerator<PlacedLetter> {
  const key = keys.dead(place.tag, place.registrationId);
  const [entry] = await access.client.xrangeBuffer(key, place.streamId, place.streamId);
  if (entry) yield decodeLetter(place, entry[1]);
}

/** The streams to look at, each from where the listing goes on up to the present time. */
async function streamsOf(
  { access, keys }: DeadLettersOptions,
  filter: LetterFilter,
  { after, order }: Course,
): Promise<readonly LetterStream[]> {
  const behind = after === null ? null : placeOf(after);
  const ids = filter.registrationId ? [filter.registrationId] : await access.client.smembers(keys.registrationIndex);
  const [seconds, microseconds] = await access.client.time();
  const nowMs = Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  const to = String(Math.min(filter.untilMs ?? nowMs, nowMs));
  const perId = await Promise.all(
    ids.map(async (registrationId) => {
      const tags = await access.client.smembers(keys.tags(registrationId));
      const since = String(filter.sinceMs ?? 0);
      return tags.map((tag) => {
        const place = { registrationId, tag };
        if (order === 'oldest') return { ...place, from: firstId(place, filter, behind), to };
        return { ...place, from: since, to: lastId(place, to, behind) };
      });
    }),
  );
  return perId.flat();
}

function firstId(
  stream: Pick<LetterPlace, 'registrationId' | 'tag'>,
  filter: LetterFilter,
  behind: LetterPlace | null,
): string {
  const sinceMs = filter.sinceMs ?? 0;
  if (behind === null || Number(behind.streamId.split('-')[0]) < sinceMs) return String(sinceMs);
  return compareStreams(stream, behind) > 0 ? behind.streamId : `(${behind.streamId}`;
}

function lastId(stream: Pick<LetterPlace, 'registrationId' | 'tag'>, to: string, behind: LetterPlace | null): string {
  if (behind === null || Number(behind.streamId.split('-')[0]) > Number(to)) return to;
  return compareStreams(stream, behind) < 0 ? behind.streamId : `(${behind.streamId}`;
}

function fits(letter: PlacedLetter, filter: LetterFilter): boolean {
  const diedAtMs = Number(letter.place.streamId.split('-')[0]);
  const error = filter.error?.toLowerCase();
  return (
    (filter.functionName === undefined || letter.functionName === filter.functionName) &&
    (filter.registrationId === undefined || letter.registrationId === filter.registrationId) &&
    (error === undefined || `${letter.errorCode} ${letter.errorMessage}`.toLowerCase().includes(error)) &&
    (filter.sinceMs === undefined || diedAtMs >= filter.sinceMs) &&
    (filter.untilMs === undefined || diedAtMs <= filter.untilMs)
  );
}

function placeOf(id: string): LetterPlace {
  const place = parseLetterId(id);
  if (place === null) throw notFound(id);
  return place;
}

function notFound(id: string): PlatformError<SchedulerErrorCode> {
  return new PlatformError('DEAD_LETTER_NOT_FOUND', `there is no dead letter ${id}; \`regears dlq list\` shows them`, {
    details: { id },
  });
}
