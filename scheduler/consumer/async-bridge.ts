import type { ClaimedBatch } from './batch.ts';
import type { Claimer } from './claimer.ts';
import type { ConsumerLog, NodeIdentity, QueuedEntries } from './contracts.ts';
import { type Lane, modeOf, unknownIds, workName } from './lane.ts';
import { queueWindowOf } from './reads.ts';
import { pause, type RedisCalls } from './redis-calls.ts';

/** Mode `async`: between the lanes and the queue of the fleet. */
export interface AsyncBridge {
  /** Makes jobs of entries that are pending under this node's reader name; new ones, however often there were some. */
  enqueue(lane: Lane, ids: readonly string[]): void;
  /**
   * Runs what is still to be run of a job. Resolves when that is over; of a registration that has left the queue at once: its entries
   * may wait long, and not in a place of the queue's workers.
   */
  runJob(lane: Lane, job: QueuedEntries): Promise<void>;
  /** Makes jobs again of entries that no job has taken up for too long; to be called now and then. */
  findLost(lane: Lane): Promise<void>;
  /** Counts what is left in the queue of lanes of which so much is queued that they soon cannot be read on; to be called often. */
  refresh(): Promise<void>;
}

export interface AsyncBridgeOptions {
  readonly calls: RedisCalls;
  readonly claimer: Claimer;
  readonly node: NodeIdentity;
  readonly addJobs: (jobs: readonly QueuedEntries[]) => Promise<void>;
  readonly offer: (lane: Lane, batch: ClaimedBatch) => Promise<void>;
  readonly queueVisibilityMs: number;
  /** The lane may read on. */
  readonly onRoom: (lane: Lane) => void;
  readonly signal: AbortSignal;
  readonly log: ConsumerLog;
}

/** A job is worth its own cost when it carries about so many entries. */
const ENTRIES_PER_JOB = 100;
const FAILED_PAUSE_MS = 250;
const PAGE = 1_000;

export function createAsyncBridge(options: AsyncBridgeOptions): AsyncBridge {
  return new QueueBridge(options);
}

class QueueBridge implements AsyncBridge {
  readonly #options: AsyncBridgeOptions;
  /** Lanes that soon cannot be read on. */
  readonly #full = new Set<Lane>();
  #lastRound = 0;

  constructor(options: AsyncBridgeOptions) {
    this.#options = options;
  }

  enqueue(lane: Lane, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const { node, log } = this.#options;
    lane.queued += ids.length;
    if (isFull(lane)) this.#full.add(lane);
    this.#add(jobsOf(lane, ids, { round: this.#newRound(), readBy: node.consumer() })).catch((error: unknown) =>
      log.debug({ err: error }, 'jobs were given up at the end'),
    );
  }

  async runJob(lane: Lane, job: QueuedEntries): Promise<void> {
    const { node, claimer, offer } = this.#options;
    const self = node.consumer();
    const owner = modeOf(lane) === 'async' ? workName(self) : self;
    const ids = await unknownIds(lane, job.ids);
    const batch = await claimer.claim({ lane, ids, owner, from: [job.readBy], origin: 'queue', counts: false });
    const running = batch === null ? null : offer(lane, batch);
    if (owner !== self) await running;
  }

  async findLost(lane: Lane): Promise<void> {
    const { node, claimer, queueVisibilityMs } = this.#options;
    const consumer = node.consumer();
    const query = { lane, consumer, after: '', count: PAGE, minIdleMs: queueVisibilityMs };
    const pending = (await claimer.pending(query)).map(({ id }) => id);
    const ids = await unknownIds(lane, pending);
    // The same for every look within one period: looking twice adds nothing.
    const round = Math.floor(Date.now() / queueVisibilityMs);
    if (ids.length > 0) await this.#add(jobsOf(lane, ids, { round, readBy: consumer }));
  }

  async refresh(): Promise<void> {
    for (const lane of this.#full) {
      if (lane.state === 'ready' && lane.registration.running) await this.#count(lane);
      if (!isFull(lane) || lane.state === 'closed') this.#full.delete(lane);
    }
  }

  async #count(lane: Lane): Promise<void> {
    const { calls, node, onRoom } = this.#options;
    lane.queued = await pendingOf(calls, lane, node.consumer());
    onRoom(lane);
  }

  /** The queue takes a job with the ids and round of a former one for the same: this one must never have been. */
  #newRound(): number {
    this.#lastRound = Math.max(this.#lastRound + 1, Date.now());
    return this.#lastRound;
  }

  async #add(jobs: readonly QueuedEntries[]): Promise<void> {
    const { addJobs, log, signal } = this.#options;
    for (;;) {
      try {
        return await addJobs(jobs);
      } catch (error) {
        log.warn({ err: error, jobs: jobs.length }, 'jobs could not be queued; trying again');
        await pause(FAILED_PAUSE_MS, signal);
      }
    }
  }
}

function isFull(lane: Lane): boolean {
  return lane.queued > 0 && lane.queued >= queueWindowOf(lane.registration) / 2;
}

async function pendingOf(calls: RedisCalls, lane: Lane, consumer: string): Promise<number> {
  const summary = (await calls.call(['XPENDING', lane.stream, lane.registration.group])) as [
    number,
    string | null,
    string | null,
    [string, string][] | null,
  ];
  const own = (summary[3] ?? []).find(([name]) => name === consumer);
  return Number(own?.[1] ?? 0);
}

function jobsOf(
  lane: Lane,
  ids: readonly string[],
  by: Pick<QueuedEntries, 'round' | 'readBy'>,
): readonly QueuedEntries[] {
  const { batch } = lane.registration.trigger;
  const size = batch * Math.max(1, Math.floor(ENTRIES_PER_JOB / batch));
  const common = { kind: 'entries', registrationId: lane.registration.id, stream: lane.stream, ...by } as const;
  const jobs: QueuedEntries[] = [];
  for (let at = 0; at < ids.length; at += size) jobs.push({ ...common, ids: ids.slice(at, at + size) });
  return jobs;
}
