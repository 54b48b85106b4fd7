import { setTimeout as sleep } from 'node:timers/promises';
import type { ActiveRegistration, RegistrationSpec, StreamTriggerSpec } from '#functions';
import type { QueuedEntries } from './contracts.ts';
import { headsOf } from './heads.ts';
import { inspectLanes, type LaneReport } from './inspect.ts';
import type { Lane } from './lane.ts';
import { startMaintenance } from './maintenance.ts';
import { type ConsumerOptions, createParts } from './parts.ts';
import {
  type ConsumedRegistration,
  createConsumedRegistration,
  matchesStream,
  streamTriggerOf,
} from './registration.ts';
import { createStreamFinder } from './stream-finder.ts';
import { createTakeover } from './takeover.ts';

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
}

const DRAIN_POLL_MS = 5;
/** After the deadline interrupted work may still say so. */
const LAST_WORDS_MS = 1_000;

export function createConsumer(options: ConsumerOptions): Consumer {
  const { node, leases, settings, log } = options;
  const registrations = new Map<string, ConsumedRegistration>();
  const parts = createParts(options, (registration) => {
    registration.running = false;
    parts.dispatcher.drop(registration);
    parts.lanes.stop(registration).catch((error: unknown) => log.error({ err: error }, 'a registration did not stop'));
  });
  const takeover = createTakeover({
    ...{ calls: parts.calls, node, recovery: parts.recovery, forget: options.forget, log },
    registrations: () => registrations.values(),
    retryIdle: () => parts.lanes.retryIdle(registrations.values()),
  });
  const upkeep = startMaintenance({
    ...{ parts, takeover, node, leases, settings, log },
    registrations: () => registrations.values(),
  });
  const finder = createStreamFinder({
    access: options.access,
    scanIntervalMs: settings.scanIntervalMs,
    ownPrefix: options.keys.prefix,
    onStream: found,
    onScanned: () => {
      parts.lanes.retryIdle(registrations.values());
      parts.reader.sweepAll();
    },
    log,
  });
  const forgetTopology = options.access.onTopologyChange(() => {
    for (const registration of registrations.values()) {
      for (const lane of registration.lanes.values()) rehome(lane);
    }
  });

  function rehome(lane: Lane): void {
    if (!lane.registration.running || options.access.shardOf(lane.stream).id === lane.shard.id) return;
    parts.lanes.open(lane).catch((error: unknown) => log.error({ err: error }, 'a stream did not move with its shard'));
  }

  function found(key: string, isNews: boolean): void {
    for (const registration of registrations.values()) {
      if (!registration.running || !matchesStream(registration, key)) continue;
      const lane = registration.lanes.get(key);
      if (lane === undefined || lane.state === 'missing') parts.lanes.ensure(registration, key);
      else if (isNews) parts.reader.news(lane);
    }
  }

  async function stop(registration: ConsumedRegistration): Promise<void> {
    registration.running = false;
    parts.dispatcher.drop(registration);
    await parts.lanes.stop(registration);
  }

  async function loadTargets(registration: ConsumedRegistration): Promise<void> {
    const { active } = registration;
    const versions = new Set([active.version, ...active.routes.map(({ version }) => version)]);
    for (const version of registration.targets.keys()) if (!versions.has(version)) registration.targets.delete(version);
    const load = async (version: number): Promise<void> => {
      if (registration.targets.has(version)) return;
      const target = await options.loadable(active.functionName, version).catch((error: unknown) => {
        log.warn({ err: error, function: active.functionName, version }, 'a version could not be loaded yet');
      });
      if (target !== undefined) registration.targets.set(version, target);
    };
    await Promise.all([...versions].map(load));
  }

  /** What it was before counts for what was read before; what changes is what comes now. */
  async function update(active: ActiveRegistration, trigger: StreamTriggerSpec): Promise<void> {
    const id = active.spec.id;
    let registration = registrations.get(id);
    const isNew = registration === undefined;
    registration ??= createConsumedRegistration(active, trigger);
    registrations.set(id, registration);
    const before = registration.active;
    const reopens = before.spec.mode !== active.spec.mode || before.rewindTo?.token !== active.rewindTo?.token;
    if (registration.running && (active.state !== 'running' || (reopens && !isNew))) await stop(registration);
    registration.active = active;
    registration.trigger = trigger;
    await loadTargets(registration);
    if (active.state !== 'running' || registration.running) return;
    registration.running = true;
    if (!registration.isPrefix) parts.lanes.ensure(registration, registration.pattern);
    await parts.lanes.start(registration);
  }

  async function remove(registration: ConsumedRegistration): Promise<void> {
    registrations.delete(registration.id);
    await stop(registration);
    for (const lane of registration.lanes.values()) lane.state = 'closed';
  }

  function inWork(): number {
    let runs = 0;
    for (const { lanes } of registrations.values()) for (const lane of lanes.values()) runs += lane.runs.size;
    return runs;
  }

  async function workEnds(deadlineMs: number): Promise<boolean> {
    for (const endMs = performance.now() + deadlineMs; inWork() > 0; await sleep(DRAIN_POLL_MS)) {
      if (performance.now() >= endMs) return false;
    }
    return true;
  }

  function interruptAll(): void {
    for (const { lanes } of registrations.values()) {
      for (const lane of lanes.values()) for (const run of lane.runs) run.controller.abort();
    }
  }

  async function releaseLeases(): Promise<void> {
    for (const registration of registrations.values()) {
      for (const lane of registration.lanes.values()) {
        if (!lane.holdsLease || lane.runs.size > 0 || lane.waiting.size > 0) continue;
        lane.holdsLease = false;
        await leases.release(registration.id, lane.stream);
      }
    }
  }

  return {
    async apply(wanted) {
      const ids = new Set(wanted.map(({ spec }) => spec.id));
      const gone = [...registrations.values()].filter(({ id }) => !ids.has(id));
      await Promise.all(gone.map(remove));
      const known = new Set(registrations.keys());
      await Promise.all(
        wanted.map((active) => {
          const trigger = streamTriggerOf(active.spec);
          return trigger === null ? undefined : update(active, trigger);
        }),
      );
      const running = [...registrations.values()].filter((registration) => registration.running);
      finder.look(running);
      if (running.some(({ id, isPrefix }) => isPrefix && !known.has(id))) await scanFirst(running);
    },
    async drain(deadlineMs) {
      await Promise.all([...registrations.values()].map(stop));
      if (!(await workEnds(deadlineMs))) {
        interruptAll();
        await workEnds(LAST_WORDS_MS);
      }
      if (node.mayAct()) await releaseLeases();
    },
    ring: (stream) => found(stream, true),
    async runJob(job) {
      const registration = registrations.get(job.registrationId);
      if (registration === undefined || !registration.running) return;
      await parts.bridge.runJob(parts.lanes.ensure(registration, job.stream), job);
    },
    onConsumerGone: takeover.onGone,
    heads: (spec) => headsOf({ spec, parts, scan: finder.list, known: registrations.get(spec.id) }),
    inspect: () => inspectLanes(parts.calls, registrations.values()),
    async [Symbol.asyncDispose]() {
      upkeep.close();
      forgetTopology();
      for (const registration of registrations.values()) registration.running = false;
      await finder[Symbol.asyncDispose]();
      await parts[Symbol.asyncDispose]();
    },
  };

  /** Groups of streams that are there are made before the registration counts as in force: `$` means from now on. */
  async function scanFirst(running: readonly ConsumedRegistration[]): Promise<void> {
    await finder.scan();
    const isOpening = (): boolean =>
      running.some((registration) =>
        [...registration.lanes.values()].some((lane) => lane.state === 'opening' && lane.load === 0),
      );
    for (const endMs = performance.now() + settings.blockMs; isOpening() && performance.now() < endMs; ) {
      await sleep(DRAIN_POLL_MS);
    }
  }
}
