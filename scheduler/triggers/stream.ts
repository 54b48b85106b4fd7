import type { Logger } from 'pino';
import type { ActiveRegistration, LoadableVersion, RedisAccess, RegistrationState, StreamHeads } from '#functions';
import type { Invocation, Outcome } from '#runtime';
import { createConsumer } from '../consumer/consumer.ts';
import type { LaneFacts, LaneReport, WaitingRetries } from '../consumer/inspect.ts';
import type { ReaderState } from '../consumer/reader-watch.ts';
import type { EndCounts } from '../delivery.ts';
import type { Fleet, Permits, StreamLeases } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { AsyncQueue, EntriesJob } from '../queues/async-queue.ts';
import type { CapSettings, DeliverySettings } from '../settings.ts';
import type { Trigger } from './trigger.ts';

/** Streams as a reason for something to run. */
export interface StreamTrigger extends Trigger {
  readonly kind: 'stream';
  /** A write through one of our doors touched this key (latin1): no need to wait for other news of it. */
  ring(stream: string): void;
  /** Handler of the queue: claims what is still pending of the ids, runs and settles it. */
  runEntries(job: EntriesJob, signal: AbortSignal): Promise<void>;
  /** Last ids of the streams a registration has; for the registry, when it makes a route. */
  readonly heads: StreamHeads;
  /** State, lag and pending entries per registration and stream, as this node sees them. */
  inspect(): Promise<readonly LaneReport[]>;
  /** The same as far as this node knows without asking Redis. */
  facts(): readonly LaneFacts[];
  /** Whether what should be read is read on this node. */
  readers(): ReaderState;
  /** Entries of a registration that wait on this node for a retry. */
  waiting(registrationId: string): number;
  /** Of all registrations that have any. */
  retries(): readonly WaitingRetries[];
}

export interface StreamTriggerOptions {
  readonly access: RedisAccess;
  readonly fleet: Pick<Fleet, 'self' | 'holdsSlot' | 'isAlive' | 'onConsumerGone' | 'forget'>;
  readonly leases: StreamLeases;
  readonly permits: Permits;
  readonly queue: Pick<AsyncQueue, 'addEntries'>;
  readonly journal: Pick<Journal, 'count'>;
  readonly keys: SchedulerKeys;
  readonly settings: DeliverySettings;
  readonly caps: Pick<CapSettings, 'deadLetters'>;
  /** `Runtime.execute`. */
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  /** `Registry.loadable`. */
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** `Registry.setState`: a registration that stops itself has it said to every node. */
  readonly setState: (ids: readonly string[], state: RegistrationState, reason: string | null) => Promise<void>;
  /** Entries of a registration have ended on this node. */
  readonly onSettled?: (registrationId: string, ends: EndCounts) => void;
  readonly log: Logger;
}

/** Takes nothing up before the first `apply`. The caller disposes of it before the fleet and the Redis access. */
export function createStreamTrigger(options: StreamTriggerOptions): StreamTrigger {
  const { fleet, leases } = options;
  const consumer = createConsumer({
    access: options.access,
    node: {
      consumer: () => fleet.self.consumer,
      mayAct: () => fleet.holdsSlot(),
      isAlive: (name) => fleet.isAlive(name),
    },
    leases,
    permits: options.permits,
    keys: options.keys,
    settings: options.settings,
    deadLetterCap: options.caps.deadLetters,
    execute: options.execute,
    loadable: options.loadable,
    setState: options.setState,
    addJobs: (jobs) => options.queue.addEntries(jobs),
    onSettled: (registrationId, ends) => options.onSettled?.(registrationId, ends),
    count: (registrationId, run) => options.journal.count(registrationId, run),
    forget: (name) => fleet.forget(name),
    log: options.log.child({ part: 'streams' }),
  });
  const forgetGone = fleet.onConsumerGone((name) => consumer.onConsumerGone(name));
  /** Changes come one after the other, also when drain and apply meet. */
  let changing: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = changing.then(work);
    changing = turn.catch(() => undefined);
    return turn;
  };

  return {
    kind: 'stream',
    alsoFor: ['schedule', 'list', 'pubsub', 'keys'],
    apply: (registrations: readonly ActiveRegistration[]) => inTurn(() => consumer.apply(registrations)),
    drain: (deadlineMs) => inTurn(() => consumer.drain(deadlineMs)),
    ring: (stream) => consumer.ring(stream),
    runEntries: (job, signal) => (signal.aborted ? Promise.resolve() : consumer.runJob(job)),
    heads: (spec) => consumer.heads(spec),
    inspect: () => consumer.inspect(),
    facts: () => consumer.facts(),
    readers: () => consumer.readers(),
    waiting: (registrationId) => consumer.waiting(registrationId),
    retries: () => consumer.retries(),
    async [Symbol.asyncDispose]() {
      forgetGone();
      await consumer[Symbol.asyncDispose]();
    },
  };
}
