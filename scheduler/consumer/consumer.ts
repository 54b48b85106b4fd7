import { setTimeout as sleep } from 'node:timers/promises';
import { type ActiveRegistration, PlatformError, type RegistrationSpec } from '#functions';
import type { SchedulerErrorCode } from '../errors.ts';
import type { QueuedEntries } from './contracts.ts';
import { headsOf } from './heads.ts';
import {
  inspectLanes,
  type LaneFacts,
  type LaneReport,
  laneFacts,
  type WaitingRetries,
  waitingRetries,
} from './inspect.ts';
import type { Lane, LaneRun } from './lane.ts';
import { startMaintenance, type Upkeep } from './maintenance.ts';
import { type ConsumerOptions, type ConsumerParts, createParts } from './parts.ts';
import { type ReaderState, readerState } from './reader-watch.ts';
import {
  type ConsumedRegistration,
  createConsumedRegistration,
  deliveryModeOf,
  entryFilterOf,
  matchesStream,
} from './registration.ts';
import { createStreamFinder, type StreamFinder, type StreamPattern } from './stream-finder.ts';
import { streamSourceOf } from './stream-source.ts';
import { createTakeover, type Takeover } from './takeover.ts';

export type { ConsumerOptions } from './parts.ts';

/** Consumes streams for registrations on this node. */
export interface Consumer extends AsyncDisposable {
  /** Brings it to exactly these; returns when nothing is taken up under the former state any more. */
  apply(registrations: readonly ActiveRegistration[]): Promise<void>;
  /** Takes nothing up any more and waits for what is in work, at most so long; the rest is given back. `apply` begins anew. */
  drain(deadlineMs: number): Promise<void>;
  /** Somebody has written to this key (latin1). */
  ring(stream: string): void;
  runJob(job: QueuedEntries): Promise<void>;
  onConsumerGone(consumer: string): void;
  heads(spec: RegistrationSpec): Promise<Readonly<Record<string, string>>>;
  inspect(): Promise<readonly LaneReport[]>;
  /** The same without asking Redis. */
  facts(): readonly LaneFacts[];
  /** Whether what should be read is read. */
  readers(): ReaderState;
  /** Entries of a registration that wait on this node for a retry. */
  waiting(registrationId: string): number;
  /** Of all registrations that have any. */
  retries(): readonly WaitingRetries[];
}

const POLL_MS = 5;
/** Groups that are not there by then come when Redis answers again. */
const GROUPS_DEADLINE_MS = 2_000;
/** After the deadline interrupted work may still say so. */
const LAST_WORDS_MS = 1_000;

export function createConsumer(options: ConsumerOptions): Consumer {
  return new StreamConsumer(options);
}

class StreamConsumer implements Consumer {
  readonly #options: ConsumerOptions;
  readonly #registrations = new Map<string, ConsumedRegistration>();
  readonly #parts: ConsumerParts;
  readonly #takeover: Takeover;
  readonly #finder: StreamFinder;
  readonly #upkeep: Upkeep;
  readonly #forgetTopology: () => void;

