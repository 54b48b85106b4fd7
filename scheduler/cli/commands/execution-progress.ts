import { type DoorClient, fieldsOf, type Reply, recordsOf } from '../client.ts';

/** How far an execution is, over all shards. */
export interface ExecutionProgress {
  readonly isOver: boolean;
  readonly read: number;
  readonly perSecond: number;
  /** 0 to 100, over all shards; null where nobody knows. */
  readonly percent: number | null;
  readonly stage: number;
  readonly stages: number;
}

/** One element of RG.GETEXECUTION. */
export interface ShardRow {
  readonly shardId: string;
  readonly plan: Readonly<Record<string, Reply>>;
}

export async function readShards(client: DoorClient, id: string): Promise<readonly ShardRow[]> {
  const rows = recordsOf(await client.call('RG.GETEXECUTION', id));
  return rows.map((row) => ({ shardId: String(row.shard_id), plan: fieldsOf(row.execution_plan ?? []) }));
}

export async function readProgress(client: DoorClient, id: string): Promise<ExecutionProgress> {
  const plans = (await readShards(client, id)).map(({ plan }) => plan);
  const sum = (field: string): number => plans.reduce((total, plan) => total + Number(plan[field] ?? 0), 0);
  const most = (field: string): number => Math.max(1, ...plans.map((plan) => Number(plan[field] ?? 1)));
  const percents = plans.map(({ percent_read: percent }) => Number(percent ?? -1));
  const isKnown = percents.length > 0 && percents.every((percent) => percent >= 0);
  return {
    percent: isKnown ? sum('percent_read') / percents.length : null,
    isOver: plans.every(({ status }) => status === 'done' || status === 'aborted'),
    read: sum('records_read'),
    perSecond: sum('records_per_second'),
    stage: most('stage'),
    stages: most('stages'),
  };
}
