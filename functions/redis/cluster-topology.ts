import type { Cluster } from 'ioredis';
import { SLOT_COUNT } from './hash-tags.ts';
import type { Shard } from './redis-access.ts';

/** Which primary owns which slot, as CLUSTER SLOTS told ioredis and redirections told us since. */
export interface ClusterTopology extends Disposable {
  /** The primaries that own slots, ordered by their id. */
  shards(): readonly Shard[];
  /** Owner of a slot; some shard when the cluster has none for it (that one will answer CLUSTERDOWN). */
  ownerOf(slot: number): Shard;
  /** True for an address that CLUSTER SLOTS named, primary or replica. Redirections elsewhere are not believed. */
  knows(id: string): boolean;
  /** Takes a redirection for granted until the next refresh. Ignored when the address is not known. */
  note(slot: number, id: string): void;
  /** Asks the cluster; calls that come close together share one question. Resolves also when nobody could answer. */
  refresh(): Promise<void>;
  /** Called after the shards or the owner of any slot changed. Returns a function that removes the listener. */
  onChange(listener: () => void): () => void;
}

/** Pause between two questions to the cluster. */
const REFRESH_PAUSE_MS = 100;

/** `cluster` must have been ready once. */
export function createClusterTopology(cluster: Cluster): ClusterTopology {
  const listeners = new Set<() => void>();
  let owners: (Shard | undefined)[] = [];
  let shards: readonly Shard[] = [];
  let known = new Map<string, Shard>();
  let refreshing: Promise<void> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;

  const rebuild = (): void => {
    const next = readSlots(cluster, known);
    const changed = next.owners.length !== owners.length || next.owners.some((owner, slot) => owner !== owners[slot]);
    ({ owners, shards, known } = next);
    if (changed) for (const listener of listeners) listener();
  };
  const ask = async (): Promise<void> => {
    const pause = refreshedAt + REFRESH_PAUSE_MS - performance.now();
    if (pause > 0) await new Promise<void>((resolve) => setTimeout(resolve, pause).unref());
    await new Promise<void>((resolve) => cluster.refreshSlotsCache(() => resolve()));
    refreshedAt = performance.now();
    refreshing = undefined;
  };
  cluster.on('refresh', rebuild);
  rebuild();
  return {
    shards: () => shards,
    ownerOf(slot) {
      const owner = owners[slot] ?? shards[0];
      // Before the first answer and with all slots uncovered there is nothing to choose from: any address will do.
      return owner ?? [...known.values()][0] ?? { id: 'none', host: '127.0.0.1', port: 1 };
    },
    knows: (id) => known.has(id),
    note(slot, id) {
      const shard = known.get(id);
      if (!shard || owners[slot] === shard) return;
      owners[slot] = shard;
      if (!shards.includes(shard)) shards = sorted([...shards, shard]);
      for (const listener of listeners) listener();
    },
    refresh() {
      refreshing ??= ask();
      return refreshing;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.dispose]() {
      cluster.off('refresh', rebuild);
      listeners.clear();
    },
  };
}

interface SlotMap {
  readonly owners: (Shard | undefined)[];
  readonly shards: readonly Shard[];
  readonly known: Map<string, Shard>;
}

/** The slot map of ioredis as shards; those known before keep their identity. */
function readSlots(cluster: Cluster, before: ReadonlyMap<string, Shard>): SlotMap {
  const known = new Map<string, Shard>();
  const shardOf = (id: string): Shard => {
    const shard = known.get(id) ?? before.get(id) ?? shardFromId(id);
    known.set(id, shard);
    return shard;
  };
  const owners: (Shard | undefined)[] = new Array<Shard | undefined>(SLOT_COUNT).fill(undefined);
  const primaries = new Set<Shard>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const ids = cluster.slots[slot];
    if (!ids) continue;
    for (const id of ids) if (!known.has(id)) shardOf(id);
    const owner = ids[0] === undefined ? undefined : shardOf(ids[0]);
    owners[slot] = owner;
    if (owner) primaries.add(owner);
  }
  return { owners, shards: sorted([...primaries]), known };
}

function shardFromId(id: string): Shard {
  const colon = id.lastIndexOf(':');
  return { id, host: id.slice(0, colon), port: Number(id.slice(colon + 1)) };
}

function sorted(shards: readonly Shard[]): readonly Shard[] {
  return shards.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
