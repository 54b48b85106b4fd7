import type { Registry } from '#functions';
import type { ExecutionView } from '../../executions/executions.ts';
import type { RegisteredRun } from '../../executions/registered-runs.ts';

type Known = Pick<Registry, 'snapshot'>;

export function readerOf(registry: Known, { registrationId }: RegisteredRun): string {
  return registry.snapshot().registrations.get(registrationId)?.spec.reader ?? '';
}

/** Executions of a registration that ran together, as an execution on one shard. Times per step are not measured. */
export function viewOfRun(registry: Known, run: RegisteredRun): ExecutionView {
  const steps = registry.snapshot().registrations.get(run.registrationId)?.spec.steps ?? [];
  const { id, functionName, startedAtMs, durationMs, entries } = run;
  return {
    summary: {
      ...{ id, functionName, status: 'done', reader: readerOf(registry, run) },
      ...{ createdAtMs: startedAtMs, endedAtMs: startedAtMs + durationMs, recordsRead: entries },
      ...{ results: run.done, errors: run.errors.length },
    },
    isClustered: false,
    shards: [
      {
        shardId: NO_SHARD,
        ...{ status: 'done', shardsReceived: 1, shardsCompleted: 1, results: run.done, errors: run.errors },
        ...{ totalDurationMs: durationMs, readDurationMs: 0, recordsRead: entries },
        recordsPerSecond: durationMs === 0 ? entries : Math.round((entries * 1_000) / durationMs),
        percentRead: 100,
        steps: steps.map(({ type, arg }) => ({ type, durationMs: 0, arg: arg ?? '' })).reverse(),
        ...{ stage: 1, stages: 1, attempts: 1 },
      },
    ],
  };
}

/** It belongs to no shard: any node may have run it. */
const NO_SHARD = '0'.repeat(40);
