import process from 'node:process';
import { parseManifest, type RedisAccess } from '#functions';
import { createAtomicSessions } from './bindings/atomic-session.ts';
import { createCommandPolicy } from './bindings/command-policy.ts';
import { createEffects } from './bindings/effects.ts';
import { createLogSink, type RuntimeLog } from './bindings/log-sink.ts';
import { createNarrow } from './bindings/narrowing.ts';
import { refusedReading } from './bindings/reading-rules.ts';
import { createEngine } from './engine/engine.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { DeathEvent, GuestLog, QuarantineEvent, Runtime } from './runtime.ts';
import { childCommand } from './sandbox/child-command.ts';
import { guestBundle } from './sandbox/guest-bundle.ts';
import { inspectError } from './sandbox/inspect-error.ts';
import { createSandboxPool, type SandboxPool } from './sandbox/pool.ts';
import { startSandboxProcess } from './sandbox/process.ts';
import { createWatchdog } from './sandbox/watchdog.ts';

export interface SandboxOptions {
  /** Resident memory of one sandbox process, bytes; above it is killed. Default 1 GiB. */
  readonly residentBytes: number;
  /** Beyond a call's own limit, before SIGKILL, ms. Default 500. */
  readonly graceMs: number;
  /** Crashes within an hour until a version runs alone, and as many more until it is stopped. Default 3. */
  readonly quarantineAfterCrashes: number;
  /** Isolates idle for this long are dropped, ms. Default 600000. */
  readonly idleMs: number;
  /** Most isolates in one process. Default 256. */
  readonly isolatesPerProcess: number;
  /** Timers, futures and runs that events of one version may wait for at once. Default 10000. */
  readonly waits: number;
}

/** What a runtime needs of Redis: places for commands, and what the server knows of them. */
export type RuntimeRedis = Pick<
  RedisAccess,
  'facts' | 'commands' | 'shards' | 'shardOf' | 'slotOf' | 'openPipe' | 'openRaw'
>;

export interface RuntimeOptions {
  readonly access: RuntimeRedis;
  /** Sandbox processes, without the spare; as many as the host has cores. */
  readonly sandboxes: number;
  /** Begin of every platform key: functions never touch such keys. */
  readonly prefix: string;
  readonly sandbox?: Partial<SandboxOptions>;
  readonly log: RuntimeLog;
  /** Program of the child instead of the own one; for tests. */
  readonly childEntry?: string;
  /** For the testing kit; a platform gives none. */
  readonly rehearsal?: Rehearsal;
}

const DEFAULTS: SandboxOptions = {
  residentBytes: 1024 * 1024 * 1024,
  graceMs: 500,
  quarantineAfterCrashes: 3,
  idleMs: 600_000,
  isolatesPerProcess: 256,
  waits: 10_000,
};

/** Share of `residentBytes` from which on a kill from outside is taken for the kernel's lack of memory. */
const SUSPECT_SHARE = 0.25;

/** Starts the sandbox processes; everything ends with the runtime. Errors: SANDBOX_DIED when no process comes up. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { access, log, prefix, sandboxes, rehearsal } = options;
  const settings = { ...DEFAULTS, ...options.sandbox };
  const logListeners = new Set<(line: GuestLog) => void>();
  const quarantineListeners = new Set<(event: QuarantineEvent) => void>();
  const deathListeners = new Set<(event: DeathEvent) => void>();
  await using stack = new AsyncDisposableStack();

  const guest = await guestBundle();
  const command = childCommand(options.childEntry === undefined ? {} : { entry: options.childEntry });
  const watchdog = stack.use(createWatchdog(settings));
  const policy = createCommandPolicy({ table: access.commands, prefix });
  const effects = Array.from({ length: sandboxes }, () =>
    stack.use(createEffects({ pipe: access.openPipe('effects'), policy })),
  );
  const narrow = createNarrow({ table: access.commands, prefix });
  const sessions = stack.use(createAtomicSessions({ redis: access, policy, cluster: isCluster(access) }));
  const linesPerSecond = rehearsal ? { linesPerSecond: Number.POSITIVE_INFINITY } : {};
  const logs = createLogSink({ log, onLine: (line) => tell(logListeners, line, log), ...linesPerSecond });
  const suspectBytes = settings.residentBytes * SUSPECT_SHARE;
  const pool = createSandboxPool({
    ...settings,
    sandboxes,
    log,
    start: () => startSandboxProcess({ command, guest, watchdog, log, suspectBytes }),
    ...(rehearsal ? { sources: () => rehearsal.sources() } : {}),
    onLoaded: ({ functionName, version }, report) => logs.write({ functionName, version, atLoad: true }, report.logs),
    onQuarantine: (event) => tell(quarantineListeners, event, log),
    onDeath: (event) => tell(deathListeners, event, log),
  });
  const ways = { effects, sessions, policy, narrow, refuseReading: refusedReading };
  const engine = stack.use(createEngine({ pool, ...ways, logs, log, mostWaits: settings.waits, rehearsal }));
  await pool.ready();
  log.info({ sandboxes, confinement: command.confinement }, 'sandbox processes are ready');
  warnOfRoot(command.confinement, log);
  const owned = stack.move();

  return {
    inspect: inspectIn(pool, prefix),
    execute: (invocation) => engine.execute(invocation),
    openStage: (request) => engine.openStage(request),
    serve: (host) => engine.serve(host),
    retain: (versions) => pool.retain(versions),
    pardon: (version) => pool.pardon(version),
    inspectPool: () => pool.info(),
    measurePool: () => pool.measure(),
    onLog: (listener) => subscribe(logListeners, listener),
    onQuarantine: (listener) => subscribe(quarantineListeners, listener),
    onDeath: (listener) => subscribe(deathListeners, listener),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function warnOfRoot(confinement: readonly string[], log: RuntimeLog): void {
  if (process.getuid?.() !== 0 || confinement.includes('user')) return;
  log.warn({}, 'sandbox processes run as root: let everybody read the installation, or start as another user');
}

/** See `Runtime.inspect`. */
function inspectIn(pool: Pick<SandboxPool, 'inspect'>, platformPrefix: string): Runtime['inspect'] {
  return async (version) => {
    try {
      const { configuration, registrations, runs } = await pool.inspect(version);
      const parts = { platformPrefix, runs, configuration, ceiling: version.limits };
      return parseManifest(version.functionName, registrations, parts);
    } catch (reason) {
      throw inspectError(version, reason);
    }
  };
}

function isCluster({ facts }: RuntimeRedis): boolean {
  return facts.topology === 'cluster';
}

function subscribe<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell<T>(listeners: Iterable<(value: T) => void>, value: T, log: RuntimeLog): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      log.error({ err: error }, 'a listener of the runtime threw');
    }
  }
}
