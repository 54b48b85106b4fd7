import { createHash } from 'node:crypto';
import type { EntriesJob } from './async-queue.ts';

/** The same registration, stream, ids and round make the same id, so that adding a job again does nothing. */
export function entriesJobId(job: EntriesJob): string {
  return `e${digest(JSON.stringify([job.registrationId, job.stream, job.ids, job.round]))}`;
}

/** BullMQ allows neither numbers nor colons as ids; a call id may be any text. */
export function commandJobId(callId: string): string {
  return `c${digest(callId)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
