import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startCluster } from '../support/redis-cluster.ts';

type SlotRow = readonly [from: number, to: number, primary: readonly [ip: string, port: number, id: string]];

test('RG.INFOCLUSTER shows every primary with its slots, and the nodes behind them; RG.REFRESHCLUSTER is allowed', async () => {
  await using cluster = await startCluster({ primaries: 3 });
  await using platform = await startPlatformProcess({ redisUrl: cluster.url });
  const [myId, id, myRunId, runId, shards, nodes, own] = (await platform.door.call('RG.INFOCLUSTER')) as [
    ...[string, string, string, string],
    unknown[][],
    ...[string, unknown[][]],
  ];
  expect([myId, myRunId, nodes]).toEqual(['MyId', 'MyRunId', 'nodes']);
  expect(shards.map((row) => row.filter((_, at) => at % 2 === 0))).toEqual(
    Array(3).fill(['id', 'ip', 'port', 'unixSocket', 'runid', 'minHslot', 'maxHslot', 'pendingMessages']),
  );
  const client = cluster.client();
  await client.ping();
  const slots = (await client.nodes('master')[0]?.call('CLUSTER', 'SLOTS')) as readonly SlotRow[];
  const bySlot = slots.toSorted((a, b) => a[0] - b[0]);
  expect(shards.map((row) => [row[11], row[13], row[1], row[5]])).toEqual(
    bySlot.map(([from, to, [, port, node]]) => [from, to, node, port]),
  );
  expect(bySlot.map(([, , [, , node]]) => node)).toContain(id);
  expect(own.map((row) => row[1])).toEqual([runId]);
  expect(await platform.door.call('RG.REFRESHCLUSTER')).toBe('OK');
});
