import { getNextMillis } from 'bullmq';
import { PlatformError, type Schedule } from '#functions';

/** A schedule as BullMQ keeps it: a pattern that only `nextTimeOfPattern` has to understand, and a time zone. */
export interface SchedulePattern {
  readonly pattern: string;
  readonly tz: string;
}

const EVERY = /^every (\d+)$/;
const AT = /^at (\d+)$/;

/**
 * The first time behind `afterMs` at which the schedule is due, ms since the epoch; null = never again. Intervals are due at
 * full multiples since the epoch, so that all nodes agree and nothing drifts.
 */
export function nextTimeMs({ cron, timeZone, everyMs, atMs }: Schedule, afterMs: number): number | null {
  if (atMs !== null) return atMs > afterMs ? atMs : null;
  if (everyMs !== null) return getNextMillis(afterMs, { every: everyMs }) ?? null;
  return getNextMillis(afterMs, { pattern: cron ?? '', tz: timeZone }) ?? null;
}

export function patternOf({ cron, timeZone, everyMs, atMs }: Schedule): SchedulePattern {
  if (everyMs !== null) return { pattern: `every ${everyMs}`, tz: timeZone };
  if (atMs !== null) return { pattern: `at ${atMs}`, tz: timeZone };
  return { pattern: cron ?? '', tz: timeZone };
}

/** `nextTimeMs` of a schedule that came back from BullMQ. */
export function nextTimeOfPattern({ pattern, tz }: SchedulePattern, afterMs: number): number | undefined {
  const everyMs = numberIn(EVERY, pattern);
  const atMs = numberIn(AT, pattern);
  const cron = everyMs === null && atMs === null ? pattern : null;
  return nextTimeMs({ cron, timeZone: tz, everyMs, atMs }, afterMs) ?? undefined;
}

/** MANIFEST_INVALID naming the argument, for a cron text or time zone that means nothing or is never due. */
export function checkSchedule({ cron, timeZone, everyMs, atMs }: Schedule): void {
  if (cron === null) return;
  checkTimeZone(timeZone);
  const fields = cron.trim().split(/\s+/).length;
  if (!cron.startsWith('@') && (fields < 5 || fields > 6)) {
    throw refusal(`cron ${JSON.stringify(cron)} has ${fields} fields; five or six (seconds first) are needed`);
  }
  let next: number | null;
  try {
    next = nextTimeMs({ cron, timeZone, everyMs, atMs }, Date.now());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refusal(`cron ${JSON.stringify(cron)} is not understood: ${why}`, error);
  }
  if (next === null) throw refusal(`cron ${JSON.stringify(cron)} is never due`);
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (error) {
    throw refusal(`timeZone ${JSON.stringify(timeZone)} is not known; write a name such as Europe/Berlin`, error);
  }
}

function refusal(message: string, cause?: unknown): PlatformError {
  return new PlatformError('MANIFEST_INVALID', `ScheduleReader.register: ${message}`, { cause });
}

function numberIn(form: RegExp, pattern: string): number | null {
  const found = form.exec(pattern)?.[1];
  return found === undefined ? null : Number(found);
}
