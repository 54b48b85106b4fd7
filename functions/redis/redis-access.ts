import type { Cluster, Redis } from 'ioredis';
import type { CommandTable } from './command-table.ts';
import type { CommandPipe, RawLink } from './raw-link.ts';

/** One Redis primary. */
export interface Shard {
  /** Stable while the primary stays in its place: `single`, or `host:port` in a cluster. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

/** What the probe at start found out about the server. */
export interface ServerFacts {
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  readonly topology: 'single' | 'sentinel' | 'cluster';
  /** `maxmemory-policy`, or null where CONFIG/INFO is not allowed. */
  readonly evictionPolicy: string | null;
  readonly aofEnabled: boolean | null;
  readonly rdbEnabled: boolean | null;
  /** `notify-keyspace-events`, or null where it cannot be read. */
  readonly notifications: string | null;
  /** True when `ACL DRYRUN` exists. */
  readonly aclDryRun: boolean;
}

/** Everything the platform does with Redis goes through one of these. Created once per node, closed last. */
export interface RedisAccess extends AsyncDisposable {
  readonly facts: ServerFacts;
  /** The server's own command table (COMMAND), for policy and routing. */
  readonly commands: CommandTable;
  /** ioredis client for the control plane. Commands wait through outages; never used for blocking commands. */
  readonly client: Redis | Cluster;
  shards(): readonly Shard[];
  /** The shard that owns the slot of a key (latin1 text). */
  shardOf(key: string): Shard;
  /** Slot of a key, 0 … 16383; hash tags count. */
  slotOf(key: string): number;
  /**
   * A short hash tag for platform keys that must share a slot with `key`: on a cluster a tag of that slot, on one server
   * always the same, so that there are few such keys.
   */
  tagOf(key: string): string;
  /** Called after the set of shards or the slot map changed. Returns a function that removes the listener. */
  onTopologyChange(listener: () => void): () => void;
  /** A dedicated raw connection to one shard; `name` shows in CLIENT LIST. The caller closes it. */
  openRaw(shard: Shard, name: string): RawLink;
  /** A pipe over all shards with connections of its own. The caller closes it. */
  openPipe(name: string): CommandPipe;
  /** A dedicated ioredis connection to one shard (subscriptions, WATCH). The caller closes it. */
  openClient(shard: Shard, name: string): Redis;
  /** Fresh client for BullMQ, which wants its own (`maxRetriesPerRequest: null`). The caller closes it. */
  openQueueClient(name: string): Redis | Cluster;
  /** How to open a TCP/unix/TLS connection to a shard, for the RESP door's pass-through (no authentication done). */
  endpointOf(shard: Shard): Endpoint;
}

/** Where a socket goes: exactly what `net.connect` or `tls.connect` takes. */
export interface Endpoint {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: Readonly<Record<string, unknown>>;
}
