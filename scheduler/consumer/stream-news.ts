import type { Redis } from 'ioredis';
import type { RedisAccess, Shard } from '#functions';
import type { ConsumerLog } from './contracts.ts';

/** Follows keyspace notifications of writes to streams, where the server sends them. */
export interface StreamNews extends AsyncDisposable {
  follow(wanted: boolean): void;
}

export interface StreamNewsOptions {
  readonly access: RedisAccess;
  readonly onStream: (key: string) => void;
  readonly log: ConsumerLog;
}

const PATTERN = '__keyevent@*__:xadd';
const PERIOD_MS = 1_000;
/** More messages than this in a period cost more than the sweeps they save. */
const MOST_PER_PERIOD = 5_000;
const SILENCE_MS = 10_000;

interface Source {
  readonly client: Redis;
  messages: number;
  quietUntilMs: number;
}

export function createStreamNews(options: StreamNewsOptions): StreamNews {
  const { access, log } = options;
  const sources = new Map<string, Source>();
  let following = false;
  const { notifications } = access.facts;
  // Where it cannot be read, asking costs nothing.
  const sent = notifications === null || tellsOfStreams(notifications);

  function open(shard: Shard): void {
    if (sources.has(shard.id)) return;
    const client = access.openClient(shard, 'regears-news');
    const source: Source = { client, messages: 0, quietUntilMs: 0 };
    sources.set(shard.id, source);
    client.on('error', (error: unknown) => log.debug({ err: error }, 'the connection for stream news has a fault'));
    client.on('pmessageBuffer', (_pattern: unknown, _channel: unknown, key: Buffer) => {
      source.messages += 1;
      options.onStream(key.toString('latin1'));
    });
    subscribe(source);
  }

  function subscribe({ client }: Source): void {
    client.psubscribe(PATTERN).catch((error: unknown) => log.debug({ err: error }, 'no news of streams'));
  }

  function openAll(): void {
    if (!following || !sent) return;
    for (const shard of access.shards()) open(shard);
  }

  const forgetTopology = access.onTopologyChange(openAll);
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const source of sources.values()) {
      const tooMany = source.messages > MOST_PER_PERIOD;
      source.messages = 0;
      if (tooMany) {
        source.quietUntilMs = nowMs + SILENCE_MS;
        source.client.punsubscribe(PATTERN).catch(() => undefined); // It is subscribed again anyway.
      } else if (source.quietUntilMs > 0 && nowMs > source.quietUntilMs) {
        source.quietUntilMs = 0;
        subscribe(source);
      }
    }
  }, PERIOD_MS);

  return {
    follow(wanted) {
      following = wanted;
      openAll();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      forgetTopology();
      for (const { client } of sources.values()) client.disconnect();
    },
  };
}

/** True when a server with this `notify-keyspace-events` publishes writes to streams. */
export function tellsOfStreams(notifications: string | null): boolean {
  return /E/.test(notifications ?? '') && /[tA]/.test(notifications ?? '');
}
