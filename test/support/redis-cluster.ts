import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { endChild } from './children.ts';
import { freePort } from './free-port.ts';
import { baseArgs, launch } from './redis.ts';
import { waitFor } from './wait.ts';

export interface TestClusterOptions {
  /** Default 3. */
  readonly primaries?: number;
  /** Replicas of each primary, default 0. */
  readonly replicas?: number;
  readonly notifications?: string;
  readonly args?: readonly string[];
}

export interface TestClusterNode {
  readonly port: number;
  readonly pid: number;
  readonly nodeId: string;
  /** A client of this one node; closed together with the cluster. */
  readonly client: Redis;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export interface TestCluster extends AsyncDisposable {
  /** `redis+cluster://…` with every primary. */
  readonly url: string;
  readonly primaries: readonly TestClusterNode[];
  readonly replicas: readonly TestClusterNode[];
  /** A new ioredis cluster client; closed together with the cluster. */
  client(): Cluster;
  /** FLUSHALL on every primary. */
  flush(): Promise<void>;
  /** Moves one slot with its keys to another primary and lets every primary know. */
  moveSlot(slot: number, to: TestClusterNode): Promise<void>;
}

const HOST = '127.0.0.1';
const SLOTS = 16_384;

/** Starts a real cluster on free loopback ports and resolves when every node reports `cluster_state:ok`. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'regears-cluster-'));
  const count = options.primaries ?? 3;
  const total = count * (1 + (options.replicas ?? 0));
  const nodes = await Promise.all(Array.from({ length: total }, (_, i) => startNode(dir, i, options)));
  const primaries = nodes.slice(0, count);
  const replicas = nodes.slice(count);
  const clusterClients = new Set<Cluster>();
  const cluster: TestCluster = {
    url: `redis+cluster://${primaries.map((node) => `${HOST}:${node.port}`).join(',')}`,
    primaries,
    replicas,
    client() {
      const client = new Cluster(primaries.map((node) => ({ host: HOST, port: node.port })));
      client.on('error', () => {});
      clusterClients.add(client);
      return client;
    },
    async flush() {
      await Promise.all(primaries.map((node) => node.client.flushall()));
    },
    moveSlot: (slot, to) => moveSlot(primaries, slot, to),
    async [Symbol.asyncDispose]() {
      for (const client of clusterClients) client.disconnect();
      for (const node of nodes) node.client.disconnect();
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
  await joinNodes(primaries, replicas).catch(async (error: unknown) => {
    await cluster[Symbol.asyncDispose]();
    throw error;
  });
  return cluster;
}

async function startNode(dir: string, index: number, options: TestClusterOptions): Promise<TestClusterNode> {
  const nodeDir = join(dir, String(index));
  mkdirSync(nodeDir);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const args = nodeArgs({ dir: nodeDir, port, busPort: await freePort(), options });
    try {
      return await describeNode(port, args, await launch(args));
    } catch (error) {
      if (attempt >= 5 || !String(error).includes('ddress already in use')) throw error;
    }
  }
}

interface NodeArgs {
  readonly dir: string;
  readonly port: number;
  readonly busPort: number;
  readonly options: TestClusterOptions;
}

function nodeArgs({ dir, port, busPort, options }: NodeArgs): string[] {
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port', String(busPort)];
  const sync = ['--repl-diskless-sync-delay', '0'];
  const notify = options.notifications ? ['--notify-keyspace-events', options.notifications] : [];
  return ['--port', String(port), ...baseArgs(dir), ...cluster, ...sync, ...notify, ...(options.args ?? [])];
}

type Launched = Awaited<ReturnType<typeof launch>>;

async function describeNode(port: number, args: readonly string[], first: Launched): Promise<TestClusterNode> {
  let running = first;
  const client = new Redis({ host: HOST, port, retryStrategy: (times) => Math.min(50 * times, 500) });
  client.on('error', () => {});
  const nodeId = String(await client.call('CLUSTER', 'MYID'));
  return {
    port,
    nodeId,
    client,
    get pid() {
      return running.child.pid ?? 0;
    },
    kill: () => endChild(running.child, 'SIGKILL'),
    async restart() {
      await endChild(running.child, 'SIGKILL');
      running = await launch(args);
    },
  };
}

async function joinNodes(primaries: readonly TestClusterNode[], replicas: readonly TestClusterNode[]): Promise<void> {
  const [first] = primaries;
  if (!first) throw new Error('a cluster needs a primary');
  const all = [...primaries, ...replicas];
  await Promise.all(primaries.map((node, i) => assignSlots(node, i, primaries.length)));
  for (const node of all.slice(1)) await meet(first, node);
  await waitFor(async () => (await knownNodes(all)).every((known) => known === all.length), {
    what: `every node knows all ${all.length} nodes`,
  });
  await Promise.all(
    replicas.map((node, i) => node.client.call('CLUSTER', 'REPLICATE', primaries[i % primaries.length]?.nodeId ?? '')),
  );
  await waitFor(async () => (await Promise.all(all.map(isOk))).every(Boolean), {
    what: 'cluster_state:ok on every node',
  });
  await waitFor(async () => (await Promise.all(replicas.map(follows))).every(Boolean), {
    what: 'every replica follows its primary',
  });
}

async function assignSlots(node: TestClusterNode, index: number, count: number): Promise<void> {
  const from = Math.floor((index * SLOTS) / count);
  const to = Math.floor(((index + 1) * SLOTS) / count) - 1;
  await node.client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  await node.client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
}

async function meet(first: TestClusterNode, node: TestClusterNode): Promise<void> {
  const own = String(await node.client.call('CLUSTER', 'NODES'));
  const busPort = /:\d+@(\d+)/.exec(own)?.[1] ?? String(node.port + 10_000);
  await first.client.call('CLUSTER', 'MEET', HOST, String(node.port), busPort);
}

function knownNodes(nodes: readonly TestClusterNode[]): Promise<number[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const lines = String(await node.client.call('CLUSTER', 'NODES'))
        .trim()
        .split('\n');
      return lines.filter((line) => !line.includes('handshake') && line.includes(' connected')).length;
    }),
  );
}

async function isOk(node: TestClusterNode): Promise<boolean> {
  const info = String(await node.client.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
}

async function follows(node: TestClusterNode): Promise<boolean> {
  return (await node.client.info('replication')).includes('master_link_status:up');
}

async function moveSlot(primaries: readonly TestClusterNode[], slot: number, to: TestClusterNode): Promise<void> {
  const slots = (await to.client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  const owner = slots.find(([first, last]) => slot >= first && slot <= last)?.[2][2];
  const from = primaries.find((node) => node.nodeId === owner);
  if (!from || from === to) return;
  await to.client.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.nodeId);
  await from.client.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.nodeId);
  const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
  if (keys.length > 0) await from.client.call('MIGRATE', HOST, String(to.port), '', '0', '5000', 'KEYS', ...keys);
  for (const node of [to, ...primaries.filter((other) => other !== to)]) {
    await node.client.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', to.nodeId);
  }
}
