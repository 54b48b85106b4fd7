import type { Logger } from 'pino';
import {
  type ActiveRegistration,
  type LoadableVersion,
  matchesGlob,
  type PubSubTriggerSpec,
  type RedisAccess,
} from '#functions';
import type { Invocation, Outcome } from '#runtime';
import { capturedStreamOf } from '../consumer/stream-source.ts';
import { createSharedTokenBucket, type TokenBucket } from '../consumer/token-bucket.ts';
import type { Fleet, Permits, StreamLeases } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { CapSettings } from '../settings.ts';
import { listenerField } from './listener-field.ts';
import { createMessageLane, type MessageLane } from './message-lane.ts';
import { createMessageRunner } from './message-runner.ts';
import { createSubscriptions, type Heard, type Subscriptions } from './subscriptions.ts';
import type { Trigger } from './trigger.ts';

export interface PubSubTriggerOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Pick<Fleet, 'holdsSlot' | 'onConsumerGone'>;
  readonly permits: Permits;
  readonly leases: Pick<StreamLeases, 'holder' | 'acquire' | 'release'>;
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  readonly journal: Pick<Journal, 'count'>;
  readonly caps: Pick<CapSettings, 'deadLetters'>;
  /** Something was written to this stream (latin1). */
  readonly ring: (stream: string) => void;
  /** Leases are asked for and verified so often, ms. Default 500. */
  readonly leaseMs?: number;
  readonly log: Logger;
}

const LEASE_MS = 500;
/** A lease that was verified so long ago is verified again before messages run. */
const FRESH_LEASES = 3;
const NOTIFICATIONS = '__key';
const CLOSE_MS = 2_000;
/** Of a registration that is not in force any more; executions have their own limit. */
const LONGEST_WORK_MS = 600_000;

/**
 * Published messages as a reason for something to run. Per registration one node of the fleet listens, under a lease; when
 * it dies another one begins to. So a message runs once, or not at all: what is published while nobody listens is gone.
 */
export function createPubSubTrigger(options: PubSubTriggerOptions): Trigger {
  return new ChannelListener(options);
}

interface Kept {
  readonly id: string;
  readonly stream: string;
  readonly leaseField: string;
  readonly lane: MessageLane;
  trigger: PubSubTriggerSpec;
  verifiedAtMs: number;
}

class ChannelListener implements Trigger {
  readonly kind = 'pubsub';
  readonly #options: PubSubTriggerOptions;
  readonly #run;
  readonly #takeTokens: TokenBucket;
  readonly #subscriptions: Subscriptions;
  readonly #kept = new Map<string, Kept>();
  /** Of registrations that are not in force any more. */
  readonly #ending = new Set<Kept>();
  readonly #timer: NodeJS.Timeout;
  readonly #forgetGone: () => void;
  #looking: Promise<void> = Promise.resolve();
  /** A look that has not begun yet. */
  #nextLook: Promise<void> | null = null;
  #stopped = false;

  constructor(options: PubSubTriggerOptions) {
    const { access, keys, execute, journal, caps, log, fleet } = options;
    this.#options = options;
    this.#run = createMessageRunner({ access, keys, execute, journal, deadLetterCap: caps.deadLetters, log });
    this.#takeTokens = createSharedTokenBucket({ access, keys });
    this.#subscriptions = createSubscriptions({ access, onMessage: (heard) => this.#onMessage(heard), log });
    this.#timer = setInterval(() => this.#lookQuietly(), options.leaseMs ?? LEASE_MS);
    this.#forgetGone = fleet.onConsumerGone(() => this.#lookQuietly());
  }

