import type { ShardView } from '../../executions/executions.ts';
import type { OperationDependencies } from './dependencies.ts';
import { withReferenceTexts } from './execution-replies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { recordReply } from './records.ts';
import { viewOfRun } from './registered-run.ts';
import { arityError, referenceError } from './syntax-error.ts';

const NO_CLUSTER = 'no cluster detected - use `RG.GETEXECUTION <id> [SHARD]` instead';

/** `RG.GETEXECUTION`: labels and positions of RedisGears 1.2; progress and attempts come behind them. */
export function createGetExecutionOperation(parts: OperationDependencies): Operation {
  const { executions, registeredRuns, registry } = parts;
  return {
    name: 'RG.GETEXECUTION',
    summary: 'Shows how far an execution is: one element per shard, SHARD = the first one only.',
    syntax: ['RG.GETEXECUTION <execution id> [SHARD|CLUSTER]'],
    permission: () => 'read',
    async run([id, scope, ...rest]) {
      if (id === undefined || rest.length > 0) throw arityError('rg.getexecution');
      const wanted = scope?.toUpperCase() ?? null;
      if (wanted !== null && wanted !== 'SHARD' && wanted !== 'CLUSTER') throw referenceError('unknown subcommand');
      const run = await registeredRuns.find(id);
      const view = run === null ? withReferenceTexts(executions.view(id)) : viewOfRun(registry, run);
      const { isClustered, shards } = await view;
      if (wanted === 'CLUSTER' && !isClustered) throw referenceError(NO_CLUSTER);
      return (wanted === 'SHARD' ? shards.slice(0, 1) : shards).map(shardReply);
    },
  };
}

function shardReply(shard: ShardView): ReplyValue {
  const steps = shard.steps.map(({ type, durationMs, arg }) =>
    recordReply({ type, duration: durationMs, name: callbackName(arg), arg }),
  );
  return recordReply({
    shard_id: shard.shardId,
    execution_plan: recordReply({
      status: shard.status,
      shards_received: shard.shardsReceived,
      shards_completed: shard.shardsCompleted,
      results: shard.results,
      errors: shard.errors,
      total_duration: shard.totalDurationMs,
      read_duration: shard.readDurationMs,
      steps,
      records_read: shard.recordsRead,
      records_per_second: shard.recordsPerSecond,
      percent_read: shard.percentRead,
      stage: shard.stage,
      stages: shard.stages,
      attempts: shard.attempts,
    }),
  });
}

/** The name of a callback that has one. */
function callbackName(arg: string): string {
  return /^[A-Za-z_$][\w$]*…?$/.test(arg) ? arg : (/^(?:async )?function\s*\*?\s*([\w$]+)/.exec(arg)?.[1] ?? '');
}
