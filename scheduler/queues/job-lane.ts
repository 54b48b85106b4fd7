import { type Job, type JobsOptions, Queue, WaitingError, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { FleetSettings } from '../settings.ts';
import { createErrorThrottle } from './error-throttle.ts';
import { backoffMs, EVENT_STREAM, workerTimes } from './job-settings.ts';

/** One BullMQ queue with this node's worker on it. */
export interface JobLane<Data> extends AsyncDisposable {
  add(jobs: readonly { readonly id: string; readonly data: Data }[]): Promise<void>;
  /** Takes a job back that nobody works on yet. */
  remove(id: string): Promise<void>;
  /** Begins to take jobs. A rejected promise makes the job come again, on any node. */
  work(handler: (job: LaneJob<Data>, signal: AbortSignal) => Promise<void>): void;
  /** Takes no more jobs; after `deadlineMs` the signals of those in work are aborted. */
  drain(deadlineMs: number): Promise<void>;
}

export interface LaneJob<Data> {
  readonly data: Data;
  /** 1 for the first start; more when it was given back, or its node died. */
  readonly starts: number;
  /** True when a rejection now means that the job is given up. */
  readonly isLastAttempt: boolean;
}

export interface JobLaneOptions {
  readonly name: string;
  readonly prefix: string;
  /** Shared; the caller closes it. */
  readonly client: Redis | Cluster;
  readonly settings: FleetSettings;
  readonly concurrency: number;
  readonly jobOptions: JobsOptions;
  readonly log: Logger;
}

/** After their signals were aborted handlers have so long to come back before their locks are left to expire. */
const ABORT_GRACE_MS = 1_000;
const CLOSE_DEADLINE_MS = 1_000;

export function createJobLane<Data>(options: JobLaneOptions): JobLane<Data> {
  return new BullLane(options);
}

class BullLane<Data> implements JobLane<Data> {
  readonly #options: JobLaneOptions;
  readonly #queue: Queue<Data, void, string, Data, void, string>;
  readonly #onError: (error: unknown) => void;
  readonly #active = new Set<Promise<void>>();
  #worker: Worker<Data, void, string> | undefined;
  #draining = false;

  constructor(options: JobLaneOptions) {
    this.#options = options;
    this.#onError = createErrorThrottle(options.log, `queue ${options.name} has trouble`);
    this.#queue = new Queue(options.name, {
      connection: options.client,
      prefix: options.prefix,
      streams: EVENT_STREAM,
    });
    this.#queue.on('error', this.#onError);
  }

  async add(jobs: readonly { readonly id: string; readonly data: Data }[]): Promise<void> {
    const { name, jobOptions } = this.#options;
    await this.#queue.addBulk(jobs.map(({ id, data }) => ({ name, data, opts: { ...jobOptions, jobId: id } })));
  }

  async remove(id: string): Promise<void> {
    await this.#queue.remove(id);
  }

  work(handler: (job: LaneJob<Data>, signal: AbortSignal) => Promise<void>): void {
    if (this.#worker || this.#draining) return;
    const { name, client, prefix, settings, concurrency } = this.#options;
    const worker = new Worker<Data, void, string>(
      name,
      (job, token, signal) =>
        this.#run(job, token, () => handler(laneJob(job), signal ?? new AbortController().signal)),
      {
        connection: client,
        prefix,
        concurrency,
        settings: { backoffStrategy: backoffMs },
        ...workerTimes(settings),
      },
    );
    worker.on('error', this.#onError);
    // Another node may have the job by now: what we still do for it is of no use.
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id, 'lock lost');
    });
    this.#worker = worker;
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    const worker = this.#worker;
    if (!worker) return;
    await worker.pause(true);
    if (await this.#idleWithin(deadlineMs)) return;
    worker.cancelAllJobs('the node is stopping');
    await this.#idleWithin(ABORT_GRACE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
    const closing = Promise.all([this.#closeWorker(), this.#queue.close()]);
    closing.catch(this.#onError);
    await within(closing, CLOSE_DEADLINE_MS);
  }

  /** Without Redis a graceful close would wait for it; jobs still in work would be waited for too. */
  async #closeWorker(): Promise<void> {
    const graceful = this.#active.size === 0 && this.#options.client.status === 'ready';
    await this.#worker?.close(!graceful);
  }

  async #run(job: Job<Data, void, string>, token: string | undefined, work: () => Promise<void>): Promise<void> {
    if (this.#draining) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    const working = work();
    const settled = working.catch(() => {});
    this.#active.add(settled);
    try {
      await working;
    } finally {
      this.#active.delete(settled);
    }
  }

  /** True when no job is in work any more. */
  async #idleWithin(ms: number): Promise<boolean> {
    await within(Promise.all(this.#active), ms);
    return this.#active.size === 0;
  }
}

function laneJob<Data>(job: Job<Data, void, string>): LaneJob<Data> {
  return {
    data: job.data,
    starts: job.attemptsStarted,
    isLastAttempt: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
  };
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
