import type { RedisAccess, Registry } from '#functions';
import type { Runtime } from '#runtime';
import type { Executions } from '../executions/executions.ts';
import type { Options } from '../executions/options.ts';
import type { RegisteredRuns } from '../executions/registered-runs.ts';
import type { Figures } from '../figures/figures.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { createDashboardFiles } from '../gateway/http/dashboard/dashboard-files.ts';
import { createIdempotency } from '../gateway/http/idempotency.ts';
import { createLive } from '../gateway/http/live.ts';
import { createRoutes } from '../gateway/http/routes/index.ts';
import { createHttpServer, type HttpServer } from '../gateway/http/server.ts';
import { createTopicReaders } from '../gateway/http/topic-readers.ts';
import type { OperationDependencies, ShownSetting } from '../gateway/operations/dependencies.ts';
import { createOperations } from '../gateway/operations/index.ts';
import { runTrial, type Trial, type TrialRequest } from '../gateway/operations/trial.ts';
import { isLoopback } from '../gateway/resp/listen-address.ts';
import { createRespServer, type RespServer } from '../gateway/resp/server.ts';
import type { DeadLetters } from '../journal/dead-letters.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { packageVersion } from '../package-root.ts';
import type { Reconciler } from '../reconciler.ts';
import type { Settings } from '../settings.ts';
import type { Tokens } from '../tokens/tokens.ts';
import type { CommandTrigger } from '../triggers/command.ts';
import type { StreamTrigger } from '../triggers/stream.ts';
import type { KeyEvents } from './open-key-events.ts';

/** What the doors are made of: the node without them. */
export interface DoorGround {
  readonly settings: Settings;
  readonly shownSettings: readonly ShownSetting[];
  readonly log: Log;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  readonly journal: Journal;
  readonly runtime: Runtime;
  readonly options: Options;
  readonly registry: Registry;
  readonly stream: StreamTrigger;
  readonly command: CommandTrigger;
  readonly keyEvents: KeyEvents;
  readonly reconciler: Reconciler;
  readonly executions: Executions;
  readonly registeredRuns: RegisteredRuns;
  readonly deadLetters: DeadLetters;
  readonly tokens: Tokens;
  readonly figures: Figures;
  readonly metrics: Metrics;
}

export interface Doors {
  readonly resp: RespServer;
  readonly http: HttpServer;
  /** See `Platform.tryOut`. */
  tryOut(request: TrialRequest): Promise<Trial>;
}

/** Both doors; the web's first, so that whoever asks whether the node is ready hears something. */
export async function openDoors(ground: DoorGround, opening: AsyncDisposableStack): Promise<Doors> {
  const dependencies = operationDependencies(ground);
  const operations = createOperations(dependencies);
  const http = opening.use(await openHttp(ground, { ...dependencies, operations }));
  const { settings, access, command, stream, keyEvents, log } = ground;
  const resp = await createRespServer({
    host: settings.respHost,
    port: settings.respPort,
    door: settings.door,
    calls: command,
    intercept: keyEvents.intercept,
    ring: (key) => stream.ring(key),
    ...{ access, operations, log },
  });
  return { resp: opening.use(resp), http, tryOut: (request) => runTrial(dependencies, request) };
}

function operationDependencies(ground: DoorGround): OperationDependencies {
  const { runtime, stream, command } = ground;
  return {
    ...ground,
    streams: stream,
    calls: command,
    inspect: (version) => runtime.inspect(version),
    execute: (invocation) => runtime.execute(invocation),
    measurePool: () => runtime.measurePool(),
  };
}

type HttpGround = OperationDependencies & { readonly operations: ReturnType<typeof createOperations> };

function openHttp(ground: DoorGround, dependencies: HttpGround): Promise<HttpServer> {
  const { settings, access, keys, fleet, tokens, figures, metrics, journal, log } = ground;
  const live = createLive({ figures, journal, log, read: () => readers });
  const whole = {
    ...dependencies,
    ...{ live, metrics },
    version: packageVersion(),
    idempotency: createIdempotency({ access, keys, keepMs: settings.http.idempotencyKeepMs }),
    readiness: async () => readiness(ground),
  };
  const readers = createTopicReaders(whole);
  return createHttpServer({
    host: settings.httpHost,
    port: settings.httpPort,
    isLoopback: isLoopback(settings.httpHost),
    nodeId: fleet.self.nodeId,
    settings: settings.http,
    routes: createRoutes(whole),
    pages: createDashboardFiles(),
    available: () => access.client.status === 'ready',
    ...{ tokens, log },
  });
}

/** Parts of the node by name, and whether each is ready for work. */
export function readiness({
  access,
  fleet,
  runtime,
  reconciler,
  stream,
}: Pick<DoorGround, 'access' | 'fleet' | 'runtime' | 'reconciler' | 'stream'>): Readonly<Record<string, boolean>> {
  return {
    redis: access.client.status === 'ready',
    slot: fleet.holdsSlot(),
    registry: reconciler.revision >= 0,
    sandboxes: runtime.inspectPool().length > 0,
    readers: stream.readers().silent.length === 0,
  };
}
