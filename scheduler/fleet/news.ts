import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

/** The fleet's channel: something changed, look again. What is lost is found by the next heartbeat round. */
export interface FleetNews {
  /** Calls `listener` for news of others than the node with `ownToken`. */
  onNews(ownToken: () => string, listener: () => void): void;
  /** Resolves with the next news or after `ms`. */
  next(ms: number): Promise<void>;
  tell(ownToken: string, what: string): Promise<void>;
  close(): void;
}

export function openNews(access: RedisAccess, keys: SchedulerKeys): FleetNews {
  const subscriber = access.openQueueClient('fleet-news');
  const listeners = new Set<(token: string) => void>();
  subscriber.on('error', () => {});
  subscriber.on('message', (_channel: string, text: string) => {
    const token = text.slice(text.indexOf(' ') + 1);
    for (const listener of [...listeners]) listener(token);
  });
  // Rejects only when the client is closed meanwhile; it subscribes again by itself after every reconnection.
  subscriber.subscribe(keys.news).catch(() => {});
  return {
    onNews(ownToken, listener) {
      listeners.add((token) => {
        if (token !== ownToken()) listener();
      });
    },
    next(ms) {
      return new Promise((resolve) => {
        const timer = setTimeout(finish, ms);
        listeners.add(finish);
        function finish(): void {
          clearTimeout(timer);
          listeners.delete(finish);
          resolve();
        }
      });
    },
    async tell(ownToken, what) {
      await access.client.publish(keys.news, `${what} ${ownToken}`);
    },
    close() {
      listeners.clear();
      subscriber.disconnect();
    },
  };
}