  async apply(registrations: readonly ActiveRegistration[]): Promise<void> {
    if (this.#stopped) return;
    const running = new Map(registrations.filter(({ state }) => state === 'running').map((one) => [one.spec.id, one]));
    const gone = [...this.#kept.values()].filter(({ id }) => !running.has(id));
    for (const { id } of gone) this.#kept.delete(id);
    for (const active of running.values()) this.#keep(active);
    // Nothing is heard for the ones that are gone before their lease is free for others.
    try {
      await this.#subscribe();
    } finally {
      await Promise.all(gone.map((kept) => this.#letGo(kept)));
      for (const kept of gone) this.#end(kept);
    }
    await this.#abort(registrations);
    await this.#look();
  }

  async drain(deadlineMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#forgetGone();
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    if (kept.length > 0) await this.#subscribe();
    await Promise.all(kept.map((one) => this.#letGo(one)));
    await Promise.all(kept.map(({ lane }) => lane.end(deadlineMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
    await this.#subscriptions[Symbol.asyncDispose]();
  }

  /** What was taken may run to its end. */
  #end(kept: Kept): void {
    this.#ending.add(kept);
    void kept.lane.end(LONGEST_WORK_MS).finally(() => this.#ending.delete(kept));
  }

  async #abort(registrations: readonly ActiveRegistration[]): Promise<void> {
    const aborted = new Set(registrations.filter(({ abortsWork }) => abortsWork === true).map(({ spec }) => spec.id));
    const ending = [...this.#ending].filter(({ id }) => aborted.has(id));
    await Promise.all(ending.map(({ lane }) => lane.end(0)));
  }

  #keep(active: ActiveRegistration): void {
    const { id, trigger } = active.spec;
    if (trigger.kind !== 'pubsub') return;
    const known = this.#kept.get(id);
    if (known !== undefined) {
      known.lane.active = active;
      known.trigger = trigger;
      return;
    }
    const { access, keys, leases, loadable, journal, permits, ring, log } = this.#options;
    const stream = capturedStreamOf(id, { access, keys });
    const leaseField = listenerField(stream);
    const lane = createMessageLane(
      {
        ...{ access, keys, stream, leaseField, loadable, journal, permits, ring, log },
        run: this.#run,
        takeTokens: this.#takeTokens,
        holder: () => leases.holder,
        isListener: () => this.#isListener(kept),
      },
      active,
    );
    const kept: Kept = { id, stream, leaseField, lane, trigger, verifiedAtMs: Number.NEGATIVE_INFINITY };
    this.#kept.set(id, kept);
  }

  /** What was heard is written under the lease; then others may listen, while what is in work here goes on. */
  async #letGo({ id, leaseField, lane }: Kept): Promise<void> {
    const { leases, log } = this.#options;
    const wasHeld = lane.isHeld;
    await lane.close(CLOSE_MS);
    lane.isHeld = false;
    if (!wasHeld) return;
    // Without an answer from Redis the lease ends with this node.
    const ignore = (error: unknown): void => log.debug({ err: error, registration: id }, 'a lease was not given back');
    await leases.release(id, leaseField).catch(ignore);
  }

  /** One look at the leases at a time; resolves after one that began after this call, and so knows what is kept now. */
  #look(): Promise<void> {
    this.#nextLook ??= this.#looking.then(() => {
      this.#nextLook = null;
      return this.#lookAtLeases();
    });
    this.#looking = this.#nextLook.catch(() => undefined);
    return this.#nextLook;
  }

  /** What fails is made up for by the next look. */
  #lookQuietly(): void {
    this.#look().catch((error: unknown) =>
      this.#options.log.warn({ err: error }, 'channels could not be looked after'),
    );
  }

  async #lookAtLeases(): Promise<void> {
    if (this.#stopped) return;
    const changed = await Promise.all([...this.#kept.values()].map((kept) => this.#verify(kept)));
    if (changed.some(Boolean) || !this.#subscriptions.isInForce) await this.#subscribe();
  }

  /** True when that has changed who listens. */
  async #verify(kept: Kept): Promise<boolean> {
    const { lane } = kept;
    const wasHeld = lane.isHeld;
    const askedMs = performance.now();
    const isHeld = await this.#options.leases.acquire(kept.id, kept.leaseField);
    if (this.#kept.get(kept.id) !== kept) return false;
    lane.isHeld = isHeld;
    if (isHeld) kept.verifiedAtMs = askedMs;
    return isHeld !== wasHeld;
  }

  /** Another node may have taken the lease while this one could not be heard. */
  async #isListener(kept: Kept): Promise<boolean> {
    const { fleet, leaseMs = LEASE_MS } = this.#options;
    if (!kept.lane.isHeld) return false;
    const isFresh = performance.now() - kept.verifiedAtMs < leaseMs * FRESH_LEASES;
    if (fleet.holdsSlot() && isFresh) return true;
    if (await this.#verify(kept)) await this.#subscribe();
    return kept.lane.isHeld;
  }

  #subscribe(): Promise<void> {
    const wanted = { channels: new Set<string>(), patterns: new Set<string>(), sharded: new Set<string>() };
    for (const { lane, trigger } of this.#kept.values()) {
      if (!lane.isHeld) continue;
      for (const name of trigger.channels) (trigger.sharded ? wanted.sharded : wanted.channels).add(name);
      for (const name of trigger.patterns) wanted.patterns.add(name);
    }
    return this.#subscriptions.set(wanted);
  }

  #onMessage(heard: Heard): void {
    if (this.#isOurs(heard)) return;
    const heardAtMs = Date.now();
    for (const { lane, trigger } of this.#kept.values()) {
      if (!lane.isHeld || !wants(trigger, heard)) continue;
      const pattern = heard.kind === 'pattern' ? Buffer.from(heard.source).toString('latin1') : '';
      lane.take({ channel: heard.channel, pattern, message: heard.message, heardAtMs });
    }
  }

  /** The platform's own channels and notifications of its own keys are nobody's business, or a loop. */
  #isOurs({ source, channel, message }: Heard): boolean {
    const { prefix } = this.#options.keys;
    if (channel.startsWith(prefix)) return true;
    if (!channel.startsWith(NOTIFICATIONS)) return false;
    if (!source.startsWith(NOTIFICATIONS)) return true;
    return message.startsWith(prefix) || channel.includes(`__:${prefix}`);
  }
}

/** A message that several channels and patterns of a registration match runs once: for the first of them, channels first. */
function wants({ channels, patterns, sharded }: PubSubTriggerSpec, { kind, source, channel }: Heard): boolean {
  if (kind !== 'pattern') return sharded === (kind === 'sharded') && channels.includes(source);
  const at = patterns.indexOf(source);
  if (at < 0) return false;
  const name = Buffer.from(channel, 'latin1').toString();
  return !channels.includes(name) && !patterns.slice(0, at).some((earlier) => matchesGlob(earlier, name));
}
