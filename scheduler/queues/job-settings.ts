import type { JobsOptions, QueueOptions, WorkerOptions } from 'bullmq';
import type { FleetSettings } from '../settings.ts';

/** Attempts of a job whose handler was rejected (Redis or sandbox trouble, never the function's own errors). */
export const ENTRIES_ATTEMPTS = 30;
export const COMMAND_ATTEMPTS = 4;

const BACKOFF_FIRST_MS = 100;
const BACKOFF_CEILING_MS = 5_000;

/** Back-off before attempt `attempt + 1`: doubles up to five seconds. */
export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_CEILING_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 16));
}

/** Kept for a while so that the same job added again is recognised; a later one finds nothing pending and ends at once. */
export const ENTRIES_JOB: JobsOptions = {
  attempts: ENTRIES_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 600, count: 1_000 },
  removeOnFail: { age: 86_400, count: 1_000 },
  stackTraceLimit: 5,
};

export const COMMAND_JOB: JobsOptions = {
  attempts: COMMAND_ATTEMPTS,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 600, count: 100 },
  removeOnFail: { age: 86_400, count: 1_000 },
  stackTraceLimit: 5,
};

/** A ring whose handler fails comes again within seconds; what is left undone then is found by the next one. */
export const SCHEDULE_JOB = {
  attempts: 8,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: { age: 3_600, count: 100 },
  stackTraceLimit: 5,
} satisfies JobsOptions;

/** The events of BullMQ have no reader here; its default of 10,000 per queue would only take memory. */
export const EVENT_STREAM: NonNullable<QueueOptions['streams']> = { events: { maxLen: 100 } };

/**
 * A job's lock lives as long as a node's heartbeat and is looked after as often: the jobs of a killed node start again on
 * another one about when the fleet notices its death.
 */
export function workerTimes(
  settings: FleetSettings,
): Pick<WorkerOptions, 'lockDuration' | 'lockRenewTime' | 'stalledInterval' | 'maxStalledCount' | 'runRetryDelay'> {
  return {
    lockDuration: settings.heartbeatTimeoutMs,
    lockRenewTime: Math.max(20, Math.floor(settings.heartbeatTimeoutMs / 3)),
    stalledInterval: settings.heartbeatMs,
    // How often a job may have been on a node that died; a job never kills a node, guests run in other processes.
    maxStalledCount: 1_000_000,
    runRetryDelay: 500,
  };
}
