import { createHash } from 'node:crypto';
import { type JobSchedulerJson, Queue, type RepeatOptions, Worker } from 'bullmq';
import type { Logger } from 'pino';
import type { RedisAccess, Schedule } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { FleetSettings } from '../settings.ts';
import { createErrorThrottle } from './error-throttle.ts';
import { backoffMs, EVENT_STREAM, SCHEDULE_JOB, workerTimes } from './job-settings.ts';
import { nextTimeOfPattern, patternOf } from './schedule-times.ts';

/** A schedule has come due. */
export interface Ring {
  readonly registrationId: string;
  /** When it was due, ms since the epoch. */
  readonly atMs: number;
}

/**
 * The fleet's clock: BullMQ job schedulers. Rings on one node for each due time; a ring whose node dies, or whose handler
 * is rejected, comes again on any node. It may come twice and it may come late: whoever hears it looks for himself what is
 * due and what has been done. Connects when the first schedule is set.
 */
export interface ScheduleClock extends AsyncDisposable {
  /** Called for rings on this node. */
  onRing(handler: (ring: Ring) => Promise<void>): void;
  /** Setting what is set already changes nothing. */
  set(registrationId: string, schedule: Schedule): Promise<void>;
  remove(registrationId: string): Promise<void>;
  /** Registrations it rings for; none before the first `set`. */
  known(): Promise<readonly string[]>;
  /** Rings no more on this node; waits for handlers at most so long. */
  drain(deadlineMs: number): Promise<void>;
}

export interface ScheduleClockOptions {
  readonly access: Pick<RedisAccess, 'openQueueClient'>;
  readonly keys: Pick<SchedulerKeys, 'queuePrefix'>;
  readonly settings: FleetSettings;
  readonly log: Logger;
}

interface Works {
  readonly client: ReturnType<RedisAccess['openQueueClient']>;
  readonly queue: Queue<RingData>;
  readonly worker: Worker<RingData>;
}

interface RingData {
  readonly registrationId: string;
}

const NAME = 'schedules';
const CONCURRENCY = 16;
/** A next time that lies so far back has lost its job. */
const LOST_AFTER_MS = 10_000;
const CLOSE_DEADLINE_MS = 1_000;
/** Handlers run a script or two; what takes longer is a connection that does not come to its end. */
const LONGEST_DRAIN_MS = 2_000;
/** Of setting a schedule while other nodes set it. */
const MOST_TRIES = 5;

export function createScheduleClock(options: ScheduleClockOptions): ScheduleClock {
  return new BullClock(options);
}

class BullClock implements ScheduleClock {
  readonly #options: ScheduleClockOptions;
  readonly #onError: (error: unknown) => void;
  #handler: (ring: Ring) => Promise<void> = () => Promise.resolve();
  #works: Works | null = null;
  #pausing: Promise<void> | null = null;
  /** Nothing is fetched any more, and no ring is being handled. */
  #isAtRest = false;
  #closed = false;

  constructor(options: ScheduleClockOptions) {
    this.#options = options;
    this.#onError = createErrorThrottle(options.log, 'the clock of schedules has trouble');
  }

  onRing(handler: (ring: Ring) => Promise<void>): void {
    this.#handler = handler;
  }

  async set(registrationId: string, schedule: Schedule): Promise<void> {
    if (this.#closed) return;
    const { queue } = this.#open();
    const id = schedulerId(registrationId);
    const pattern = patternOf(schedule);
    const template = { name: NAME, data: { registrationId }, opts: SCHEDULE_JOB };
    for (let tries = 1; ; tries += 1) {
      const present = await queue.getJobScheduler(id);
      if (present !== undefined && isInForce(present, pattern)) return;
      try {
        await queue.upsertJobScheduler(id, pattern, template);
        return;
      } catch (error) {
        // Another node has set it since we looked, and the ring that we would have begun with is under way.
        if (tries === MOST_TRIES) throw error;
      }
    }
  }

  async remove(registrationId: string): Promise<void> {
    if (!this.#closed) await this.#open().queue.removeJobScheduler(schedulerId(registrationId));
  }

  async known(): Promise<readonly string[]> {
    if (this.#works === null || this.#closed) return [];
    const schedulers = await this.#works.queue.getJobSchedulers();
    return schedulers.flatMap(({ template }) => template?.data?.registrationId ?? []);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const worker = this.#works?.worker;
    if (worker === undefined) return;
    this.#pausing ??= worker.pause(false).then(() => {
      this.#isAtRest = true;
    });
    await within(this.#pausing, Math.min(deadlineMs, LONGEST_DRAIN_MS));
  }

  /** BullMQ's worker waits for its connection as long as that takes and goes on extending locks: one that is not at rest is forced. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(CLOSE_DEADLINE_MS);
    if (this.#works === null) return;
    const { client, queue, worker } = this.#works;
    const isForced = !this.#isAtRest || client.status !== 'ready';
    const closing = Promise.all([worker.close(isForced), queue.close()]);
    closing.catch(this.#onError);
    await within(closing, CLOSE_DEADLINE_MS);
    client.disconnect();
  }

  #open(): Works {
    if (this.#works !== null) return this.#works;
    const { access, keys, settings } = this.#options;
    const client = access.openQueueClient('schedules');
    client.on('error', () => {});
    client.setMaxListeners(0);
    const shared = { connection: client, prefix: keys.queuePrefix };
    const queue = new Queue<RingData>(NAME, { ...shared, streams: EVENT_STREAM, settings: { repeatStrategy } });
    const worker = new Worker<RingData>(NAME, (job) => this.#handler(ringOf(job.data, job.opts.prevMillis)), {
      ...shared,
      concurrency: CONCURRENCY,
      settings: { repeatStrategy, backoffStrategy: backoffMs },
      ...workerTimes(settings),
    });
    queue.on('error', this.#onError);
    worker.on('error', this.#onError);
    this.#works = { client, queue, worker };
    return this.#works;
  }
}

/** BullMQ takes no colons in ids of its own making lightly; a registration's id may be any text. */
function schedulerId(registrationId: string): string {
  return `s${createHash('sha256').update(registrationId).digest('hex').slice(0, 40)}`;
}

function repeatStrategy(afterMs: number, { pattern = '', tz = 'UTC' }: RepeatOptions): number | undefined {
  return nextTimeOfPattern({ pattern, tz }, afterMs);
}

function ringOf({ registrationId }: RingData, dueMs: number | undefined): Ring {
  return { registrationId, atMs: dueMs ?? Date.now() };
}

function isInForce(present: JobSchedulerJson<RingData>, wanted: ReturnType<typeof patternOf>): boolean {
  const isSame = present.pattern === wanted.pattern && (present.tz ?? 'UTC') === wanted.tz;
  return isSame && (present.next ?? 0) > Date.now() - LOST_AFTER_MS;
}

/** Waits for the promise, but not longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise.catch(() => {}), late]);
  clearTimeout(timer);
}
