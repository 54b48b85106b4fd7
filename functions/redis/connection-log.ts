import type { Cluster, Redis } from 'ioredis';
import type { RedisLog } from './redis-log.ts';

/** Logs an outage twice, not once per attempt: when the connection fails and when it is there again. */
export function logConnection(client: Redis | Cluster, connection: string, log: RedisLog): void {
  let downSince: number | undefined;
  client.on('error', (error: Error) => {
    if (downSince !== undefined) return;
    downSince = performance.now();
    log.warn({ connection, err: error }, 'Redis connection failed: trying again until it is back');
  });
  client.on('ready', () => {
    if (downSince === undefined) return;
    const outageMs = Math.round(performance.now() - downSince);
    downSince = undefined;
    log.info({ connection, outageMs }, 'Redis connection is back');
  });
}

/**
 * ioredis gives up in a few places whatever its retry strategy says, such as a failover noticed while it asks the
 * sentinels. This makes it go on. Returns a function to call before the client is closed for good.
 */
export function neverGiveUp(client: Redis): () => void {
  const revive = (): void => {
    setTimeout(() => {
      if (client.status === 'end' && client.listeners('end').includes(revive)) client.connect().catch(() => {});
    }, 200).unref();
  };
  client.on('end', revive);
  return () => client.off('end', revive);
}
