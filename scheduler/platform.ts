import {
  type ActiveRegistration,
  connectRedis,
  createRegistry,
  createRegistryKeys,
  type KeyRing,
  type LoadableVersion,
  PlatformError,
  type RedisAccess,
  type Registry,
  type Shard,
} from '#functions';
import { createRuntime, type Runtime } from '#runtime';
import { type ResolvedSettings, showSettings } from './config.ts';
import { createSharedTokenBucket } from './consumer/token-bucket.ts';
import { startEmbeddedRedis } from './embedded/start-embedded-redis.ts';
import type { Executions } from './executions/executions.ts';
import type { Options } from './executions/options.ts';
import type { RegisteredRuns } from './executions/registered-runs.ts';
import { createMeter, type Meter } from './figures/meter.ts';
import { createFleet } from './fleet/create-fleet.ts';
import type { Fleet, Permits } from './fleet/fleet.ts';
import { createPermits } from './fleet/permits.ts';
import { createStreamLeases } from './fleet/stream-leases.ts';
import type { Trial, TrialRequest } from './gateway/operations/trial.ts';
import { createJournal } from './journal/create-journal.ts';
import { createDeadLetters } from './journal/dead-letters.ts';
import type { Journal } from './journal/journal.ts';
import { createSchedulerKeys, type SchedulerKeys } from './keys.ts';
import type { Log } from './log.ts';
import { packageVersion } from './package-root.ts';
import { meteredJournal } from './platform/metered-journal.ts';
import { type Captures, checkSchedules, openCaptures } from './platform/open-captures.ts';
import { type Doors, openDoors, readiness } from './platform/open-doors.ts';
import { openExecutions, openOptions, openRegisteredRuns } from './platform/open-executions.ts';
import { openFigures } from './platform/open-figures.ts';
import { type KeyEvents, openKeyEvents } from './platform/open-key-events.ts';
import { openMetrics } from './platform/open-metrics.ts';
import { openTracing } from './platform/open-tracing.ts';
import { createRunChain } from './platform/run-chain.ts';
import { loadLines, type Witness } from './platform/witness.ts';
import type { AsyncQueue } from './queues/async-queue.ts';
import { createAsyncQueue } from './queues/create-async-queue.ts';
import { createReconciler, type Reconciler } from './reconciler.ts';
import type { Settings } from './settings.ts';
import { createTokens } from './tokens/create-tokens.ts';
import type { Tracing } from './tracing/tracing.ts';
import { type CommandTrigger, createCommandTrigger } from './triggers/command.ts';
import { createStreamTrigger, type StreamTrigger } from './triggers/stream.ts';
import { openKeyRing } from './variables/open-key-ring.ts';
import { createVariableBook, type VariableBook } from './variables/variable-book.ts';

/** A running node. */
export interface Platform extends AsyncDisposable {
  /** `host:port` at which the RESP door listens. */
  readonly respAddress: string;
  /** `host:port` at which `/livez` and `/readyz` answer. */
  readonly httpAddress: string;
  /**
   * The graceful stop: no new work is taken up, work in progress may end within `drain-ms`, the rest is given back to the
   * other nodes. Dispose afterwards.
   */
  drain(): Promise<void>;
  /** Runs one sample through a function for real, but outside of streams, counters, retries and dead letters. See `runTrial`. */
  tryOut(request: TrialRequest): Promise<Trial>;
  /** What is in force on this node. */
  registrations(): readonly ActiveRegistration[];
}

export interface PlatformOptions {
  readonly log: Log;
  /** Where the settings came from; only to be shown. */
  readonly origins?: ResolvedSettings['origins'];
  /** Keys that seal secrets of functions, in place of those in `secretsKeyFile`. */
  readonly secretKeys?: string | undefined;
  /** Hears what runs on the node; default nobody. */
  readonly witness?: Witness;
}

/** Executions of mode `async` that one node runs at once. */
const QUEUE_CONCURRENCY = 16;

/** The ground: Redis and what speaks with it, and the sandboxes. */
interface Ground {
  readonly settings: Settings;
  readonly log: Log;
  readonly witness: Witness | undefined;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  readonly meter: Meter;
  /** Null: no traces are made. */
  readonly tracing: Tracing | null;
  readonly permits: Permits;
  readonly journal: Journal;
  readonly queue: AsyncQueue;
  readonly runtime: Runtime;
  readonly options: Options;
  readonly keyRing: KeyRing;
  readonly variables: VariableBook;
}

