import type { Redis } from 'ioredis';
import type { OperationDependencies } from './dependencies.ts';

/** One primary with its own figures. */
export interface ShardReport {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** `[first, last]`. */
  readonly slots: readonly (readonly [number, number])[];
  readonly reachable: boolean;
  readonly usedMemoryBytes: number | null;
  /** Null = no limit. */
  readonly maxMemoryBytes: number | null;
  readonly connectedClients: number | null;
  readonly commandsPerSecond: number | null;
  readonly uptimeMs: number | null;
}

type SlotRow = readonly [number, number, readonly [string, number, string?]];
type Access = OperationDependencies['access'];

const ALL_SLOTS: readonly (readonly [number, number])[] = [[0, 16_383]];
const ANSWER_MS = 2_000;

/** All primaries, by their lowest slot. One that does not answer is shown as unreachable. */
export async function reportShards({ access }: Pick<OperationDependencies, 'access'>): Promise<readonly ShardReport[]> {
  const { client } = access;
  if (!('nodes' in client)) {
    const [shard] = access.shards();
    return [
      reportOf(
        { id: shard?.id ?? 'single', host: shard?.host ?? '', port: shard?.port ?? 0, slots: ALL_SLOTS },
        await info(client),
      ),
    ];
  }
  const rows = (await (client as unknown as Redis).call('CLUSTER', 'SLOTS')) as readonly SlotRow[];
  const byNode = Map.groupBy(rows, ([, , [host, port]]) => `${host}:${port}`);
  const nodes = client.nodes('master');
  const reports = [...byNode].map(async ([address, own]) => {
    const [host, port, id = address] = own[0]?.[2] ?? ['', 0];
    const node = nodes.find(({ options }) => `${options.host}:${options.port}` === address);
    const slots = own.map(([first, last]) => [first, last] as const).sort((a, b) => a[0] - b[0]);
    return reportOf({ id, host, port, slots }, node === undefined ? null : await info(node));
  });
  return (await Promise.all(reports)).sort((a, b) => (a.slots[0]?.[0] ?? 0) - (b.slots[0]?.[0] ?? 0));
}

function reportOf(
  place: Pick<ShardReport, 'id' | 'host' | 'port' | 'slots'>,
  facts: ReadonlyMap<string, string> | null,
): ShardReport {
  const number = (name: string): number | null => {
    const value = facts?.get(name);
    return value === undefined ? null : Number(value);
  };
  const uptime = number('uptime_in_seconds');
  return {
    ...place,
    reachable: facts !== null,
    usedMemoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory') || null,
    connectedClients: number('connected_clients'),
    commandsPerSecond: number('instantaneous_ops_per_sec'),
    uptimeMs: uptime === null ? null : uptime * 1_000,
  };
}

async function info(client: Access['client'] | Redis): Promise<ReadonlyMap<string, string> | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ANSWER_MS);
  });
  const text = await Promise.race([(client as Redis).info().catch(() => null), late]);
  clearTimeout(timer);
  if (text === null) return null;
  return new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}
