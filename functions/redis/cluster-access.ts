import { Cluster, Redis } from 'ioredis';
import { PlatformError } from '../errors.ts';
import { type ClientOptions, clientOptions, connectionName, retryDelayMs } from './client-options.ts';
import { createClusterPipe } from './cluster-pipe.ts';
import { type ClusterTopology, createClusterTopology } from './cluster-topology.ts';
import type { CommandTable } from './command-table.ts';
import type { AccessParts, ConnectSettings } from './connect-settings.ts';
import { logConnection } from './connection-log.ts';
import { createHashTags, slotOfKey } from './hash-tags.ts';
import { assertSuitable, factsOf, publicFacts, readServer } from './probe.ts';
import type { RawLink } from './raw-link.ts';
import type { Endpoint, RedisAccess, ServerFacts, Shard } from './redis-access.ts';
import { createCommandTable } from './server-command-table.ts';
import { openNamed } from './single-access.ts';
import { createSocketLink } from './socket-link.ts';

/** How often the slot map is asked for when nothing tells that it has changed. */
const SLOTS_REFRESH_MS = 5_000;

/** Access to a cluster. */
export function openCluster(settings: ConnectSettings): AccessParts<Cluster> {
  const { target, log, connectTimeoutMs } = settings;
  const options = clientOptions(target, connectTimeoutMs);
  const client = newCluster(settings, options, 'regears-control');
  logConnection(client, 'control', log);
  return {
    client,
    async build() {
      const topology = createClusterTopology(client);
      const commands = createCommandTable(await client.call('COMMAND'));
      const facts = await probePrimaries(topology.shards(), commands, ({ host, port }) =>
        openNamed({ ...options, host, port }, 'regears-probe', log),
      );
      return assemble({ settings, options, topology, commands, facts, client });
    },
  };
}

function newCluster({ target }: ConnectSettings, options: ClientOptions, name: string): Cluster {
  return new Cluster(
    target.hosts.map((host) => ({ ...host })),
    {
      redisOptions: { ...options, connectionName: connectionName(name) },
      clusterRetryStrategy: retryDelayMs,
      // A command waits for the end of an outage; every redirection but MOVED has a pause.
      maxRedirections: Number.MAX_SAFE_INTEGER,
      retryDelayOnMoved: 10,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      // With TLS the certificate is checked against the name, not against what it resolves to.
      ...(options.tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
    },
  );
}

/** Every primary has to be suitable; the facts are those of the first. Throws REDIS_UNSUITABLE. */
async function probePrimaries(
  shards: readonly Shard[],
  commands: CommandTable,
  open: (shard: Shard) => Redis,
): Promise<ServerFacts> {
  const all = await Promise.all(
    shards.map(async (shard) => {
      const client = open(shard);
      try {
        const found = factsOf(await readServer(client), 'cluster', commands);
        assertSuitable(found, shard.id);
        return publicFacts(found);
      } finally {
        client.disconnect();
      }
    }),
  );
  const [first] = all;
  if (first) return first;
  throw new PlatformError('REDIS_UNSUITABLE', 'no node of the cluster owns a slot: assign its slots first');
}

interface ClusterParts {
  readonly settings: ConnectSettings;
  readonly options: ClientOptions;
  readonly topology: ClusterTopology;
  readonly commands: CommandTable;
  readonly facts: ServerFacts;
  readonly client: Cluster;
}

function assemble({ settings, options, topology, commands, facts, client }: ClusterParts): RedisAccess {
  const { log, connectTimeoutMs, stallMs } = settings;
  const tags = createHashTags();
  const at = ({ host, port }: Shard): ClientOptions => ({ ...options, host, port });
  const openLink = (shard: Shard, name: string, linkStallMs: number): RawLink =>
    createSocketLink({
      name,
      log,
      stallMs: linkStallMs,
      onDemotion: 'report',
      onTrouble: () => void topology.refresh(),
      client: new Redis({
        ...at(shard),
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
    shards: topology.shards,
    shardOf: (key) => topology.ownerOf(slotOfKey(key)),
    slotOf: slotOfKey,
    tagOf: (key) => tags.tagOfSlot(slotOfKey(key)),
    onTopologyChange: topology.onChange,
    openRaw: (shard, name) => openLink(shard, name, 0),
    openPipe: (name) =>
      createClusterPipe({ topology, table: commands, openLink: (shard) => openLink(shard, name, stallMs) }),
    openClient: (shard, name): Redis => openNamed(at(shard), name, log),
    openQueueClient(name) {
      const queue = newCluster(settings, options, name);
      logConnection(queue, name, log);
      return queue;
    },
    endpointOf: ({ host, port }): Endpoint => ({ host, port, ...(options.tls ? { tls: { ...options.tls } } : {}) }),
    async [Symbol.asyncDispose]() {
      topology[Symbol.dispose]();
    },
  };
}
