import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import { type ExecutionPlan, partitionsOf, pieceName } from './execution-plan.ts';
import { type ExecutionRecord, stageName } from './execution-store.ts';

export interface CleanUpParts {
  readonly access: Pick<RedisAccess, 'client'>;
  readonly keys: Pick<SchedulerKeys, 'pieces'>;
}

/** Removes what all attempts of a stage put into Redis; with `keep` all but that of the attempts that count. */
export async function removePieces(
  parts: CleanUpParts,
  record: ExecutionRecord,
  { stage, keep }: { readonly stage: number; readonly keep: boolean },
): Promise<void> {
  const { plan, attempts, ends } = record;
  const spec = plan.stages[stage];
  if (spec === undefined || plan.direct) return;
  const keys = partitionsOf(plan, spec).flatMap((partition) => {
    const name = stageName({ stage, partition });
    const counts = ends.get(name)?.attempt;
    const all = Array.from({ length: attempts.get(name) ?? 0 }, (_, index) => index + 1);
    const unwanted = keep ? all.filter((attempt) => attempt !== counts) : all;
    return unwanted.flatMap((attempt) => keysOf(parts, plan, { stage, partition, attempt }));
  });
  await Promise.all(keys.map((key) => parts.access.client.unlink(key)));
}

/** Removes everything but the results of an execution that has ended; with `all` these too. */
export async function removeAllPieces(parts: CleanUpParts, record: ExecutionRecord, all: boolean): Promise<void> {
  const last = record.plan.stages.length - 1;
  await Promise.all(
    record.plan.stages.map(({ index }) => removePieces(parts, record, { stage: index, keep: !all && index === last })),
  );
}

function keysOf(
  { keys }: CleanUpParts,
  plan: ExecutionPlan,
  from: { readonly stage: number; readonly partition: number; readonly attempt: number },
): readonly string[] {
  const { output } = plan.stages[from.stage] ?? { output: 'results' };
  const tagOf = (partition: number): string => plan.partitions[partition]?.tag ?? '';
  const key = (receiver: number): string =>
    keys.pieces(tagOf(output === 'results' ? from.partition : receiver), pieceName(plan.id, from, receiver));
  return output === 'partitioned' ? plan.partitions.map((_, receiver) => key(receiver)) : [key(0)];
}
