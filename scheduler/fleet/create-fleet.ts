import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { defineScript, PlatformError, type RedisAccess } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { FleetSettings } from '../settings.ts';
import { type FleetClock, SYSTEM_CLOCK } from './clock.ts';
import { createContact } from './contact.ts';
import type { Fleet, NodeRecord } from './fleet.ts';
import { EMPTY_VIEW, type FleetView, parseView, slotOf } from './fleet-view.ts';
import { createListeners } from './listeners.ts';
import { openNews } from './news.ts';
import { type Beat, startPulse } from './pulse.ts';
import { withSilenceWatch } from './silence-watch.ts';
import { createSlotLease, slotPrefix } from './slot-lease.ts';

export interface FleetOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly nodeId: string;
  readonly settings: FleetSettings;
  readonly log: Logger;
  /** Default: the system's. */
  readonly clock?: FleetClock;
}

/** `member`: has a slot. `lost`: another node has it. `left`: closed. */
type Phase = 'member' | 'lost' | 'left';

/** How long closing waits for Redis before it leaves without a word: the heartbeat then expires by itself. */
const LEAVE_DEADLINE_MS = 1_000;
const SHORTEST_PAUSE_MS = 10;
/** Between two looks at the other nodes' revisions, should the news be lost. */
const REVISION_POLL_MS = 100;

