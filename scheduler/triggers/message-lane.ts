import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type ActiveRegistration, defineScript, type LoadableVersion, type RedisAccess } from '#functions';
import { eventFilterOf } from '../consumer/event-filter.ts';
import {
  type ExecutionShape,
  keepToTheEnd,
  type PermitNeed,
  type PermitShare,
  permitNeedOf,
  shareAsTheyEnd,
} from '../consumer/permit-share.ts';
import { deliveryModeOf } from '../consumer/registration.ts';
import type { TokenBucket } from '../consumer/token-bucket.ts';
import type { Permit, Permits } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import { type Message, type MessageRun, passes } from './message-runner.ts';

export interface MessageLaneOptions {
  readonly access: Pick<RedisAccess, 'client' | 'tagOf'>;
  readonly keys: Pick<SchedulerKeys, 'lease'>;
  /** The registration's stream, latin1. */
  readonly stream: string;
  /** Field under which the listener's lease is kept, latin1. */
  readonly leaseField: string;
  /** What the lease says while it is ours. */
  readonly holder: () => string;
  /** Makes sure that this node still is the one who listens. */
  readonly isListener: () => Promise<boolean>;
  readonly run: (run: MessageRun) => Promise<void>;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  readonly journal: Pick<Journal, 'count'>;
  readonly takeTokens: TokenBucket;
  readonly permits: Permits;
  /** Something was written to this stream (latin1). */
  readonly ring: (stream: string) => void;
  readonly log: Logger;
}

/** The messages of one registration on this node. */
export interface MessageLane {
  active: ActiveRegistration;
  /** True while this node listens for it. */
  isHeld: boolean;
  take(message: Message): void;
  /** Takes nothing any more; resolves when all that was taken is written or has begun to run, at the latest then. */
  close(deadlineMs: number): Promise<void>;
  /** Waits for what is in work, at most so long, then interrupts it. */
  end(deadlineMs: number): Promise<void>;
}

const CAPTURE = defineScript('capture-messages', new URL('./scripts/capture-messages.lua', import.meta.url));
const MOST_AT_ONCE = 1_000;
/** Messages that wait here to be written; what comes beyond is dropped, since publishers do not wait. */
const MOST_WAITING = 100_000;
/** Entries of a durable registration that nobody has processed; beyond that messages are dropped. */
const MOST_KEPT = 1_000_000;
const POLL_MS = 5;
const LAST_WORDS_MS = 500;

export function createMessageLane(options: MessageLaneOptions, active: ActiveRegistration): MessageLane {
  return new Lane(options, active);
}

class Lane implements MessageLane {
  active: ActiveRegistration;
  isHeld = false;
  readonly #options: MessageLaneOptions;
  readonly #controller = new AbortController();
  /** Who waits for a permit then gets none. */
  readonly #closing = new AbortController();
  readonly #waiting: Message[] = [];
  #inWork = 0;
  /** Taken from those that wait, and not in work yet. */
  #inHand = 0;
  #flushing = false;
  #stopped = false;

  constructor(options: MessageLaneOptions, active: ActiveRegistration) {
    this.#options = options;
    this.active = active;
  }