  constructor(options: ConsumerOptions) {
    const { access, keys, settings, log } = options;
    const registrations = () => this.#registrations.values();
    this.#options = options;
    this.#parts = createParts(options, (registration) => this.#halt(registration));
    const parts = this.#parts;
    this.#takeover = createTakeover({
      ...options,
      ...parts,
      registrations,
      retryIdle: parts.lanes.retryIdle.bind(parts.lanes),
    });
    this.#upkeep = startMaintenance({ ...options, parts, takeover: this.#takeover, registrations });
    this.#finder = createStreamFinder({
      ...{ access, log, scanIntervalMs: settings.scanIntervalMs, ownPrefix: keys.prefix },
      onStream: (key, isNews) => this.#found(key, isNews),
      onScanned: () => this.#lookAround(),
    });
    this.#forgetTopology = access.onTopologyChange(() => this.#rehome());
  }

  async apply(wanted: readonly ActiveRegistration[]): Promise<void> {
    const ids = new Set(wanted.map(({ spec }) => spec.id));
    const gone = [...this.#registrations.values()].filter(({ id }) => !ids.has(id));
    await Promise.all(gone.map((registration) => this.#remove(registration)));
    const known = new Set(this.#registrations.keys());
    await Promise.all(wanted.map((active) => this.#update(active)));
    const running = [...this.#registrations.values()].filter((registration) => registration.running);
    this.#finder.look(running);
    if (running.some(({ id, isPrefix }) => isPrefix && !known.has(id))) await this.#finder.scan();
    await this.#groupsAreThere(running);
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#registrations.values()].map((registration) => this.#stop(registration)));
    if (!(await this.#workEnds(deadlineMs))) {
      for (const lane of this.#lanes()) for (const run of lane.runs) run.controller.abort();
      await this.#workEnds(LAST_WORDS_MS);
    }
    if (this.#options.node.mayAct()) await this.#releaseLeases();
  }

  ring(stream: string): void {
    this.#found(stream, true);
  }

  async runJob(job: QueuedEntries): Promise<void> {
    const registration = this.#registrations.get(job.registrationId);
    // Here it may be paused still, or not known yet, while its reader has begun: the queue gives the job to another, or again.
    if (registration === undefined || !registration.running) {
      const text = `registration ${job.registrationId} is not in force on this node`;
      throw new PlatformError('REGISTRATION_NOT_FOUND', text, { retryable: true });
    }
    await this.#parts.bridge.runJob(this.#parts.lanes.ensure(registration, job.stream), job);
  }

  onConsumerGone(consumer: string): void {
    this.#takeover.onGone(consumer);
  }

  heads(spec: RegistrationSpec): Promise<Readonly<Record<string, string>>> {
    const scan = (pattern: StreamPattern): Promise<readonly string[]> => this.#finder.list(pattern);
    const source = streamSourceOf(spec, this.#options);
    return headsOf({ spec, source, parts: this.#parts, scan, known: this.#registrations.get(spec.id) });
  }

  inspect(): Promise<readonly LaneReport[]> {
    return inspectLanes(this.#parts.calls, this.#registrations.values());
  }

  facts(): readonly LaneFacts[] {
    return laneFacts(this.#registrations.values());
  }

  readers(): ReaderState {
    return readerState(this.#registrations.values(), this.#options.settings);
  }

  waiting(registrationId: string): number {
    return this.#registrations.get(registrationId)?.waiting ?? 0;
  }

  retries(): readonly WaitingRetries[] {
    return waitingRetries(this.#registrations.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#upkeep.close();
    this.#forgetTopology();
    for (const registration of this.#registrations.values()) registration.running = false;
    await this.#finder[Symbol.asyncDispose]();
    await this.#parts[Symbol.asyncDispose]();
  }

  *#lanes(): Generator<Lane> {
    for (const { lanes } of this.#registrations.values()) yield* lanes.values();
  }

  #found(key: string, isNews: boolean): void {
    for (const registration of this.#registrations.values()) {
      if (!registration.running || !matchesStream(registration, key)) continue;
      const lane = registration.lanes.get(key);
      if (lane === undefined || lane.state === 'missing') this.#parts.lanes.ensure(registration, key);
      else if (isNews) this.#parts.reader.news(lane);
    }
  }

  /** What no news may have told of. */
  #lookAround(): void {
    for (const registration of this.#registrations.values()) this.#parts.lanes.retryIdle(registration);
    this.#parts.reader.sweepAll();
  }

  /** Lanes follow their streams to other shards. */
  #rehome(): void {
    for (const lane of this.#lanes()) {
      const moved = this.#options.access.shardOf(lane.stream).id !== lane.shard.id;
      if (moved && lane.registration.running) this.#parts.lanes.open(lane);
    }
  }

  /** A registration has stopped itself; it cannot wait until its last read is back. */
  #halt(registration: ConsumedRegistration): void {
    this.#stop(registration).catch((error: unknown) => {
      this.#options.log.error({ err: error, registration: registration.id }, 'a registration did not stop');
    });
  }

  async #stop(registration: ConsumedRegistration): Promise<void> {
    registration.running = false;
    this.#parts.dispatcher.drop(registration);
    await this.#parts.lanes.stop(registration);
  }

  async #remove(registration: ConsumedRegistration): Promise<void> {
    this.#registrations.delete(registration.id);
    await this.#stop(registration);
    for (const lane of registration.lanes.values()) lane.state = 'closed';
  }

  /** The entries stay pending. Returns when the sandboxes have let go of them. */
  async #abortWork(registration: ConsumedRegistration): Promise<void> {
    const runs = (): LaneRun[] => [...registration.lanes.values()].flatMap((lane) => [...lane.runs]);
    const reason = new PlatformError<SchedulerErrorCode>('EXECUTION_ABORTED', `${registration.id} was removed`);
    for (const endMs = performance.now() + LAST_WORDS_MS; performance.now() < endMs; await sleep(POLL_MS)) {
      const open = runs();
      if (open.length === 0) return;
      for (const { controller } of open) controller.abort(reason);
    }
  }

  /** What it was before counts for what was read before; what changes is what comes now. */
  async #update(active: ActiveRegistration): Promise<void> {
    const source = streamSourceOf(active.spec, this.#options);
    if (source === null) return;
    const { id } = active.spec;
    const registration = this.#registrations.get(id) ?? createConsumedRegistration(active, source, this.#parts.doubted);
    this.#registrations.set(id, registration);
    if (registration.running && (active.state !== 'running' || opensAnew(registration.active, active))) {
      await this.#stop(registration);
    }
    if (active.abortsWork === true) await this.#abortWork(registration);
    registration.active = active;
    registration.trigger = source.trigger;
    registration.filter = entryFilterOf(active);
    registration.streams = source.streams;
    await loadTargets(registration, this.#options);
    if (active.state !== 'running' || registration.running) return;
    registration.running = true;
    this.#upkeep.wake();
    for (const stream of registration.streams) this.#parts.lanes.ensure(registration, stream);
    this.#parts.lanes.start(registration);
  }

  /** `$` means from now on: the groups have to be there when the registration counts as in force. */
  async #groupsAreThere(running: readonly ConsumedRegistration[]): Promise<void> {
    const isWaiting = ({ running, lanes }: ConsumedRegistration): boolean =>
      running && [...lanes.values()].some((lane) => lane.state === 'opening' && !lane.hasGroup);
    const endMs = performance.now() + GROUPS_DEADLINE_MS;
    while (running.some(isWaiting) && performance.now() < endMs) await sleep(POLL_MS);
  }

  async #workEnds(deadlineMs: number): Promise<boolean> {
    const isWorking = (): boolean => [...this.#lanes()].some((lane) => lane.runs.size > 0);
    for (const endMs = performance.now() + deadlineMs; isWorking(); await sleep(POLL_MS)) {
      if (performance.now() >= endMs) return false;
    }
    return true;
  }

  /** Streams with something left keep their lease: whoever takes it from a dead node begins with what is pending. */
  async #releaseLeases(): Promise<void> {
    const release = async (lane: Lane): Promise<void> => {
      if (!lane.holdsLease || lane.runs.size > 0 || lane.unsureUntilMs > 0) return;
      const summary = (await this.#parts.calls.call(['XPENDING', lane.stream, lane.registration.group])) as [number];
      if (summary[0] > 0) return;
      lane.holdsLease = false;
      await this.#options.leases.release(lane.registration.id, lane.stream);
    };
    const ignore = (error: unknown): void => this.#options.log.debug({ err: error }, 'a lease was not given back');
    const all = Promise.all([...this.#lanes()].map((lane) => release(lane).catch(ignore)));
    // Without an answer from Redis the leases end with this node.
    await Promise.race([all, sleep(LAST_WORDS_MS)]);
  }
}

/** A change after which every stream has to be opened again. */
function opensAnew(before: ActiveRegistration, now: ActiveRegistration): boolean {
  const isOther = deliveryModeOf(before.spec) !== deliveryModeOf(now.spec);
  return isOther || before.rewindTo?.token !== now.rewindTo?.token;
}

async function loadTargets(registration: ConsumedRegistration, { loadable, log }: ConsumerOptions): Promise<void> {
  const { active, targets } = registration;
  const versions = new Set([active.version, ...active.routes.map(({ version }) => version)]);
  for (const version of targets.keys()) if (!versions.has(version)) targets.delete(version);
  const load = async (version: number): Promise<void> => {
    if (targets.has(version)) return;
    try {
      targets.set(version, await loadable(active.functionName, version));
    } catch (error) {
      // Tried again when an entry needs it.
      log.warn({ err: error, function: active.functionName, version }, 'a version could not be loaded yet');
    }
  };
  await Promise.all([...versions].map(load));
}
