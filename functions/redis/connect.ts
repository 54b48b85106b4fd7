import { type Cluster, Redis } from 'ioredis';
import { PlatformError } from '../errors.ts';
import { openCluster } from './cluster-access.ts';
import type { ConnectSettings } from './connect-settings.ts';
import { neverGiveUp } from './connection-log.ts';
import type { RedisAccess } from './redis-access.ts';
import { type RedisLog, SILENT_LOG } from './redis-log.ts';
import { maskRedisUrl, parseRedisUrl } from './redis-url.ts';
import { openSingle } from './single-access.ts';

export interface ConnectOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://`, `unix:///path`; see `parseRedisUrl`. */
  readonly url: string;
  /** Default: nothing is logged. */
  readonly log?: RedisLog;
  /** For so long the first connection is waited for; later ones for ever. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** A pipe that waits for replies and hears nothing for so long connects anew. @default 30_000 */
  readonly stallMs?: number;
}

/**
 * Connects and probes the server. Throws REDIS_URL_INVALID, REDIS_UNREACHABLE (nothing answered within
 * `connectTimeoutMs`, or it refused the credentials) or REDIS_UNSUITABLE (says what to set); then nothing stays open.
 */
export async function connectRedis(options: ConnectOptions): Promise<RedisAccess> {
  const { url, log = SILENT_LOG, connectTimeoutMs = 10_000, stallMs = 30_000 } = options;
  const target = parseRedisUrl(url);
  const settings: ConnectSettings = { target, log, connectTimeoutMs, stallMs };
  const { client, build } = target.topology === 'cluster' ? openCluster(settings) : openSingle(settings);
  const letGo = client instanceof Redis ? neverGiveUp(client) : () => {};
  try {
    await untilReady(client, maskRedisUrl(url), connectTimeoutMs);
    const access = await build();
    return {
      ...access,
      async [Symbol.asyncDispose]() {
        await access[Symbol.asyncDispose]();
        letGo();
        await endClient(client);
      },
    };
  } catch (error) {
    letGo();
    await endClient(client);
    throw error instanceof PlatformError ? error : unreachable(maskRedisUrl(url), error);
  }
}

/** Errors that waiting does not mend. */
const REFUSED = /WRONGPASS|NOAUTH|NOPERM|ERR AUTH|invalid password|without any password configured/;

function untilReady(client: Redis | Cluster, shownUrl: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let lastError: unknown;
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      client.off('ready', onReady);
      client.off('error', onError);
      client.off('node error', onError);
      settle();
    };
    const onReady = (): void => finish(resolve);
    const onError = (error: unknown): void => {
      lastError = innermost(error);
      if (REFUSED.test(String(lastError))) finish(() => reject(unreachable(shownUrl, lastError)));
    };
    const timer = setTimeout(() => finish(() => reject(unreachable(shownUrl, lastError))), timeoutMs);
    client.on('ready', onReady);
    client.on('error', onError);
    client.on('node error', onError);
    if (client.status === 'ready') onReady();
  });
}

/** A cluster client wraps the errors of its nodes. */
function innermost(error: unknown): unknown {
  const inner = (error as { lastNodeError?: unknown }).lastNodeError;
  return inner ?? error;
}

function unreachable(shownUrl: string, cause: unknown): PlatformError<'REDIS_UNREACHABLE'> {
  const why = cause instanceof Error ? cause.message || cause.name : 'nothing answered in time';
  return new PlatformError('REDIS_UNREACHABLE', `no Redis can be used at ${shownUrl}: ${why}`, {
    cause,
    retryable: true,
    details: { url: shownUrl },
  });
}

/** Ends a client and resolves when its sockets are closed; one that is between two attempts has none. */
async function endClient(client: Redis | Cluster): Promise<void> {
  if (client.status === 'end') return;
  // Not unref'd: nothing else may keep the process alive, and whoever waits here has an error to tell.
  const ended = Promise.withResolvers<void>();
  const timer = setTimeout(ended.resolve, 300);
  client.once('end', ended.resolve);
  client.disconnect();
  await ended.promise;
  clearTimeout(timer);
}
