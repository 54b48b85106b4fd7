import { compareEntryIds, decodeReply, defineScript } from '#functions';
import type { ClaimedBatch } from './batch.ts';
import type { Claimer } from './claimer.ts';
import type { NodeIdentity, QueuedEntries } from './contracts.ts';
import { knownIds, type Lane, modeOf, nodeNameOf, workName } from './lane.ts';
import { pause, type RedisCalls } from './redis-calls.ts';
import { capOf } from './registration.ts';

const DROP_CONSUMER = defineScript('drop-consumer', new URL('./scripts/drop-consumer.lua', import.meta.url));

export interface Recovery {
  /**
   * Takes up what is pending in a lane that is being opened: this node's own entries nobody here knows of, and those of
   * consumers without a living owner. In mode `sync` all of it in the order of the stream.
   * @param first true when the entries were delivered to a former life of this node: running them again is an attempt.
   */
  recoverLane(lane: Lane, first: boolean): Promise<void>;
  /** Takes a dead consumer's entries of one lane over; the consumer is deleted when nothing is left. Returns what is left. */
  takeOver(lane: Lane, consumer: string): Promise<number>;
}

export interface RecoveryOptions {
  readonly calls: RedisCalls;
  readonly claimer: Claimer;
  readonly node: NodeIdentity;
  /** Runs claimed entries (`Dispatcher.offerClaimed`). */
  readonly offer: (lane: Lane, batch: ClaimedBatch) => Promise<void>;
  /** Mode `async`: makes jobs of entries that are pending under this node's reader name. */
  readonly enqueueAgain: (lane: Lane, ids: readonly string[], round: number) => void;
  readonly signal: AbortSignal;
}

const PAGE = 1_000;
/** Entries touched less long ago may belong to a node that has just come back under this name. */
const TAKEOVER_IDLE_MS = 1_000;
const ROOM_POLL_MS = 5;

export function createRecovery(options: RecoveryOptions): Recovery {
  const { calls, claimer, node, signal } = options;

  async function roomIn(lane: Lane, entries: number): Promise<void> {
    const { registration } = lane;
    while (registration.running && registration.load > 0 && registration.load + entries > capOf(registration)) {
      await pause(ROOM_POLL_MS, signal);
    }
  }

  /** Every page of a consumer's pending entries that nobody here knows of. */
  async function* pages(lane: Lane, consumer: string, minIdleMs: number): AsyncGenerator<readonly string[]> {
    const count = Math.min(PAGE, capOf(lane.registration));
    for (let after = ''; lane.registration.running; ) {
      const rows = await claimer.pending({ lane, consumer, after, count, minIdleMs });
      if (rows.length === 0) return;
      after = (rows.at(-1) as { id: string }).id;
      const known = knownIds(lane);
      const ids = rows.map(({ id }) => id).filter((id) => !known.has(id));
      if (ids.length > 0) yield ids;
      if (rows.length < count) return;
    }
  }

  async function takeConsumer(lane: Lane, consumer: string, counts: boolean): Promise<void> {
    const self = node.consumer();
    const own = nodeNameOf(consumer) === self;
    const queued = modeOf(lane) === 'async' && nodeNameOf(consumer) === consumer;
    const owner = modeOf(lane) === 'async' && !queued ? workName(self) : self;
    const minIdleMs = own ? 0 : TAKEOVER_IDLE_MS;
    const origin = own ? 'own-pending' : 'takeover';
    for await (const ids of pages(lane, consumer, minIdleMs)) {
      if (queued && own) {
        options.enqueueAgain(lane, ids, 1);
        continue;
      }
      await roomIn(lane, ids.length);
      const batch = await claimer.claim({
        lane,
        ids,
        owner,
        from: [consumer],
        origin,
        counts: counts && !queued,
        minIdleMs,
      });
      if (batch === null) continue;
      // Not before the claim has let go of the ids: a job may be back at once.
      if (queued) setImmediate(() => options.enqueueAgain(lane, batch.ids, 1));
      else void options.offer(lane, batch);
    }
  }

  /** Consumers of the group with something pending that is this node's business. */
  async function mine(lane: Lane): Promise<string[]> {
    const summary = (await calls.call(['XPENDING', lane.stream, lane.registration.group])) as [
      number,
      string | null,
      string | null,
      [string, string][] | null,
    ];
    const names = (summary[3] ?? []).map(([name]) => name);
    const self = node.consumer();
    return names.filter((name) => nodeNameOf(name) === self || !node.isAlive(nodeNameOf(name)));
  }

  /** Strict order: all ids first, then the entries page by page, oldest first. */
  async function recoverInOrder(lane: Lane, consumers: readonly string[], counts: boolean): Promise<void> {
    const ids: string[] = [];
    for (const consumer of consumers) for await (const page of pages(lane, consumer, 0)) ids.push(...page);
    ids.sort(compareEntryIds);
    const owner = node.consumer();
    for (let at = 0; at < ids.length; at += PAGE) {
      while (lane.registration.running && lane.backlog.length > 1) await pause(ROOM_POLL_MS, signal);
      if (!lane.registration.running || !lane.holdsLease) return;
      const page = ids.slice(at, at + PAGE);
      // Taken two at a time: the script knows two former owners, and one of them is nearly always enough.
      for (let from = 0; from < consumers.length; from += 2) {
        const left = from === 0 ? page : page.filter((id) => !knownIds(lane).has(id));
        const names = consumers.slice(from, from + 2);
        const batch = await claimer.claim({ lane, ids: left, owner, from: names, origin: 'own-pending', counts });
        if (batch !== null) void options.offer(lane, batch);
      }
    }
  }

  return {
    async recoverLane(lane, first) {
      const consumers = await mine(lane);
      if (consumers.length === 0) return;
      if (modeOf(lane) === 'sync') await recoverInOrder(lane, consumers, first);
      else
        for (const consumer of consumers)
          await takeConsumer(lane, consumer, first || nodeNameOf(consumer) !== node.consumer());
    },
    async takeOver(lane, consumer) {
      let left = 0;
      for (const name of [consumer, workName(consumer)]) {
        if (node.isAlive(consumer) || !lane.registration.running) return 1;
        // In mode sync a lane is opened by whoever gets its lease, which takes everything in order.
        if (modeOf(lane) !== 'sync') await takeConsumer(lane, name, true);
        left += await dropConsumer(lane, name);
      }
      return left;
    },
  };

  async function dropConsumer(lane: Lane, name: string): Promise<number> {
    const reply = await calls.script(DROP_CONSUMER, [lane.stream], [lane.registration.group, name]);
    return Number(decodeReply(reply));
  }
}

export type { QueuedEntries };
