import type { Cluster, Redis } from 'ioredis';
import type { RedisAccess } from './redis-access.ts';
import type { RedisLog } from './redis-log.ts';
import type { RedisTarget } from './redis-url.ts';

/** Connect options with every default filled in. */
export interface ConnectSettings {
  readonly target: RedisTarget;
  readonly log: RedisLog;
  readonly connectTimeoutMs: number;
  readonly stallMs: number;
}

/** What is there before the first connection: the client, and how to go on once it is ready. */
export interface AccessParts<Client extends Redis | Cluster> {
  readonly client: Client;
  /** Probes the server; throws REDIS_UNSUITABLE. Disposing of the result leaves the client alone. */
  build(): Promise<RedisAccess>;
}
