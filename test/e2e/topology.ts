import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';

/** A Redis of some shape for tests that must hold on all of them. */
export interface Topology extends AsyncDisposable {
  readonly url: string;
  client(): Redis | Cluster;
  flush(): Promise<void>;
}

export const TOPOLOGIES: Readonly<Record<string, () => Promise<Topology>>> = {
  'one server': async () => {
    const redis = await startRedis();
    const client = redis.client();
    return {
      url: redis.url,
      client: () => client,
      flush: async () => void (await client.flushall()),
      [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
    };
  },
  'a cluster of 3 primaries': async () => {
    const cluster = await startCluster({ primaries: 3 });
    const client = cluster.client();
    return {
      url: cluster.url,
      client: () => client,
      flush: () => cluster.flush(),
      [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
    };
  },
};

/** Sets an option of the server on every primary. */
export async function configureAll(topology: Topology, name: string, value: string): Promise<void> {
  const client = topology.client();
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  await Promise.all(nodes.map((node) => node.config('SET', name, value)));
}

/** A node on a Redis; both there only while tests run. */
export interface World {
  readonly topology: Topology;
  readonly platform: PlatformProcess;
}

/** Declares the same tests for every topology, each with a node of its own on servers with these options. */
export function describeOnTopologies(
  title: string,
  tests: (world: World) => void,
  options: Readonly<Record<string, string>> = {},
): void {
  describe.each(Object.entries(TOPOLOGIES))(`${title} on %s`, (_, start) => {
    let topology: Topology | undefined;
    let platform: PlatformProcess | undefined;
    beforeAll(async () => {
      topology = await start();
      for (const [name, value] of Object.entries(options)) await configureAll(topology, name, value);
      platform = await startPlatformProcess({ redisUrl: topology.url });
    });
    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
      await topology?.[Symbol.asyncDispose]();
    });
    tests({
      get topology() {
        return topology as Topology;
      },
      get platform() {
        return platform as PlatformProcess;
      },
    });
  });
}

/** Loads a function through the door; answers version and registration ids. */
export async function loadFunction(
  door: Redis,
  name: string,
  source: string,
): Promise<{ readonly version: number; readonly ids: readonly string[] }> {
  const reply = await door.call('RG.FUNCTION', 'LOAD', name, source);
  const [, version, , ids] = reply as [string, number, string, string[]];
  return { version, ids };
}

/** The registration's row of RG.DUMPREGISTRATIONS, its data flattened into one map. */
export async function registrationRow(door: Redis, id: string): Promise<ReadonlyMap<string, unknown>> {
  const rows = ((await door.call('RG.DUMPREGISTRATIONS')) as unknown[][]).map(pairs);
  const row = rows.find((candidate) => candidate.get('id') === id);
  if (row === undefined) throw new Error(`There is no registration ${id}.`);
  return new Map([...row, ...pairs(row.get('RegistrationData') as unknown[])]);
}

function pairs(list: readonly unknown[]): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (let n = 0; n + 1 < list.length; n += 2) map.set(String(list[n]), list[n + 1]);
  return map;
}
