import type { Cluster, Redis } from 'ioredis';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { OK, recordReply } from './records.ts';
import { arityError } from './syntax-error.ts';

type SlotRow = readonly [number, number, readonly [string, number, string]];

/** `RG.INFOCLUSTER`: the shards, as RedisGears showed them, and behind them the platform's nodes. */
export function createInfoClusterOperation({ access, fleet }: OperationDependencies): Operation {
  return {
    name: 'RG.INFOCLUSTER',
    summary: 'Shows the shards of the Redis cluster and the nodes of the platform.',
    syntax: ['RG.INFOCLUSTER'],
    permission: () => 'read',
    async run(args) {
      if (args.length > 0) throw arityError('rg.infocluster');
      if (access.facts.topology !== 'cluster') return 'no cluster mode';
      const [rows, nodes] = await Promise.all([readSlots(access.client), fleet.nodes()]);
      const first = new Map<string, SlotRow>();
      for (const row of rows) if (!first.has(row[2][2])) first.set(row[2][2], row);
      const shards = [...first.values()].map(shardReply);
      const own = nodes.map(({ nodeId, host, pid, consumer }) => recordReply({ id: nodeId, host, pid, consumer }));
      const [myId = ''] = first.keys();
      return ['MyId', myId, 'MyRunId', fleet.self.nodeId, shards, 'nodes', own];
    },
  };
}

function shardReply([minHslot, maxHslot, [ip, port, id]]: SlotRow): ReplyValue {
  return recordReply({ id, ip, port, unixSocket: 'None', runid: id, minHslot, maxHslot, pendingMessages: 0 });
}

async function readSlots(client: Redis | Cluster): Promise<readonly SlotRow[]> {
  const rows = (await (client as Redis).call('CLUSTER', 'SLOTS')) as readonly SlotRow[];
  return [...rows].sort((a, b) => a[0] - b[0]);
}

/** `RG.REFRESHCLUSTER`: nodes follow the cluster by themselves; this makes the one that is asked look now. */
export function createRefreshClusterOperation({ access }: OperationDependencies): Operation {
  return {
    name: 'RG.REFRESHCLUSTER',
    summary: 'Reads the slot map of the Redis cluster now; happens by itself otherwise.',
    syntax: ['RG.REFRESHCLUSTER'],
    permission: () => 'manage',
    async run(args) {
      if (args.length > 0) throw arityError('rg.refreshcluster');
      await refreshCluster(access);
      return OK;
    },
  };
}

/** Reads the slot map now; does nothing on one server. */
export async function refreshCluster({ client }: Pick<OperationDependencies['access'], 'client'>): Promise<void> {
  if (!('refreshSlotsCache' in client)) return;
  await new Promise<void>((resolve, reject) => {
    client.refreshSlotsCache((error) => (error ? reject(error) : resolve()));
  });
}
