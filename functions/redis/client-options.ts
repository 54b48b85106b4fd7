import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';
import { PlatformError } from '../errors.ts';
import type { RedisTarget, TlsSettings } from './redis-url.ts';

/** Options of ioredis that hold for every connection; the type parameter of its clients wants `legacy` spelled out. */
export type ClientOptions = RedisOptions & { replyMapping: 'legacy' };

/** The longest pause between two attempts to connect. There is no last attempt. */
const MAX_RETRY_MS = 1_000;

/** Pause before attempt `times` (1 = first after a loss). */
export function retryDelayMs(times: number): number {
  return times <= 1 ? 10 : Math.min(50 * 2 ** (times - 2), MAX_RETRY_MS);
}

/** Options for a client of one server or of the primary that the sentinels name; for a cluster, of any of its nodes. */
export function clientOptions(target: RedisTarget, connectTimeoutMs: number): ClientOptions {
  const tls = tlsOptions(target.tls);
  return {
    ...addressOf(target),
    ...(target.username ? { username: target.username } : {}),
    ...(target.password ? { password: target.password } : {}),
    ...(tls ? { tls } : {}),
    protocol: 2,
    replyMapping: 'legacy',
    connectTimeout: connectTimeoutMs,
    // A connection that does not end when asked to is destroyed after so long.
    disconnectTimeout: 100,
    keepAlive: 5_000,
    noDelay: true,
    retryStrategy: retryDelayMs,
    maxRetriesPerRequest: null,
    // How long to wait before asking again whether a starting server has loaded its data.
    maxLoadingRetryTime: 200,
  };
}

function addressOf(target: RedisTarget): RedisOptions {
  if (target.path) return { path: target.path };
  if (target.topology === 'single') return { ...target.hosts[0] };
  if (target.topology === 'cluster') return {};
  const tls = tlsOptions(target.tls);
  return {
    sentinels: target.hosts.map((host) => ({ ...host })),
    name: target.sentinelName ?? '',
    role: 'master',
    sentinelRetryStrategy: retryDelayMs,
    sentinelCommandTimeout: 5_000,
    ...(target.sentinelUsername ? { sentinelUsername: target.sentinelUsername } : {}),
    ...(target.sentinelPassword ? { sentinelPassword: target.sentinelPassword } : {}),
    ...(tls ? { sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
  };
}

/** What `tls.connect` takes. Throws REDIS_URL_INVALID naming a file that cannot be read. */
export function tlsOptions(settings: TlsSettings | null): Readonly<Record<string, unknown>> | undefined {
  if (!settings) return undefined;
  const { caFile, certFile, keyFile, servername, rejectUnauthorized } = settings;
  return {
    rejectUnauthorized,
    ...(caFile ? { ca: readTlsFile(caFile) } : {}),
    ...(certFile ? { cert: readTlsFile(certFile) } : {}),
    ...(keyFile ? { key: readTlsFile(keyFile) } : {}),
    ...(servername ? { servername } : {}),
  };
}

function readTlsFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PlatformError('REDIS_URL_INVALID', `the TLS file '${file}' of the Redis address cannot be read`, {
      cause: error,
      details: { file },
    });
  }
}

/** Name of a connection as CLIENT LIST shows it: characters that CLIENT SETNAME refuses become `-`. */
export function connectionName(name: string): string {
  return name.replaceAll(/[^!-~]/g, '-');
}
