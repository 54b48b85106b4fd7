import type { Logger } from 'pino';
import { type ActiveRegistration, type ListTriggerSpec, latin1FromUtf8, type RedisAccess } from '#functions';
import { deliveryModeOf, inHandOf } from '../consumer/registration.ts';
import { itemStreamOf } from '../consumer/stream-source.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { SchedulerKeys } from '../keys.ts';
import { createListDoorbell, type ListDoorbell, type ListPlace } from './list-doorbell.ts';
import { createListFeed, type ListFeed } from './list-feed.ts';
import type { Trigger } from './trigger.ts';

/** Lists as work queues. */
export interface ListTrigger extends Trigger {
  readonly kind: 'list';
  /** Entries of the registration have ended: there may be room for more. */
  onSettled(registrationId: string): void;
}

export interface ListTriggerOptions {
  readonly access: Pick<RedisAccess, 'client' | 'tagOf' | 'openRaw' | 'shardOf'>;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'consumers' | 'onConsumerGone'>;
  /** Something was written to this stream (latin1). */
  readonly ringStream: (stream: string) => void;
  /** Entries of the registration that wait for a retry on this node. */
  readonly waitingOf: (registrationId: string) => number;
  readonly log: Logger;
}

/** Connections that wait for items; lists beyond that are looked at now and then. */
const MOST_DOORBELLS = 16;
const SWEEP_MS = 50;
/** Lists nobody waits for are looked at the more often the fewer there are. */
const SWEEP_MS_PER_LIST = 2;

/**
 * Items go from the list straight into a stream in the same slot, in one script: from there they have all that stream
 * entries have (claims, attempts, retries, dead letters, takeover, modes), and an item is never in two places or none.
 */
export function createListTrigger(options: ListTriggerOptions): ListTrigger {
  return new ListKeeper(options);
}

interface KeptList {
  readonly id: string;
  /** Arguments as text, to notice a change. */
  readonly text: string;
  readonly places: readonly ListPlace[];
  readonly feed: ListFeed;
  readonly doorbells: readonly ListDoorbell[];
}

class ListKeeper implements ListTrigger {
  readonly kind = 'list';
  readonly #options: ListTriggerOptions;
  readonly #forgetGone: () => void;
  readonly #sweep: NodeJS.Timeout;
  readonly #kept = new Map<string, KeptList>();
  #nextSweepMs = 0;
  #stopped = false;

  constructor(options: ListTriggerOptions) {
    this.#options = options;
    this.#forgetGone = options.fleet.onConsumerGone(() => this.#pumpAll());
    this.#sweep = setInterval(() => this.#lookAround(), SWEEP_MS);
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    if (this.#stopped) return;
    const wanted = new Map<string, ActiveRegistration>();
    for (const one of registrations) if (one.state === 'running') wanted.set(one.spec.id, one);
    const gone = [...this.#kept.values()].filter(({ id, text }) => textOf(wanted.get(id)) !== text);
    await Promise.all(gone.map((kept) => this.#stop(kept)));
    for (const [id, active] of wanted) if (!this.#kept.has(id)) this.#start(active);
  }

  onSettled(registrationId: string): void {
    const feed = this.#kept.get(registrationId)?.feed;
    if (feed?.isFull) feed.pump();
  }

  async drain(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#sweep);
    this.#forgetGone();
    await Promise.all([...this.#kept.values()].map((kept) => this.#stop(kept)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  #start(active: ActiveRegistration): void {
    const { spec } = active;
    if (spec.trigger.kind !== 'list') return;
    const { access, log, ringStream } = this.#options;
    const { id } = spec;
    const places = this.#placesOf(id, spec.trigger);
    let used = 0;
    for (const { doorbells } of this.#kept.values()) used += doorbells.length;
    const feed: ListFeed = createListFeed({
      ...{ access, places, log, registrationId: id, ring: ringStream },
      capacity: () => this.#capacityOf(active),
      onEmpty: () => {
        for (const doorbell of doorbells) doorbell.arm();
      },
    });
    const onWoken = (): void => feed.pump();
    const waited = places.length <= MOST_DOORBELLS - used ? places : [];
    const doorbells = waited.map((place) => createListDoorbell({ access, place, onWoken, log }));
    this.#kept.set(id, { id, text: textOf(active), places, feed, doorbells });
    feed.pump();
  }

  async #stop(kept: KeptList): Promise<void> {
    this.#kept.delete(kept.id);
    await Promise.all(kept.doorbells.map((doorbell) => doorbell[Symbol.asyncDispose]()));
    await kept.feed.stop().catch((error: unknown) => {
      this.#options.log.warn({ err: error, registration: kept.id }, 'items could not be put back');
    });
  }

  #placesOf(id: string, { lists, from }: ListTriggerSpec): readonly ListPlace[] {
    const { access, keys } = this.#options;
    return lists.map((name) => {
      const list = latin1FromUtf8(name);
      const inbox = keys.inbox(access.tagOf(list), latin1FromUtf8(id), list);
      return { list, inbox, items: itemStreamOf(id, name, { access, keys }), from };
    });
  }

  /** What the fleet can have in work; in mode `sync` one batch and the next. Retries do not hold up the others. */
  #capacityOf({ spec }: ActiveRegistration): number {
    const { fleet, waitingOf } = this.#options;
    if (spec.trigger.kind !== 'list') return 0;
    const { batch, maxInFlight } = spec.trigger.delivery;
    if (deliveryModeOf(spec) === 'sync') return 2 * batch;
    const most = Math.min(maxInFlight, spec.flow?.rate?.count ?? maxInFlight, inHandOf(spec, batch));
    return Math.max(1, fleet.consumers().length) * Math.max(batch, most) + waitingOf(spec.id);
  }

  #pumpAll(): void {
    for (const { feed } of this.#kept.values()) feed.pump();
  }

  #lookAround(): void {
    const nowMs = performance.now();
    if (nowMs < this.#nextSweepMs) return;
    let looked = 0;
    for (const { places, feed, doorbells } of this.#kept.values()) {
      if (doorbells.length > 0 && !feed.isFull) continue;
      looked += places.length;
      feed.pump();
    }
    this.#nextSweepMs = nowMs + looked * SWEEP_MS_PER_LIST;
  }
}

/** '' for none. */
function textOf(active: ActiveRegistration | undefined): string {
  return active === undefined ? '' : JSON.stringify([active.spec.mode, active.spec.trigger, active.spec.flow ?? null]);
}
