import { type Static, Type } from 'typebox';
import { refreshCluster } from '../../operations/info-cluster.ts';
import { type NodeReport, reportNodes } from '../../operations/node-reports.ts';
import { reportShards } from '../../operations/shard-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { wholeList } from '../paging.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { AtMs, Bytes, Count, nullable, OrNull, pageOf, SpanMs, shape, words } from '../schemas/parts.ts';

const area = 'Nodes';

const SandboxShape = shape({
  pid: Type.Integer(),
  role: words(['shared', 'alone', 'spare']),
  residentBytes: Bytes,
  isolates: Type.Array(
    shape({
      functionName: Type.String(),
      version: Type.Integer(),
      heapBytes: nullable(Bytes),
      cpuMs: nullable(SpanMs),
      batches: OrNull.count,
      entries: OrNull.count,
    }),
  ),
});

export const NodeShape = shape(
  {
    nodeId: Type.String(),
    slot: Count,
    consumer: Type.String(),
    host: Type.String(),
    pid: Type.Integer(),
    version: OrNull.text,
    startedAtMs: AtMs,
    revision: Type.Integer(),
    behind: Type.Boolean(),
    self: Type.Boolean(),
    reportedAtMs: OrNull.atMs,
    residentBytes: nullable(Bytes),
    heapBytes: nullable(Bytes),
    loopDelayMs: nullable(SpanMs),
    ready: nullable(Type.Boolean()),
    sandboxLimitBytes: nullable(Bytes),
    sandboxes: Type.Array(SandboxShape),
  },
  'Node',
);

const ShardShape = shape({
  id: Type.String(),
  host: Type.String(),
  port: Type.Integer(),
  slots: Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 })),
  reachable: Type.Boolean(),
  usedMemoryBytes: nullable(Bytes),
  maxMemoryBytes: nullable(Bytes),
  connectedClients: OrNull.count,
  commandsPerSecond: nullable(Type.Number()),
  uptimeMs: nullable(SpanMs),
});

const ClusterShape = shape(
  {
    topology: words(['single', 'sentinel', 'cluster']),
    product: words(['redis', 'valkey']),
    version: Type.String(),
    persistence: nullable(words(['append-only file', 'snapshots', 'none'])),
    evictionPolicy: OrNull.text,
    notifications: OrNull.text,
    shards: Type.Array(ShardShape),
  },
  'Cluster',
);

/** Nodes of the platform, and shards of the Redis behind. */
export function nodeRoutes(dependencies: HttpDependencies): readonly HttpRoute[] {
  const { access } = dependencies;
  return [
    defineRoute({
      ...{ method: 'GET', path: '/v1/nodes', role: 'read', area },
      summary: 'List live nodes with their sandboxes',
      answers: { 200: { description: 'Live nodes, by slot', schema: pageOf(NodeShape) } },
      handle: async () => ({ body: wholeList((await reportNodes(dependencies)).map(nodeJson)) }),
    }),
    defineRoute({
      ...{ method: 'GET', path: '/v1/cluster', role: 'read', area },
      summary: 'Show the Redis behind with its shards',
      answers: { 200: { description: 'Server and shards', schema: ClusterShape } },
      async handle() {
        const { topology, product, version, evictionPolicy, notifications } = access.facts;
        const shards = await reportShards(dependencies);
        const facts = { topology, product, version, evictionPolicy, notifications };
        return { body: { ...facts, persistence: persistenceOf(access.facts), shards } };
      },
    }),
    defineRoute({
      ...{ method: 'POST', path: '/v1/cluster/refresh', role: 'admin', area },
      summary: 'Read the slot map of the cluster now',
      description: 'Happens by itself otherwise.',
      answers: { 204: { description: 'It is read' } },
      async handle() {
        await refreshCluster(access);
        return {};
      },
    }),
  ];
}

type Facts = HttpDependencies['access']['facts'];

function persistenceOf({ aofEnabled, rdbEnabled }: Facts): Static<typeof ClusterShape>['persistence'] {
  if (aofEnabled === true) return 'append-only file';
  if (aofEnabled === null && rdbEnabled === null) return null;
  return rdbEnabled === true ? 'snapshots' : 'none';
}

export function nodeJson({ status, ...node }: NodeReport): Static<typeof NodeShape> {
  return {
    ...node,
    version: status?.version ?? null,
    reportedAtMs: status?.atMs ?? null,
    residentBytes: status?.residentBytes ?? null,
    heapBytes: status?.heapBytes ?? null,
    loopDelayMs: status?.loopDelayMs ?? null,
    ready: status?.ready ?? null,
    sandboxLimitBytes: status?.sandboxLimitBytes ?? null,
    sandboxes: (status?.sandboxes ?? []).map((one) => ({
      ...one,
      isolates: one.isolates.map((each) => ({ ...each })),
    })),
  };
}