  take(message: Message): void {
    if (this.#stopped) return;
    if (this.#waiting.length >= this.#mostWaiting()) {
      this.#drop(1, 'more messages than can be in work (maxInFlight)');
      return;
    }
    this.#waiting.push(message);
    if (this.#flushing) return;
    this.#flushing = true;
    // Messages of one tick go together.
    setImmediate(() => void this.#flush());
  }

  async close(deadlineMs: number): Promise<void> {
    this.#stopped = true;
    this.#closing.abort();
    await until(() => !this.#flushing, deadlineMs);
  }

  async end(deadlineMs: number): Promise<void> {
    const isIdle = (): boolean => this.#inWork === 0 && !this.#flushing;
    this.#closing.abort();
    await until(isIdle, deadlineMs);
    this.#controller.abort();
    await until(isIdle, LAST_WORDS_MS);
  }

  #mostWaiting(): number {
    const { trigger } = this.active.spec;
    if (trigger.kind !== 'pubsub' || trigger.durable) return MOST_WAITING;
    return Math.max(0, trigger.delivery.maxInFlight - this.#inWork - this.#inHand);
  }

  async #flush(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const messages = this.#waiting.splice(0, MOST_AT_ONCE);
        this.#inHand = messages.length;
        await this.#handle(messages);
      }
    } catch (error) {
      const facts = { err: error, registration: this.active.spec.id };
      this.#options.log.error(facts, 'messages could not be handled');
    }
    this.#inHand = 0;
    this.#flushing = false;
  }

  async #handle(messages: readonly Message[]): Promise<void> {
    const { spec } = this.active;
    if (spec.trigger.kind === 'pubsub' && spec.trigger.durable) await this.#keep(messages);
    // Whoever listens instead has heard them as well.
    else if (!(await this.#options.isListener())) return;
    else if ((spec.flow?.concurrency ?? null) === null) await this.#run(await this.#withinRate(messages), null);
    else await this.#runPermitted(messages);
  }

  /** Messages wait here for permits; there are at most `maxInFlight` of them. */
  async #runPermitted(messages: readonly Message[]): Promise<void> {
    const filter = eventFilterOf(this.active.spec);
    const wanted = filter === null ? messages : messages.filter((message) => passes(filter, message));
    // What does not run needs no permit.
    if (filter !== null)
      await this.#run(
        messages.filter((message) => !passes(filter, message)),
        null,
      );
    for (let rest = wanted; rest.length > 0; ) {
      const { spec } = this.active;
      const need = permitNeedOf(shapeOf(this.active), rest.length);
      const permit = await this.#options.permits.take({
        registrationId: spec.id,
        limit: () => this.active.spec.flow?.concurrency ?? Number.MAX_SAFE_INTEGER,
        wanted: need.wanted,
        signal: this.#closing.signal,
      });
      if (permit === null) return this.#drop(rest.length, 'the registration or the node stopped while they waited');
      const now = rest.slice(0, need.entriesWith(permit.count));
      rest = rest.slice(now.length);
      this.#inHand = rest.length;
      await this.#startWith(permit, now, need);
    }
  }

  async #startWith(permit: Permit, messages: readonly Message[], need: PermitNeed): Promise<void> {
    try {
      const started = await this.#withinRate(messages);
      permit.release(permit.count - need.permitsFor(started.length));
      await this.#run(started, permit);
    } catch (error) {
      permit.release();
      throw error;
    }
  }

  /** Messages do not wait: what comes above the rate is dropped. */
  async #withinRate(messages: readonly Message[]): Promise<readonly Message[]> {
    const { id: registrationId, flow } = this.active.spec;
    const rate = flow?.rate ?? null;
    if (rate === null) return messages;
    const filter = eventFilterOf(this.active.spec);
    const wanted = filter === null ? messages : messages.filter((message) => passes(filter, message));
    if (wanted.length === 0) return messages;
    const { taken } = await this.#options.takeTokens({ registrationId, rate, wanted: wanted.length });
    const late = new Set(wanted.slice(taken));
    if (late.size > 0) this.#drop(late.size, 'more messages than the rate allows (rateLimit)');
    return messages.filter((message) => !late.has(message));
  }

  async #run(messages: readonly Message[], permit: Permit | null): Promise<void> {
    const { active } = this;
    if (messages.length === 0) {
      permit?.release();
      return;
    }
    this.#inWork += messages.length;
    const running = async (): Promise<void> => {
      try {
        await this.#runParts(active, messages, permit);
      } catch (error) {
        this.#options.log.error({ err: error, registration: active.spec.id }, 'messages were lost');
      } finally {
        permit?.release();
        this.#inWork -= messages.length;
      }
    };
    if (deliveryModeOf(active.spec) === 'sync') await running();
    else void running();
  }

  /** With a key all of a part may be in work at once: it is no larger than that may be. */
  async #runParts(active: ActiveRegistration, messages: readonly Message[], permit: Permit | null): Promise<void> {
    const { loadable, run, stream } = this.#options;
    const target = await loadable(active.functionName, active.version);
    const { keyed, executionSize } = shapeOf(active);
    const size = keyed ? Math.min(mostInFlight(active), target.limits.concurrency) : messages.length;
    for (let at = 0; at < messages.length; at += size) {
      const part = messages.slice(at, at + size);
      const inLine = active.spec.mode === 'sync' && !keyed;
      let share: PermitShare | null = null;
      if (permit !== null) {
        share = inLine ? keepToTheEnd(permit) : shareAsTheyEnd(permit, { entries: part.length, executionSize });
      }
      await run({ active, target, stream, messages: part, signal: this.#controller.signal, share });
    }
  }

  async #keep(messages: readonly Message[]): Promise<void> {
    const { access, keys, stream, leaseField, holder, ring } = this.#options;
    const texts = messages.flatMap(({ channel, pattern, message }) => [channel, pattern, message].map(bytes));
    const scriptKeys = [bytes(stream), keys.lease(access.tagOf(stream), this.active.spec.id)];
    const args = [bytes(leaseField), holder(), MOST_KEPT, ...texts];
    const written = Number(await CAPTURE.run(access.client, scriptKeys, args));
    if (written > 0) ring(stream);
    else if (written === -2) this.#drop(messages.length, `the stream holds ${MOST_KEPT} unprocessed messages`);
  }

  #drop(count: number, why: string): void {
    this.#options.journal.count(this.active.spec.id, { aborted: count, lastError: `messages were dropped: ${why}` });
  }
}

function shapeOf({ spec }: ActiveRegistration): ExecutionShape {
  const { flow, trigger } = spec;
  const keyed = flow?.keyed === true;
  return {
    mode: deliveryModeOf(spec),
    keyed,
    executionSize: !keyed && trigger.kind === 'pubsub' ? trigger.delivery.batch : 1,
  };
}

function mostInFlight({ spec: { trigger } }: ActiveRegistration): number {
  return trigger.kind === 'pubsub' ? trigger.delivery.maxInFlight : 1;
}

async function until(isOver: () => boolean, deadlineMs: number): Promise<void> {
  for (const endMs = performance.now() + deadlineMs; !isOver() && performance.now() < endMs; ) await sleep(POLL_MS);
}

function bytes(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}