/** A node without doors. */
interface Node extends Ground {
  readonly registry: Registry;
  readonly stream: StreamTrigger;
  readonly command: CommandTrigger;
  readonly keyEvents: KeyEvents;
  readonly reconciler: Reconciler;
  readonly captures: Captures;
  readonly executions: Executions;
  readonly registeredRuns: RegisteredRuns;
}

/**
 * Builds a node and starts it; the only place that constructs. Resolves when every registration is in force and the doors
 * listen. Whatever fails on the way, what was opened before is closed again, newest first.
 */
export async function startPlatform(settings: Settings, options: PlatformOptions): Promise<Platform> {
  await using opening = new AsyncDisposableStack();
  const ground = await openGround(settings, options, opening);
  const node = openNode(ground, opening);
  followRuntime(node, opening);
  followSlot(node, opening);
  await node.reconciler.start();
  node.queue.start({
    runEntries: (job, signal) => node.stream.runEntries(job, signal),
    runCommand: (job, signal) => node.command.runCommand(job, signal),
  });
  const deadLetters = createDeadLetters(node);
  const figures = openFigures(
    { ...node, streams: node.stream, deadLetters, isReady: () => isReady(node), version: packageVersion() },
    opening,
  );
  const metrics = openMetrics({ ...node, figures, readiness: () => readiness(node) }, opening);
  const shownSettings = showSettings(settings, options.origins);
  const tokens = createTokens(node);
  const doors = await openDoors({ ...node, deadLetters, figures, metrics, shownSettings, tokens }, opening);
  options.log.info({ slot: node.fleet.self.slot, redis: node.access.facts }, 'the node is ready');
  const opened = opening.move();
  return {
    respAddress: `${settings.respHost}:${doors.resp.port}`,
    httpAddress: `${settings.httpHost}:${doors.http.port}`,
    drain: () => drain(node, doors),
    tryOut: (request) => doors.tryOut(request),
    registrations: () => [...node.registry.snapshot().registrations.values()],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openGround(
  settings: Settings,
  { log, secretKeys, witness }: PlatformOptions,
  opening: AsyncDisposableStack,
): Promise<Ground> {
  const url = settings.redisUrl ?? opening.use(await startEmbeddedRedis({ dataDir: settings.dataDir, log })).url;
  const keyRing = openKeyRing({ settings, given: secretKeys, log });
  const access = opening.use(await connectRedis({ url, log }));
  const keys = createSchedulerKeys(settings.prefix);
  const { nodeId, fleet: fleetSettings, sandbox, sandboxes, prefix, caps } = settings;
  const fleet = opening.use(await createFleet({ access, keys, nodeId, settings: fleetSettings, log }));
  const permits = opening.use(createPermits({ access, keys, fleet, log }));
  const meter = createMeter();
  const journal = meteredJournal(opening.use(createJournal({ access, keys, caps, log })), meter);
  const concurrency = QUEUE_CONCURRENCY;
  const queue = opening.use(createAsyncQueue({ access, keys, settings: fleetSettings, concurrency, log }));
  const tracing = await openTracing({ settings, access, log }, opening);
  const variables = opening.use(createVariableBook({ keyRing, log }));
  const runtime = opening.use(await createRuntime({ access, sandboxes, prefix, sandbox, variables, log }));
  const options = openOptions({ access, keys, settings, log }, opening);
  const common = { settings, log, witness, access, keys, fleet, permits, meter, tracing };
  return { ...common, journal, queue, keyRing, variables, runtime, options };
}

/** Registry, triggers and what keeps them together. The registry asks the stream trigger for heads, but never before a load. */
function openNode(ground: Ground, opening: AsyncDisposableStack): Node {
  const { settings, log, access, keys, fleet, permits, journal, queue, runtime } = ground;
  const registry: Registry = opening.use(
    createRegistry({
      client: access.client,
      openSubscriber: () => access.openClient(firstShard(access), 'registry'),
      keys: createRegistryKeys(settings.prefix),
      inspect: async (version) => {
        const manifest = await runtime.inspect(version);
        checkSchedules(manifest);
        keyEvents.check(manifest, version.functionName, registry.snapshot().registrations.values());
        return manifest;
      },
      streamHeads: (spec) => stream.heads(spec),
      limits: settings.limits,
      settings: ground.options.forFunctions,
      caps: settings.caps,
      log,
    }),
  );
  const leases = createStreamLeases({ access, keys, fleet });
  const loadable = (name: string, version: number): Promise<LoadableVersion> => registry.loadable(name, version);
  const registeredRuns = openRegisteredRuns(ground, opening);
  const run = createRunChain({ ...ground, registeredRuns });
  const ring = (name: string): void => stream.ring(name);
  const keyEvents = openKeyEvents({ ...ground, leases, execute: run, loadable, ring }, opening);
  const { execute } = keyEvents;
  const stream: StreamTrigger = opening.use(
    createStreamTrigger({
      ...{ access, fleet, queue, journal, keys, log },
      ...{ leases, permits },
      ...{ settings: settings.delivery, caps: settings.caps, execute, loadable },
      setState: async (ids, state, reason) => void (await registry.setState(ids, state, reason)),
      onSettled: (id, ends) => {
        ground.meter.ends(id, ends);
        captures.onSettled(id);
      },
    }),
  );
  const captures = openCaptures({ ...ground, leases, execute, loadable, stream: () => stream }, opening);
  const takeTokens = createSharedTokenBucket({ access, keys });
  const command = opening.use(
    createCommandTrigger({ access, queue, journal, settings, log, execute, loadable, takeTokens, permits }),
  );
  const reportRevision = (revision: number): Promise<void> => fleet.reportRevision(revision);
  const reconciler = createReconciler({
    registry,
    triggers: [stream, command, ...keyEvents.triggers, ...captures.triggers],
    runtime,
    variables: ground.variables,
    reportRevision,
    log,
  });
  opening.use(reconciler);
  const executions = openExecutions(ground, opening);
  return { ...ground, registeredRuns, captures, registry, stream, command, keyEvents, reconciler, executions };
}

/** Messages of a plain channel reach every node of a cluster, so any shard will do. */
function firstShard(access: RedisAccess): Shard {
  const [shard] = access.shards();
  if (shard === undefined) throw new PlatformError('REDIS_UNREACHABLE', 'The cluster has no primary that owns a slot.');
  return shard;
}

/** What guests write goes to their function's log; a version that keeps killing sandboxes stops running. */
function followRuntime(node: Node, opening: AsyncDisposableStack): void {
  const { runtime, registry, journal, log } = node;
  opening.defer(runtime.onLog((line) => journal.log(line)));
  if (node.witness !== undefined) opening.defer(runtime.onLog(loadLines(node.witness)));
  opening.defer(
    runtime.onQuarantine((event) => {
      const { functionName, version, verdict, reason } = event;
      log.warn({ function: functionName, version, verdict, reason }, 'a version kills its sandbox');
      if (verdict === 'alone') return;
      const ids = [...registry.snapshot().registrations.values()]
        .filter((one) => one.functionName === functionName && one.version === version)
        .map(({ spec }) => spec.id);
      if (ids.length === 0) return;
      registry.setState(ids, 'quarantined', reason).catch((error: unknown) => {
        log.error({ err: error, function: functionName, version }, 'a quarantine could not be recorded');
      });
    }),
  );
}

/** A node that was thought dead begins anew under another name: what it had in hand belongs to the others by now. */
function followSlot(node: Node, opening: AsyncDisposableStack): void {
  const { fleet, stream, keyEvents, reconciler, log } = node;
  const begin = async (): Promise<void> => {
    log.warn({ slot: fleet.self.slot }, 'the slot was lost; taking a new one');
    await stream.drain(0);
    await keyEvents.drain(0);
    await fleet.rejoin();
    await reconciler.reapply();
    log.info({ slot: fleet.self.slot }, 'a new slot is held');
  };
  opening.defer(
    fleet.onSlotLost(() => {
      begin().catch((error: unknown) => log.error({ err: error }, 'no new slot could be taken'));
    }),
  );
}

function isReady(node: Node): boolean {
  return Object.values(readiness(node)).every(Boolean);
}

async function drain(node: Node, { resp, http }: Doors): Promise<void> {
  const { drainMs } = node.settings.delivery;
  // Another try would have the triggers begin anew.
  node.reconciler[Symbol.dispose]();
  await Promise.all([
    node.queue.drain(drainMs),
    node.stream.drain(drainMs),
    node.command.drain(drainMs),
    node.keyEvents.drain(drainMs),
    node.captures.drain(drainMs),
    node.executions.drain(drainMs),
    http.drain(drainMs),
  ]);
  await resp.drain(drainMs);
}
