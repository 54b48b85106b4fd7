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
  /** Counts what is left in the queue of lanes that may not read on. */
  refresh(lane: Lane): Promise<void>;
  /** So much of the lane is queued that it soon cannot be read on: worth a `refresh`. */
  isFull(lane: Lane): boolean;
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
  const { calls, claimer, node, signal, log } = options;
  let lastRound = 0;

  /** The queue takes a job with the ids and round of a former one for the same: this one must never have been. */
  function newRound(): number {
    lastRound = Math.max(lastRound + 1, Date.now());
    return lastRound;
  }

  async function add(jobs: readonly QueuedEntries[]): Promise<void> {
    for (;;) {
      try {
        return await options.addJobs(jobs);
      } catch (error) {
        log.warn({ err: error, jobs: jobs.length }, 'jobs could not be queued; trying again');
        await pause(FAILED_PAUSE_MS, signal);
      }
    }
  }

  return {
    enqueue(lane, ids) {
      if (ids.length === 0) return;
      lane.queued += ids.length;
      add(jobsOf(lane, ids, { round: newRound(), readBy: node.consumer() })).catch((error: unknown) =>
        log.debug({ err: error }, 'jobs were given up at the end'),
      );
    },
    async runJob(lane, job) {
      const self = node.consumer();
      const owner = modeOf(lane) === 'async' ? workName(self) : self;
      const ids = await unknownIds(lane, job.ids);
      const batch = await claimer.claim({ lane, ids, owner, from: [job.readBy], origin: 'queue', counts: false });
      const running = batch === null ? null : options.offer(lane, batch);
      if (owner !== self) await running;
    },
    async findLost(lane) {
      const consumer = node.consumer();
      const minIdleMs = options.queueVisibilityMs;
      const rows = await claimer.pending({ lane, consumer, after: '', count: PAGE, minIdleMs });
      const ids = await unknownIds(
        lane,
        rows.map(({ id }) => id),
      );
      // The same for every look within one period: looking twice adds nothing.
      const round = Math.floor(Date.now() / minIdleMs);
      if (ids.length > 0) await add(jobsOf(lane, ids, { round, readBy: consumer }));
    },
    isFull: (lane) => lane.queued > 0 && lane.queued >= queueWindowOf(lane.registration) / 2,
    async refresh(lane) {
      lane.queued = await pendingOf(calls, lane, node.consumer());
      options.onRoom(lane);
    },
  };
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
