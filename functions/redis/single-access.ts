import { Redis } from 'ioredis';
import { clientOptions, connectionName } from './client-options.ts';
import type { AccessParts, ConnectSettings } from './connect-settings.ts';
import { logConnection } from './connection-log.ts';
import { STANDALONE_TAG, slotOfKey } from './hash-tags.ts';
import { assertSuitable, factsOf, publicFacts, readServer } from './probe.ts';
import type { RawLink } from './raw-link.ts';
import type { Endpoint, Shard } from './redis-access.ts';
import { createCommandTable } from './server-command-table.ts';
import { createSinglePipe } from './single-pipe.ts';
import { createSocketLink } from './socket-link.ts';

/** Access to one server, or to the primary that sentinels name. */
export function openSingle({ target, log, connectTimeoutMs, stallMs }: ConnectSettings): AccessParts<Redis> {
  const options = clientOptions(target, connectTimeoutMs);
  const client = new Redis({
    ...options,
    connectionName: 'regears-control',
    ...(target.topology === 'sentinel' ? { failoverDetector: true } : {}),
  });
  logConnection(client, 'control', log);
  return {
    client,
    async build() {
      const commands = createCommandTable(await client.call('COMMAND'));
      const where = target.path ?? `${client.stream.remoteAddress}:${client.stream.remotePort}`;
      const found = factsOf(await readServer(client), target.topology, commands);
      assertSuitable(found, where);
      const facts = publicFacts(found);
      const place = followPrimary(client, target.hosts[0]);
      const openLink = (name: string, linkStallMs: number): RawLink =>
        createSocketLink({
          name,
          log,
          stallMs: linkStallMs,
          onDemotion: 'verify',
          client: new Redis({
            ...options,
            connectionName: connectionName(name),
            commandTimeout: connectTimeoutMs,
            autoResendUnfulfilledCommands: false,
            autoResubscribe: false,
          }),
        });
      return {
        facts,
        commands,
        client,
        shards: () => [place.shard()],
        shardOf: () => place.shard(),
        slotOf: slotOfKey,
        tagOf: () => STANDALONE_TAG,
        onTopologyChange: place.onChange,
        openRaw: (_shard, name) => openLink(name, 0),
        openPipe: (name) => createSinglePipe(openLink(name, stallMs)),
        openClient: (_shard, name) => openNamed(options, name, log),
        openQueueClient: (name) => openNamed(options, name, log),
        endpointOf: ({ host, port }): Endpoint => ({
          ...(target.path ? { path: target.path } : { host, port }),
          ...(options.tls ? { tls: { ...options.tls } } : {}),
        }),
        async [Symbol.asyncDispose]() {
          place.stop();
        },
      };
    },
  };
}

/** A client of its own, with the errors of its connection in the log. */
export function openNamed(options: ReturnType<typeof clientOptions>, name: string, log: ConnectSettings['log']): Redis {
  const client = new Redis({ ...options, connectionName: connectionName(name) });
  logConnection(client, name, log);
  return client;
}

interface Place {
  shard(): Shard;
  onChange(listener: () => void): () => void;
  stop(): void;
}

/** Where the primary is: the address of the control connection, which sentinels may change. */
function followPrimary(client: Redis, fallback: { readonly host: string; readonly port: number } | undefined): Place {
  const listeners = new Set<() => void>();
  const read = (): Shard => ({
    id: 'single',
    host: client.stream?.remoteAddress ?? fallback?.host ?? 'localhost',
    port: client.stream?.remotePort ?? fallback?.port ?? 0,
  });
  let shard = read();
  const update = (): void => {
    const next = read();
    if (next.host === shard.host && next.port === shard.port) return;
    shard = next;
    for (const listener of listeners) listener();
  };
  client.on('ready', update);
  return {
    shard: () => shard,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      client.off('ready', update);
      listeners.clear();
    },
  };
}
