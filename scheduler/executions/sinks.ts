import { encodeBulk, type RedisAccess } from '#functions';
import type { StageOutput } from '#runtime';
import type { SchedulerKeys } from '../keys.ts';
import { type ExecutionPlan, isFollowed, partitionOfSlot, pieceName } from './execution-plan.ts';
import { createBudget, createPieceWriter, type PieceWriter } from './pieces.ts';

/** Takes what a stage puts out, in order. Disposing gives up what has not been flushed. */
export interface StageSink extends Disposable {
  push(output: Pick<StageOutput, 'records' | 'keys'>): Promise<void>;
  /** No more comes; what `summary` says is true afterwards. */
  flush(): Promise<void>;
  summary(): SinkSummary;
}

export interface SinkSummary {
  readonly pieces: readonly (readonly [number, number])[];
  readonly records: number;
  readonly bytes: number;
}

/** Keeps results in memory, for a caller who waits on this node. */
export interface MemorySink extends StageSink {
  /** RESP2 text of each result. */
  readonly results: readonly string[];
}

/** @param spend called with the size of every result, may throw. */
export function createMemorySink(spend: (bytes: number) => void): MemorySink {
  const results: string[] = [];
  let bytes = 0;
  return {
    results,
    async push({ records }) {
      for (const record of records) {
        spend(record.length);
        bytes += record.length;
        results.push(record);
      }
    },
    flush: async () => undefined,
    summary: () => ({ pieces: [], records: results.length, bytes }),
    [Symbol.dispose]: () => undefined,
  };
}

export interface RedisSinkOptions {
  readonly access: Pick<RedisAccess, 'client' | 'slotOf'>;
  readonly keys: Pick<SchedulerKeys, 'pieces'>;
  readonly plan: ExecutionPlan;
  readonly from: { readonly stage: number; readonly partition: number; readonly attempt: number };
  readonly lifeMs: number;
  readonly limitBytes: number;
}

/** How long a result waits for others when somebody follows. */
const PATIENCE_MS = 100;

/** Puts results, or records for other shards, into lists of Redis: each list on the shard that is to read it. */
export function createRedisSink(options: RedisSinkOptions): StageSink {
  const { access, keys, plan, from, lifeMs } = options;
  const spend = createBudget(options.limitBytes, 'execution-stored');
  const { output } = plan.stages[from.stage] ?? { output: 'results' };
  const patience = isFollowed(plan, from.stage) ? { patienceMs: PATIENCE_MS } : {};
  const writers = new Map<number, PieceWriter>();
  const writerTo = (receiver: number): PieceWriter => {
    const known = writers.get(receiver);
    if (known !== undefined) return known;
    // Results stay on the shard that made them.
    const place = output === 'results' ? from.partition : receiver;
    const key = keys.pieces(plan.partitions[place]?.tag ?? '', pieceName(plan.id, from, receiver));
    const writer = createPieceWriter({ client: access.client, key, lifeMs, spend, ...patience });
    writers.set(receiver, writer);
    return writer;
  };
  const receiverOf = (key: string | undefined): number =>
    output === 'partitioned' ? partitionOfSlot(plan.slots, access.slotOf(key ?? '')) : 0;
  return {
    async push(produced) {
      for (let at = 0; at < produced.records.length; at += 1) {
        const record = produced.records[at] as string;
        const written = writerTo(receiverOf(produced.keys[at])).add(output === 'results' ? record : encodeBulk(record));
        if (written !== undefined) await written;
      }
    },
    async flush() {
      for (const writer of writers.values()) await writer.flush();
    },
    [Symbol.dispose]() {
      for (const writer of writers.values()) writer[Symbol.dispose]();
    },
    summary() {
      const all = [...writers];
      const sum = (of: (writer: PieceWriter) => number): number => all.reduce((total, [, one]) => total + of(one), 0);
      return {
        pieces: all.map(([receiver, { pieces }]) => [receiver, pieces]),
        records: sum(({ records }) => records),
        bytes: sum(({ bytes }) => bytes),
      };
    },
  };
}
