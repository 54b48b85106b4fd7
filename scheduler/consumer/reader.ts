import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisAccess, Shard } from '#functions';
import type { DeliverySettings } from '../settings.ts';
import type { NodeIdentity } from './contracts.ts';
import type { Lane } from './lane.ts';
import type { ReadSink } from './reads.ts';
import type { ConsumedRegistration } from './registration.ts';
import { createShardReader, type ShardReader } from './shard-reader.ts';

/** Reads new entries of lanes that are ready, with a bounded number of connections per shard. */
export interface LaneReader extends AsyncDisposable {
  attach(lane: Lane): void;
  /** Resolves when no read covers the lanes any more (or their shard does not answer); nothing new is read meanwhile. */
  detach(lanes: readonly Lane[]): Promise<void>;
  /** The lane may be able to take more than a moment ago. */
  nudge(lane: Lane): void;
  /** There is room again in a registration. */
  kick(registration: ConsumedRegistration): void;
  /** There may be new entries in the lane. */
  news(lane: Lane): void;
  /** Reads every lane that is not waited for: finds what no news told of. */
  sweepAll(): void;
}

export interface LaneReaderOptions {
  readonly access: RedisAccess;
  readonly node: NodeIdentity;
  readonly settings: DeliverySettings;
  readonly sink: ReadSink;
}

const REBALANCE_MS = 1_000;
const WATCH_MS = 250;
const COLD_SWEEP_MS = 50;
const DETACH_POLL_MS = 5;
const WAKE_AGAIN_MS = 25;
/** A read that cannot be ended within this time is on a server that does not answer; what it brings later is not run. */
const DETACH_DEADLINE_MS = 2_000;

export function createLaneReader(options: LaneReaderOptions): LaneReader {
  const shards = new Map<string, ShardReader>();

  function readerOf(shard: Shard): ShardReader {
    let reader = shards.get(shard.id);
    if (reader === undefined) {
      reader = createShardReader({ ...options, shard });
      shards.set(shard.id, reader);
    }
    return reader;
  }

  const rebalancing = setInterval(() => {
    for (const reader of shards.values()) reader.rebalance();
  }, REBALANCE_MS);
  const watching = setInterval(() => {
    const nowMs = performance.now();
    for (const reader of shards.values()) reader.watch(nowMs);
  }, WATCH_MS);

  const sweeping = setInterval(() => {
    const nowMs = performance.now();
    for (const reader of shards.values()) reader.sweepCold(nowMs);
  }, COLD_SWEEP_MS);

  return {
    attach: (lane) => readerOf(lane.shard).attach(lane),
    async detach(lanes) {
      for (const lane of lanes) readerOf(lane.shard).detach(lane);
      const endMs = performance.now() + DETACH_DEADLINE_MS;
      let wakeAtMs = 0;
      for (let read = inRead(lanes); read.length > 0; read = inRead(lanes)) {
        const nowMs = performance.now();
        if (nowMs > endMs) return;
        if (nowMs >= wakeAtMs) {
          wakeAtMs = nowMs + WAKE_AGAIN_MS;
          for (const [shard, registration] of pairsOf(read)) readerOf(shard).unblock(registration);
        }
        await sleep(DETACH_POLL_MS);
      }
    },
    nudge: (lane) => readerOf(lane.shard).nudge(lane),
    kick(registration) {
      for (const reader of shards.values()) reader.kick(registration);
    },
    news(lane) {
      if (lane.reading > 0) return;
      lane.more = true;
      readerOf(lane.shard).nudge(lane);
    },
    sweepAll() {
      for (const reader of shards.values()) reader.sweepAll();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(rebalancing);
      clearInterval(watching);
      clearInterval(sweeping);
      await Promise.all([...shards.values()].map((reader) => reader[Symbol.asyncDispose]()));
    },
  };
}

function inRead(lanes: readonly Lane[]): readonly Lane[] {
  return lanes.filter((lane) => lane.reading > 0);
}

function pairsOf(lanes: readonly Lane[]): Set<readonly [Shard, ConsumedRegistration]> {
  const pairs = new Map<string, readonly [Shard, ConsumedRegistration]>();
  for (const { shard, registration } of lanes) pairs.set(`${shard.id} ${registration.id}`, [shard, registration]);
  return new Set(pairs.values());
}
