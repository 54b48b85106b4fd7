import type { RedisAccess } from '#functions';
import type { FleetSelf } from '../fleet/fleet.ts';
import { cutPlan } from './cut-plan.ts';
import type { ExecutionPlan } from './execution-plan.ts';
import type { RunRequest } from './executions.ts';
import { type Layout, readingPartitions } from './partitions.ts';

export interface PlanFacts {
  readonly number: number;
  readonly layout: Layout;
  readonly profile: boolean;
  readonly self: FleetSelf;
  readonly nowMs: number;
  /** Who waits: a caller and a handler on this node, a follower anywhere, for results as they come. */
  readonly waits: 'nobody' | 'a caller' | 'a handler' | 'a follower';
  readonly slotOf: RedisAccess['slotOf'];
}

/** Decides where an execution runs: here and now when one shard takes part and somebody waits, else by the queue. */
export function planRun({ target, run }: RunRequest, facts: PlanFacts): ExecutionPlan {
  const { layout, self, waits } = facts;
  const readers = readingPartitions(run, layout, facts.slotOf);
  const isLocal = layout.partitions.length === 1 || run.mode === 'async_local';
  const isNested = waits === 'a handler';
  return {
    id: `${layout.partitions[0]?.shardId ?? ''}-${facts.number}`,
    functionName: target.functionName,
    version: target.version,
    sha256: target.artifact.sha256,
    limits: target.limits,
    settings: { ...target.settings },
    rules: target.rules ?? null,
    run,
    // What a handler gets are values, not replies.
    stages: cutPlan(run.steps, { local: isLocal, last: isNested ? 'records' : 'results' }),
    partitions: layout.partitions,
    readers,
    slots: layout.slots,
    profile: facts.profile,
    createdAtMs: facts.nowMs,
    consumer: self.consumer,
    token: self.token,
    direct: isLocal && waits === 'a caller',
    ...(isNested ? { nested: true } : {}),
    ...(waits === 'a follower' ? { followed: true } : {}),
  };
}
