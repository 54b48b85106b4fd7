import { latin1FromUtf8, PlatformError, type RedisAccess, type RunSpec } from '#functions';
import { type Partition, partitionOfSlot, type SlotRange } from './execution-plan.ts';

export interface Layout {
  readonly partitions: readonly Partition[];
  readonly slots: readonly SlotRange[];
}

/** Finds out the shards an execution runs on. */
export interface Layouts {
  /** All shards of now, ordered by their lowest slot. */
  read(): Promise<Layout>;
}

const STANDALONE_ID = '0'.repeat(40);
const LAST_SLOT = 16_383;

export function createLayouts(access: RedisAccess): Layouts {
  const tags = new Map<number, string>();
  const tagOfSlot = (slot: number): string => {
    const known = tags.get(slot) ?? access.tagOf(keyInSlot(access, slot));
    tags.set(slot, known);
    return known;
  };
  return {
    async read() {
      if (access.facts.topology !== 'cluster') {
        return { partitions: [{ shardId: STANDALONE_ID, tag: access.tagOf('') }], slots: [[0, LAST_SLOT, 0]] };
      }
      const ranges = readRanges(
        await (access.client as { call(...args: string[]): Promise<unknown> }).call('CLUSTER', 'SLOTS'),
      );
      const ids = [...new Set(ranges.map(({ nodeId }) => nodeId))];
      if (ids.length === 0) {
        throw new PlatformError('REDIS_UNREACHABLE', 'no node of the cluster owns a slot', { retryable: true });
      }
      const lowest = (id: string): number => ranges.find(({ nodeId }) => nodeId === id)?.first ?? 0;
      return {
        partitions: ids.map((shardId) => ({ shardId, tag: tagOfSlot(lowest(shardId)) })),
        slots: ranges.map(({ first, last, nodeId }) => [first, last, ids.indexOf(nodeId)]),
      };
    },
  };
}

interface Range {
  readonly first: number;
  readonly last: number;
  readonly nodeId: string;
}

/** Rows of CLUSTER SLOTS, lowest slot first. */
export function readRanges(reply: unknown): readonly Range[] {
  const rows = reply as readonly (readonly [number, number, readonly [string, number, string]])[];
  return rows
    .map(([first, last, [, , nodeId]]) => ({ first: Number(first), last: Number(last), nodeId: String(nodeId) }))
    .sort((a, b) => a.first - b.first);
}

function keyInSlot(access: RedisAccess, slot: number): string {
  for (let n = 0; ; n += 1) if (access.slotOf(String(n)) === slot) return String(n);
}

/** Partitions that have something to read: one for a single key, else all. */
export function readingPartitions(run: RunSpec, layout: Layout, slotOf: (key: string) => number): readonly number[] {
  const isOneKey = run.reader === 'StreamReader' || (run.noScan && run.reader.startsWith('Keys'));
  if (isOneKey) return [partitionOfSlot(layout.slots, slotOf(latin1FromUtf8(run.arg)))];
  return run.mode === 'async_local' ? [0] : layout.partitions.map((_, index) => index);
}
