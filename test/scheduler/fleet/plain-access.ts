import type { Redis } from 'ioredis';
import type { RedisAccess } from '#functions';
import type { TestRedis } from '../../support/redis.ts';

/** The part of RedisAccess that fleet, queues and journal use, on one test server. */
export function plainAccess(server: Pick<TestRedis, 'host' | 'port' | 'client'>, port = server.port): RedisAccess {
  const open = (): Redis =>
    server.client({ port, maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(20 * times, 200) });
  const shard = { id: 'single', host: server.host, port };
  const access: Partial<RedisAccess> = {
    client: open(),
    shards: () => [shard],
    shardOf: () => shard,
    slotOf: () => 0,
    tagOf: (key) => (key.startsWith('other') ? 't1' : 't0'),
    openQueueClient: open,
    openClient: open,
  };
  return access as RedisAccess;
}