/** Joins the fleet: leases a slot and keeps its heartbeat going. Waits until Redis answers. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = new NodeFleet(options);
  try {
    await fleet.join();
    return fleet;
  } catch (error) {
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
}

class NodeFleet implements Fleet {
  readonly #options: FleetOptions;
  readonly #heart;
  readonly #lease;
  readonly #contact;
  readonly #news;
  readonly #slotLost = createListeners<void>();
  readonly #consumerGone = createListeners<string>();
  readonly #listScript = defineScript('list-slots', new URL('./scripts/list-slots.lua', import.meta.url));
  readonly #forgetScript = defineScript('forget-slot', new URL('./scripts/forget-slot.lua', import.meta.url));
  readonly #startedAtMs = Date.now();
  #phase: Phase = 'member';
  #pulse: ReturnType<typeof startPulse> | undefined;
  #view: FleetView = EMPTY_VIEW;
  #revision = 0;
  #failing = false;

  constructor(options: FleetOptions) {
    const { access, keys, settings } = options;
    const clock = options.clock ?? SYSTEM_CLOCK;
    this.#options = options;
    this.#heart = access.openQueueClient('heartbeat');
    this.#heart.on('error', () => {});
    this.#lease = createSlotLease({ client: this.#heart, keys, lifeMs: settings.heartbeatTimeoutMs, clock });
    const gapMs = Math.max(2 * settings.heartbeatMs, settings.heartbeatTimeoutMs / 2);
    this.#contact = createContact({ clock, gapMs, graceMs: settings.heartbeatTimeoutMs });
    this.#news = openNews(access, keys);
  }

  async join(): Promise<void> {
    await this.#lease.take(this.#facts());
    this.#pulse = startPulse(() => this.#beat());
    this.#news.onNews(
      () => this.#lease.token,
      () => void this.#pulse?.beatNow(),
    );
    await this.#pulse.beatNow();
    this.#tell('joined');
  }

  get self(): Fleet['self'] {
    const { slot, token } = this.#lease;
    return { nodeId: this.#options.nodeId, slot, consumer: `n${slot}`, token };
  }

  holdsSlot(): boolean {
    return this.#phase === 'member' && this.#lease.holds();
  }

  onSlotLost(listener: () => void): () => void {
    return this.#slotLost.add(listener);
  }

  onConsumerGone(listener: (consumer: string) => void): () => void {
    return this.#consumerGone.add(listener);
  }

  async rejoin(): Promise<void> {
    if (this.#phase !== 'lost') return;
    await this.#lease.take(this.#facts());
    this.#phase = 'member';
    this.#options.log.info({ consumer: this.self.consumer }, 'leased a new slot');
    await this.refresh();
    this.#tell('joined');
  }

  async refresh(): Promise<void> {
    await this.#pulse?.beatNow();
  }

  async nodes(): Promise<readonly NodeRecord[]> {
    const { access, keys } = this.#options;
    const reply = await this.#listScript.run(access.client, [keys.slots], [slotPrefix(keys)]);
    return recordsOf(parseView(reply as unknown[]));
  }

  consumers(): readonly string[] {
    return recordsOf(this.#view).map((record) => record.consumer);
  }

  isAlive(consumer: string, token?: string): boolean {
    const node = this.#view.live.get(consumer);
    if (node) return token === undefined || token === node.token;
    return this.#view.absent.has(consumer) && this.#contact.graceMs() > 0;
  }

  async forget(consumer: string): Promise<void> {
    const slot = slotOf(consumer);
    if (slot === null) return;
    const { access, keys } = this.#options;
    await this.#forgetScript.run(access.client, [keys.slots, keys.slot(slot)], [slot]);
    await this.refresh();
  }

  async reportRevision(revision: number): Promise<void> {
    this.#revision = revision;
    await this.refresh();
    this.#tell('revision');
  }

  async waitForRevision(revision: number, deadlineMs: number): Promise<readonly string[]> {
    const deadline = performance.now() + deadlineMs;
    let known = recordsOf(this.#view);
    for (;;) {
      const remainingMs = Math.max(0, deadline - performance.now());
      const news = this.#news.next(Math.min(remainingMs, REVISION_POLL_MS));
      known = (await within(this.nodes(), remainingMs)) ?? known;
      const behind = known.filter((record) => record.revision < revision).map((record) => record.nodeId);
      if (behind.length === 0 || performance.now() >= deadline) return behind;
      await news;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === 'left') return;
    const wasMember = this.#phase === 'member';
    this.#phase = 'left';
    const stopped = this.#pulse?.stop();
    if (wasMember) await within(this.#leave(), LEAVE_DEADLINE_MS);
    this.#heart.disconnect();
    this.#news.close();
    // A beat whose connection was renewed at the same time may never hear of its reply.
    if (stopped !== undefined) await within(stopped, LEAVE_DEADLINE_MS);
  }

  async #leave(): Promise<void> {
    try {
      await this.#lease.leave();
      await this.#news.tell(this.#lease.token, 'left');
    } catch (error) {
      this.#options.log.warn({ err: error }, 'could not give the slot up; its heartbeat expires by itself');
    }
  }

  async #beat(): Promise<Beat> {
    const { heartbeatMs, heartbeatTimeoutMs } = this.#options.settings;
    if (this.#phase !== 'member') return { done: true, pauseMs: heartbeatMs };
    const startedMs = performance.now();
    try {
      const renewing = this.#lease.renew(this.#facts());
      const { renewal, view } = await withSilenceWatch(this.#heart, renewing, heartbeatTimeoutMs);
      this.#failing = false;
      this.#view = view;
      this.#contact.touch();
      if (renewal === 'lost') return this.#lose();
      if (renewal === 'taken-again') this.#options.log.warn('the heartbeat had expired; took the same slot again');
      this.#reportGone();
      const takenMs = performance.now() - startedMs;
      return { done: true, pauseMs: Math.max(SHORTEST_PAUSE_MS, this.#nextBeatMs(view) - takenMs) };
    } catch (error) {
      if (!this.#failing && !this.#isClosed()) this.#options.log.warn({ err: error }, 'heartbeat failed; trying again');
      this.#failing = true;
      return { done: false, pauseMs: Math.min(heartbeatMs, 250) };
    }
  }

  /** A dead node is noticed when its heartbeat expires, not only at the next regular beat. */
  #nextBeatMs(view: FleetView): number {
    const graceMs = view.absent.size > 0 ? this.#contact.graceMs() : 0;
    const soonestMs = Math.min(view.nextExpiryMs, graceMs > 0 ? graceMs : Number.POSITIVE_INFINITY);
    return Math.min(this.#options.settings.heartbeatMs, soonestMs + 2);
  }

  #lose(): Beat {
    if (!this.#isClosed()) {
      this.#phase = 'lost';
      const text = `another node leased slot ${this.self.slot} while this one could not be heard`;
      const err = new PlatformError<SchedulerErrorCode>('SLOT_LOST', text, { retryable: true });
      this.#options.log.error({ err, consumer: this.self.consumer }, 'slot lost');
      this.#slotLost.call();
    }
    return { done: true, pauseMs: this.#options.settings.heartbeatMs };
  }

  #reportGone(): void {
    if (this.#contact.graceMs() > 0 || !this.holdsSlot()) return;
    for (const consumer of this.#view.absent) this.#consumerGone.call(consumer);
  }

  #tell(what: string): void {
    this.#news.tell(this.#lease.token, what).catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'fleet news not published');
    });
  }

  #isClosed(): boolean {
    return this.#phase === 'left';
  }

  #facts() {
    return {
      nodeId: this.#options.nodeId,
      host: hostname(),
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      revision: this.#revision,
    };
  }
}

function recordsOf(view: FleetView): readonly NodeRecord[] {
  return [...view.live.values()].map((node) => node.record).sort((a, b) => a.slot - b.slot);
}

/** The promise's value, or undefined when it takes longer; what it does later is of no interest. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
