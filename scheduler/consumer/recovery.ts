import { compareEntryIds, decodeReply, defineScript } from '#functions';
import { type ClaimedBatch, joinBatches, pickBatch } from './batch.ts';
import type { Claimer } from './claimer.ts';
import type { NodeIdentity } from './contracts.ts';
import { type Lane, modeOf, nodeNameOf, unknownIds, workName } from './lane.ts';
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
  readonly enqueue: (lane: Lane, ids: readonly string[]) => void;
  readonly signal: AbortSignal;
}

const PAGE = 1_000;
/** Entries touched less long ago may belong to a node that has just come back under this name. */
const TAKEOVER_IDLE_MS = 1_000;
const ROOM_POLL_MS = 5;

export function createRecovery(options: RecoveryOptions): Recovery {
  return new PendingRecovery(options);
}

class PendingRecovery implements Recovery {
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  async recoverLane(lane: Lane, first: boolean): Promise<void> {
    const consumers = await this.#orphans(lane);
    if (modeOf(lane) === 'sync') return this.#recoverInOrder(lane, consumers, first);
    for (const consumer of consumers) {
      await this.#takeConsumer(lane, consumer, first || !this.#isOwn(consumer));
    }
  }

  async takeOver(lane: Lane, consumer: string): Promise<number> {
    // A registration that stands still takes everything up when its lanes are opened.
    if (!lane.registration.running) return 0;
    let left = 0;
    for (const name of [consumer, workName(consumer)]) {
      if (this.#options.node.isAlive(consumer)) return 1;
      // In mode sync a lane is opened by whoever gets its lease, which takes everything in order.
      if (modeOf(lane) !== 'sync') await this.#takeConsumer(lane, name, true);
      left += await this.#dropConsumer(lane, name);
    }
    return left;
  }

  #isOwn(consumer: string): boolean {
    return nodeNameOf(consumer) === this.#options.node.consumer();
  }

  /**
   * Names with something pending in the group that are this node's own or nobody's. In mode `sync` the lease says who runs
   * the stream: what a living node has not ended of it is taken too, or the order would be broken.
   */
  async #orphans(lane: Lane): Promise<string[]> {
    const names = await pendingConsumers(this.#options.calls, lane);
    if (modeOf(lane) === 'sync') return names;
    return names.filter((name) => this.#isOwn(name) || !this.#options.node.isAlive(nodeNameOf(name)));
  }

  async #takeConsumer(lane: Lane, consumer: string, counts: boolean): Promise<void> {
    const inQueue = modeOf(lane) === 'async' && nodeNameOf(consumer) === consumer;
    const minIdleMs = this.#isOwn(consumer) ? 0 : TAKEOVER_IDLE_MS;
    for await (const ids of this.#pages(lane, consumer, minIdleMs)) {
      if (inQueue) await this.#requeue(lane, consumer, ids);
      else await this.#takePage({ lane, consumer, ids, counts, minIdleMs });
    }
  }

