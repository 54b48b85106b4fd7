import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { defineScript, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { FleetSettings } from '../settings.ts';
import type { AsyncQueue, AsyncQueueHandlers, CommandJob, EntriesJob } from './async-queue.ts';
import { commandJobId, entriesJobId } from './job-id.ts';
import { createJobLane, type JobLane, type LaneJob } from './job-lane.ts';
import { COMMAND_JOB, ENTRIES_JOB } from './job-settings.ts';
import { createReplyBox, encodeError, type ReplyBox } from './reply-box.ts';

export interface AsyncQueueOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  /** Heartbeat times: how soon the jobs of a killed node start again. */
  readonly settings: FleetSettings;
  /** Jobs of each kind that this node works on at once. */
  readonly concurrency: number;
  readonly log: Logger;
}

interface QueuedCommand extends CommandJob {
  /** Name of the box that the asking node reads. */
  readonly replyTo: string;
}

/** Replies that nobody fetches any more are gone after this. */
const REPLY_LIFE_MS = 300_000;

/** The fleet-wide queue. Entries and commands go through lanes of their own: a backlog of one never delays the other. */
export function createAsyncQueue(options: AsyncQueueOptions): AsyncQueue {
  return new FleetQueue(options);
}

class FleetQueue implements AsyncQueue {
  readonly #options: AsyncQueueOptions;
  readonly #client: ReturnType<RedisAccess['openQueueClient']>;
  readonly #entries: JobLane<EntriesJob>;
  readonly #commands: JobLane<QueuedCommand>;
  readonly #replyTo = randomBytes(12).toString('hex');
  readonly #replies: ReplyBox;
  readonly #answerScript = defineScript('answer-call', new URL('./scripts/answer-call.lua', import.meta.url));

  constructor(options: AsyncQueueOptions) {
    const { access, keys, settings, concurrency, log } = options;
    this.#options = options;
    this.#client = access.openQueueClient('queue');
    this.#client.on('error', () => {});
    this.#client.setMaxListeners(0);
    const shared = { prefix: keys.queuePrefix, client: this.#client, settings, concurrency, log };
    this.#entries = createJobLane({ ...shared, name: 'entries', jobOptions: ENTRIES_JOB });
    this.#commands = createJobLane({ ...shared, name: 'commands', jobOptions: COMMAND_JOB });
    this.#replies = createReplyBox(access, keys.replies(this.#replyTo));
  }

  async addEntries(jobs: readonly EntriesJob[]): Promise<void> {
    if (jobs.length > 0) await this.#entries.add(jobs.map((data) => ({ id: entriesJobId(data), data })));
  }

  async runCommand(job: CommandJob, timeoutMs: number): Promise<string> {
    const id = commandJobId(job.callId);
    const reply = this.#replies.expect(job.callId, timeoutMs);
    const added = this.#commands.add([{ id, data: { ...job, replyTo: this.#replyTo } }]);
    try {
      // Waits for both at once: while Redis is away adding takes as long as the outage, the caller's time-out does not.
      return await Promise.race([reply, added.then(() => reply)]);
    } catch (error) {
      reply.catch(() => {});
      this.#takeBack(id, added);
      throw error;
    }
  }

  start(handlers: AsyncQueueHandlers): void {
    this.#entries.work(({ data }, signal) => handlers.runEntries(data, signal));
    this.#commands.work((job, signal) => this.#runCommand(job, () => handlers.runCommand(job.data, signal)));
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([this.#entries.drain(deadlineMs), this.#commands.drain(deadlineMs)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#entries[Symbol.asyncDispose](), this.#commands[Symbol.asyncDispose]()]);
    await this.#replies[Symbol.asyncDispose]();
    this.#client.disconnect();
  }

  /** The caller has been told that its command failed: it should not run after that. */
  #takeBack(id: string, added: Promise<void>): void {
    added
      .then(() => this.#commands.remove(id))
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'could not take a command back'));
  }

  async #runCommand(job: LaneJob<QueuedCommand>, run: () => Promise<string>): Promise<void> {
    if (job.starts > 1 && (await this.#isAnswered(job.data))) return;
    try {
      await this.#write(job.data, 'reply', Buffer.from(await run(), 'latin1'));
    } catch (error) {
      if (!job.isLastAttempt) throw error;
      const known = PlatformError.from<SchedulerErrorCode>(error, 'CALL_FAILED');
      await this.#write(job.data, 'error', Buffer.from(encodeError(known)));
      throw known;
    }
  }

  /** A node can die between writing the reply and ending the job. */
  async #isAnswered(job: QueuedCommand): Promise<boolean> {
    const { access, keys } = this.#options;
    return (await access.client.exists(keys.answered(job.callId))) === 1;
  }

  async #write(job: QueuedCommand, kind: 'reply' | 'error', body: Buffer): Promise<void> {
    const { access, keys } = this.#options;
    const args = [job.callId, kind, body, REPLY_LIFE_MS];
    await this.#answerScript.run(access.client, [keys.answered(job.callId), keys.replies(job.replyTo)], args);
  }
}
