import type { Schedule } from '#functions';
import { nextTimeMs } from '../queues/schedule-times.ts';

/** How long a tick has been due that nobody has taken up, ms; 0 = none is. */
export function overdueMs(schedule: Schedule, lastMs: number, nowMs: number): number {
  const due = nextTimeMs(schedule, lastMs);
  return due === null ? 0 : Math.max(0, nowMs - due);
}