  async #takePage(page: Page): Promise<void> {
    const { lane, consumer, counts, minIdleMs } = page;
    await this.#roomIn(lane, page.ids.length);
    const ids = await unknownIds(lane, page.ids);
    const self = this.#options.node.consumer();
    const owner = modeOf(lane) === 'async' ? workName(self) : self;
    const origin = this.#isOwn(consumer) ? 'own-pending' : 'takeover';
    const batch = await this.#options.claimer.claim({ lane, ids, owner, from: [consumer], origin, counts, minIdleMs });
    if (batch !== null) void this.#options.offer(lane, batch);
  }

  /** Entries that a dead node had read but perhaps not queued: they become this node's, and jobs are made of them. */
  async #requeue(lane: Lane, consumer: string, ids: readonly string[]): Promise<void> {
    if (this.#isOwn(consumer)) return this.#options.enqueue(lane, ids);
    const owner = this.#options.node.consumer();
    const minIdleMs = TAKEOVER_IDLE_MS;
    const request = { lane, ids, owner, from: [consumer], origin: 'takeover', counts: false, minIdleMs } as const;
    const batch = await this.#options.claimer.claim(request);
    // Not before the claim has let go of the ids: a job may be back at once.
    if (batch !== null) setImmediate(() => this.#options.enqueue(lane, batch.ids));
  }

  /** Strict order: all ids first, then the entries page by page, oldest first. */
  async #recoverInOrder(lane: Lane, consumers: readonly string[], counts: boolean): Promise<void> {
    const ids: string[] = [];
    for (const consumer of consumers) {
      for await (const page of this.#pages(lane, consumer, 0)) ids.push(...page);
    }
    ids.sort(compareEntryIds);
    for (let at = 0; at < ids.length && lane.holdsLease && lane.registration.running; at += PAGE) {
      while (lane.registration.running && lane.backlog.length > 1) await pause(ROOM_POLL_MS, this.#options.signal);
      await this.#takeInOrder({ lane, consumers, counts, ids: ids.slice(at, at + PAGE) });
    }
  }

  async #takeInOrder({ lane, consumers, counts, ids }: OrderedPage): Promise<void> {
    const owner = this.#options.node.consumer();
    const batches: ClaimedBatch[] = [];
    let left = ids;
    // The script knows two former owners; one of them is nearly always enough.
    for (let from = 0; from < consumers.length && left.length > 0; from += 2) {
      const names = consumers.slice(from, from + 2);
      const request = { lane, ids: left, owner, from: names, origin: 'own-pending', counts } as const;
      const batch = await this.#options.claimer.claim(request);
      if (batch === null) continue;
      batches.push(batch);
      const taken = new Set(batch.ids);
      left = left.filter((id) => !taken.has(id));
    }
    if (batches.length > 0) void this.#options.offer(lane, inOrder(joinBatches(batches)));
  }

  async #roomIn(lane: Lane, entries: number): Promise<void> {
    const { registration } = lane;
    while (registration.running && registration.load > 0 && registration.load + entries > capOf(registration)) {
      await pause(ROOM_POLL_MS, this.#options.signal);
    }
  }

  /** Every page of a consumer's pending entries that nobody here knows of. */
  async *#pages(lane: Lane, consumer: string, minIdleMs: number): AsyncGenerator<readonly string[]> {
    const count = Math.min(PAGE, capOf(lane.registration));
    for (let after = ''; lane.registration.running; ) {
      const rows = await this.#options.claimer.pending({ lane, consumer, after, count, minIdleMs });
      after = rows.at(-1)?.id ?? after;
      const ids = await unknownIds(
        lane,
        rows.map(({ id }) => id),
      );
      if (ids.length > 0) yield ids;
      if (rows.length < count) return;
    }
  }

  async #dropConsumer(lane: Lane, name: string): Promise<number> {
    const args = [lane.registration.group, name];
    return Number(decodeReply(await this.#options.calls.script(DROP_CONSUMER, [lane.stream], args)));
  }
}

interface Page {
  readonly lane: Lane;
  readonly consumer: string;
  readonly ids: readonly string[];
  readonly counts: boolean;
  readonly minIdleMs: number;
}

interface OrderedPage {
  readonly lane: Lane;
  readonly consumers: readonly string[];
  readonly ids: readonly string[];
  readonly counts: boolean;
}

function inOrder(batch: ClaimedBatch): ClaimedBatch {
  const positions = batch.ids.map((_, index) => index);
  positions.sort((a, b) => compareEntryIds(batch.ids[a] as string, batch.ids[b] as string));
  return pickBatch(batch, positions);
}

async function pendingConsumers(calls: RedisCalls, lane: Lane): Promise<string[]> {
  const summary = (await calls.call(['XPENDING', lane.stream, lane.registration.group])) as readonly unknown[];
  return ((summary[3] ?? []) as [string, string][]).map(([name]) => name);
}
