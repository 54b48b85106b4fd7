import { partitionsOf } from './execution-plan.ts';
import { type ExecutionRecord, type StageEnd, stageName } from './execution-store.ts';
import type { ExecutionDetail, ExecutionStatus, ExecutionSummary, ShardView, StepView } from './executions.ts';
import { errorsOf } from './read-results.ts';

/** What is told about an execution in a list. */
export function summaryOf(record: ExecutionRecord): ExecutionSummary {
  const { plan, status, endedAtMs, ends, progress } = record;
  const { id, functionName, run, createdAtMs } = plan;
  const read = plan.readers.map((partition) => {
    const name = stageName({ stage: 0, partition });
    return ends.get(name)?.read ?? progress.get(name)?.read ?? 0;
  });
  const recordsRead = read.reduce((sum, one) => sum + one, 0);
  const results = status === 'done' || status === 'aborted' ? resultsOf(record) : null;
  const errors = errorsOf(record).length;
  return { id, status, functionName, reader: run.reader, createdAtMs, endedAtMs, recordsRead, results, errors };
}

function resultsOf({ plan, ends }: ExecutionRecord): number {
  const last = plan.stages.at(-1)?.index ?? 0;
  const records = plan.partitions.map((_, partition) => ends.get(stageName({ stage: last, partition }))?.records ?? 0);
  return records.reduce((sum, one) => sum + one, 0);
}

export function viewOf(record: ExecutionRecord): ExecutionDetail {
  const shards = record.plan.partitions.map((_, partition) => shardView(record, partition));
  const { functionName, version, run, stages, direct, partitions } = record.plan;
  const outline = { functionName, version, run, stages: stages.length, direct };
  const isClustered = partitions.length > 1;
  return { summary: summaryOf(record), outline, errors: errorsOf(record), isClustered, shards };
}

function shardView(record: ExecutionRecord, partition: number): ShardView {
  const { plan, ends, status } = record;
  const stages = plan.stages.filter((stage) => partitionsOf(plan, stage).includes(partition)).map(({ index }) => index);
  const mine = stages.map((stage) => ends.get(stageName({ stage, partition })));
  const ended = mine.filter((end) => end !== undefined);
  const isOver = status === 'done' || status === 'aborted';
  const names = stages.map((stage) => stageName({ stage, partition }));
  const last = plan.stages.at(-1)?.index ?? 0;
  const result = ends.get(stageName({ stage: last, partition }));
  const errors = partition === 0 ? errorsOf(record) : ended.flatMap((end) => end.errors);
  return {
    shardId: plan.partitions[partition]?.shardId ?? '',
    status: statusOf(record, partition, stages),
    ...acknowledgements(record),
    results: isOver ? (result?.records ?? 0) : -1,
    errors: isOver ? errors : [],
    totalDurationMs: sumOf(ended, ({ runMs }) => runMs) + timeAtWork(record, names),
    readDurationMs: sumOf(ended, ({ readMs }) => readMs),
    steps: stepsOf(record, partition),
    ...readingOf(record, partition),
    stage: Math.min(stages.length, ended.length + 1),
    stages: plan.stages.length,
    attempts: names.reduce((sum, name) => sum + (record.attempts.get(name) ?? (ends.has(name) ? 1 : 0)), 0),
  };
}

/** How long the stages that have no end yet have been worked on. */
function timeAtWork({ ends, progress }: ExecutionRecord, names: readonly string[]): number {
  const now = names.filter((name) => !ends.has(name)).map((name) => progress.get(name));
  return now.reduce((sum, one) => sum + (one === undefined ? 0 : one.atMs - one.startedAtMs), 0);
}

/** How many shards have begun and ended their first stage. */
function acknowledgements({
  plan,
  ends,
  progress,
}: ExecutionRecord): Pick<ShardView, 'shardsReceived' | 'shardsCompleted'> {
  const lastOf = (partition: number): number =>
    plan.stages.findLast((stage) => partitionsOf(plan, stage).includes(partition))?.index ?? -1;
  const all = plan.partitions.map((_, partition) => partition);
  const begun = all.filter((partition) => {
    const name = stageName({ stage: 0, partition });
    return !plan.readers.includes(partition) || ends.has(name) || progress.has(name);
  });
  const over = all.filter((partition) => {
    const stage = lastOf(partition);
    return stage < 0 || ends.has(stageName({ stage, partition }));
  });
  return { shardsReceived: begun.length, shardsCompleted: over.length };
}

function statusOf(record: ExecutionRecord, partition: number, stages: readonly number[]): ExecutionStatus {
  const { status, ends, progress } = record;
  if (status !== 'running') return status;
  const open = stages.find((stage) => !ends.has(stageName({ stage, partition })));
  if (open === undefined) return partition === 0 ? 'pending_cluster' : 'pending_termination';
  return progress.has(stageName({ stage: open, partition })) ? 'running' : 'pending_run';
}

function stepsOf({ plan, ends }: ExecutionRecord, partition: number): readonly StepView[] {
  const steps = plan.run.steps.map(({ type, arg }, at) => {
    const stage = plan.stages.find(({ firstStep, endStep }) => at >= firstStep && at < endStep);
    const end = stage === undefined ? undefined : ends.get(stageName({ stage: stage.index, partition }));
    const durationMs = stage === undefined ? 0 : Math.round(end?.stepMs[at - stage.firstStep] ?? 0);
    return { type, durationMs, arg: arg ?? '' };
  });
  return steps.reverse();
}

type Reading = Pick<ShardView, 'recordsRead' | 'recordsPerSecond' | 'percentRead'>;

function readingOf({ ends, progress }: ExecutionRecord, partition: number): Reading {
  const name = stageName({ stage: 0, partition });
  const now = progress.get(name);
  const part = now?.part ?? null;
  const percentRead = part === null ? -1 : Math.floor(part * 100);
  const end = ends.get(name);
  if (end !== undefined) {
    const isWhole = end.errors.length === 0 && part !== null;
    const recordsPerSecond = perSecond(end.read, end.runMs);
    return { recordsRead: end.read, recordsPerSecond, percentRead: isWhole ? 100 : percentRead };
  }
  if (now === undefined) return { recordsRead: 0, recordsPerSecond: 0, percentRead };
  return { recordsRead: now.read, recordsPerSecond: perSecond(now.read, now.atMs - now.startedAtMs), percentRead };
}

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? count : Math.round((count / ms) * 1000);
}

function sumOf(ends: readonly StageEnd[], of: (end: StageEnd) => number): number {
  return ends.reduce((sum, end) => sum + of(end), 0);
}
