import { PlatformError } from '#functions';
import type { ResolvedSettings } from '../config.ts';
import type { SchedulerErrorCode } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import type { Platform, PlatformOptions } from '../platform.ts';
import type { Settings } from '../settings.ts';
import { ExitCode } from './exit-code.ts';

/** A node that runs in this process. */
export interface RunningNode {
  /** `host:port` of the doors, as they really listen. */
  readonly respAddress: string;
  readonly httpAddress: string;
  /** Resolves after the graceful stop that SIGINT or SIGTERM begins. A later signal ends the process at once. */
  readonly ended: Promise<void>;
  /** Aborted when the graceful stop begins. */
  readonly stopping: AbortSignal;
  /** Begins the graceful stop without a signal. */
  stop(): void;
  /** See `Platform.tryOut`. */
  readonly tryOut: Platform['tryOut'];
  /** See `Platform.registrations`. */
  readonly registrations: Platform['registrations'];
}

/** One Ctrl-C may arrive several times, since the terminal and npm both pass it on: only a later one is a second signal. */
const SECOND_SIGNAL_MS = 500;

/** Why a door cannot listen, with the setting to change; undefined for every other error. */
function listenError(error: unknown, settings: Settings): PlatformError | undefined {
  const { syscall, code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (syscall !== 'listen' && !(syscall === 'getaddrinfo' && code === 'ENOTFOUND')) return undefined;
  const door = port === settings.httpPort && port !== settings.respPort ? 'http' : 'resp';
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program listens at ${address}:${port}; stop it, or choose another port with --${door}-port (0 = any free one)`,
    EACCES: `port ${port} is reserved; choose one above 1023 with --${door}-port`,
  };
  const hosts = `this machine has no such address; see --resp-host (${settings.respHost}) and --http-host (${settings.httpHost})`;
  const who = reasons[code ?? ''] === undefined ? 'a' : `the ${door.toUpperCase()}`;
  const message = `${who} door cannot listen: ${reasons[code ?? ''] ?? hosts}`;
  return new PlatformError<SchedulerErrorCode>('CONFIG_INVALID', message, { cause: error as Error });
}

/** Time for closing after the drain. What Redis would have to answer may never be: a stop must end all the same. */
const CLOSING_MS = 5_000;

/** Ends the process when a graceful stop has not come to its end in time; nothing is lost, the others take over. */
function boundStop(settings: Settings, log: Log): Disposable {
  const deadlineMs = settings.delivery.drainMs + CLOSING_MS;
  const timer = setTimeout(() => {
    log.error({ deadlineMs }, 'the graceful stop did not end in time (is Redis away?); the process ends now');
    process.exit(ExitCode.failed);
  }, deadlineMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Settings, and where they came from. */
export interface NodeSettings {
  readonly settings: Settings;
  readonly origins?: ResolvedSettings['origins'];
  /** See `PlatformOptions.witness`. */
  readonly witness?: PlatformOptions['witness'];
}

/** Starts a node and ties its end to the signals of this process. Throws what `startPlatform` throws. */
export async function runNode({ settings, origins, witness }: NodeSettings): Promise<RunningNode> {
  const log = createLog({ level: settings.logLevel, node: settings.nodeId });
  const stopping = new AbortController();
  const asked = Promise.withResolvers<string>();
  void asked.promise.then(() => stopping.abort());
  let askedAtMs = Number.NaN;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (performance.now() - askedAtMs > SECOND_SIGNAL_MS) process.exit(ExitCode.failed);
    if (!Number.isNaN(askedAtMs)) return;
    askedAtMs = performance.now();
    log.info({ signal }, 'asked to stop; a further signal ends the node at once');
    asked.resolve(signal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  // Loaded late: help and wrong settings need none of it.
  const { startPlatform } = await import('../platform.ts');
  const platform = await startPlatform(settings, {
    log,
    ...(origins === undefined ? {} : { origins }),
    ...(witness === undefined ? {} : { witness }),
  }).catch((error: unknown) => {
    throw listenError(error, settings) ?? error;
  });
  const stop = async (): Promise<void> => {
    const why = await asked.promise;
    log.info({ why, drainMs: settings.delivery.drainMs }, 'stopping');
    using _bound = boundStop(settings, log);
    await platform.drain();
    await platform[Symbol.asyncDispose]();
    log.info('stopped');
  };
  return {
    respAddress: platform.respAddress,
    httpAddress: platform.httpAddress,
    ended: stop(),
    stopping: stopping.signal,
    stop: () => asked.resolve('the command has ended'),
    tryOut: (request) => platform.tryOut(request),
    registrations: () => platform.registrations(),
  };
}
