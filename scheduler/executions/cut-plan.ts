import type { StepSpec } from '#functions';

/** Consecutive steps that run in one sandbox without records crossing shards. */
export interface StagePlan {
  /** Position among the stages. */
  readonly index: number;
  /** Steps [firstStep, endStep) of the plan; the global step behind them belongs to no stage. */
  readonly firstStep: number;
  readonly endStep: number;
  /** True: runs on every shard; false: once, where everything has been collected. */
  readonly spread: boolean;
  /** `records` go to the first shard, `partitioned` ones to the shard of their key. */
  readonly output: 'results' | 'records' | 'partitioned';
}

/**
 * Cuts a plan at its global steps. A `collect` of what is collected already changes nothing, and one with nothing behind it
 * is left to whoever reads the results; so the commonest plans have one stage.
 * @param how `last`: what the last stage puts out. `local` true: one shard, or `async_local`. Global steps then let records pass, and there is one stage.
 */
export function cutPlan(
  steps: readonly Pick<StepSpec, 'type'>[],
  { local, last = 'results' }: { readonly local: boolean; readonly last?: StagePlan['output'] },
): StagePlan[] {
  if (local) return [{ index: 0, firstStep: 0, endStep: steps.length, spread: true, output: last }];
  const end = withoutTrailingCollects(steps);
  const stages: StagePlan[] = [];
  let firstStep = 0;
  let spread = true;
  const close = (endStep: number, output: StagePlan['output']): void => {
    stages.push({ index: stages.length, firstStep, endStep, spread, output });
    firstStep = endStep + 1;
  };
  for (let at = 0; at < end; at += 1) {
    const { type } = steps[at] as Pick<StepSpec, 'type'>;
    if (type === 'repartition') {
      close(at, 'partitioned');
      spread = true;
    } else if (type === 'collect' && spread) {
      close(at, 'records');
      spread = false;
    }
  }
  close(end, last);
  return stages;
}

function withoutTrailingCollects(steps: readonly Pick<StepSpec, 'type'>[]): number {
  let end = steps.length;
  while (end > 0 && steps[end - 1]?.type === 'collect') end -= 1;
  return end;
}
