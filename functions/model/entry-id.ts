import { PlatformError } from '../errors.ts';

/**
 * Ids of stream entries, `<ms>-<seq>`, both unsigned 64-bit. They are kept as canonical text (no leading zeros, sequence
 * always there), which is how Redis writes them; comparing two canonical ids needs no arithmetic.
 */

/** The least id; no entry carries it. */
export const ZERO_ENTRY_ID = '0-0';

const MAX_PART = 0xffff_ffff_ffff_ffffn;
const PATTERN = /^(\d{1,20})(?:-(\d{1,20}))?$/;

/** True when the text is an entry id, complete or only its time part. */
export function isEntryId(text: string): boolean {
  const parts = PATTERN.exec(text);
  return parts !== null && BigInt(parts[1] as string) <= MAX_PART && BigInt(parts[2] ?? '0') <= MAX_PART;
}

/** Canonical form of an id; a missing sequence becomes 0. Errors: ARGUMENT_INVALID. */
export function parseEntryId(text: string): string {
  if (!isEntryId(text)) {
    throw new PlatformError(
      'ARGUMENT_INVALID',
      `"${text}" is no stream entry id; give <milliseconds>-<sequence> or milliseconds since the epoch`,
      { details: { value: text } },
    );
  }
  const [ms, seq] = split(text);
  return `${BigInt(ms)}-${BigInt(seq)}`;
}

/** Negative, zero or positive, as `a` is before, equal to or after `b`. Both canonical. */
export function compareEntryIds(a: string, b: string): number {
  if (a === b) return 0;
  const [aMs, aSeq] = split(a);
  const [bMs, bSeq] = split(b);
  return compareDigits(aMs, bMs) || compareDigits(aSeq, bSeq);
}

/** The id right after a canonical one; null after the greatest. */
export function nextEntryId(id: string): string | null {
  const [ms, seq] = split(id).map(BigInt) as [bigint, bigint];
  if (seq < MAX_PART) return `${ms}-${seq + 1n}`;
  return ms < MAX_PART ? `${ms + 1n}-0` : null;
}

/** The id right before a canonical one; null before `0-0`. */
export function previousEntryId(id: string): string | null {
  const [ms, seq] = split(id).map(BigInt) as [bigint, bigint];
  if (seq > 0n) return `${ms}-${seq - 1n}`;
  return ms > 0n ? `${ms - 1n}-${MAX_PART}` : null;
}

/** The first id of a millisecond. Errors: ARGUMENT_INVALID for what is no time. */
export function idFromTime(timeMs: number): string {
  if (!Number.isSafeInteger(timeMs) || timeMs < 0) {
    throw new PlatformError('ARGUMENT_INVALID', `${timeMs} is no time in milliseconds since the epoch`, {
      details: { value: timeMs },
    });
  }
  return `${timeMs}-0`;
}

/** Milliseconds of an id's time part; exact for every time a clock can show. */
export function timeOfId(id: string): number {
  return Number(split(id)[0]);
}

/** Ids below this are no times (1973): whoever made them numbers entries in a way of their own. */
const OLDEST_TIME_MS = 100_000_000_000;

/** How old an entry is by its id, ms, at least 0; null for an id that is no time. */
export function ageOfId(id: string, nowMs: number): number | null {
  const atMs = timeOfId(id);
  const isTime = Number.isSafeInteger(atMs) && atMs >= OLDEST_TIME_MS;
  return isTime ? Math.max(0, nowMs - atMs) : null;
}

function split(id: string): [string, string] {
  const dash = id.indexOf('-');
  return dash === -1 ? [id, '0'] : [id.slice(0, dash), id.slice(dash + 1)];
}

/** Numbers without leading zeros: the longer one is greater, equally long ones compare as text. */
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
