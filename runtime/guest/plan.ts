/** As `STEP_TYPES` of the functions layer, without `stringify`, which is a flag here. */
export type StepType = 'map' | 'flatmap' | 'foreach' | 'filter' | 'accumulate' | 'localgroupby' | 'limit' | 'collect';

export type UserFunction = (...args: unknown[]) => unknown;

export interface Step {
  readonly type: StepType;
  /** True for the steps that tie the records of an execution together. */
  readonly binds: boolean;
  /** The callback; the extractor of a localgroupby; null for limit and collect. */
  readonly fn: UserFunction | null;
  /** The reducer of a localgroupby. */
  readonly reduce: UserFunction | null;
  /** Records that a limit lets through, after how many. */
  readonly count: number;
  readonly start: number;
}

/** What a `register(...)` call left behind, ready to run. */
export interface Plan {
  readonly steps: readonly Step[];
  /** True when any step binds. */
  readonly binds: boolean;
  /** Index of the first binding step, or the number of steps. */
  readonly firstBinding: number;
  readonly convertToStr: boolean;
}

/** Index of the first binding step at or behind `from`, or the number of steps. */
export function nextBinding(steps: readonly Step[], from: number): number {
  for (let i = from; i < steps.length; i++) if ((steps[i] as Step).binds) return i;
  return steps.length;
}
