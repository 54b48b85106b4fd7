/** As `STEP_TYPES` of the functions layer. In the register form `stringify` is a flag. */
export type StepType =
  | 'map'
  | 'flatmap'
  | 'foreach'
  | 'filter'
  | 'accumulate'
  | 'limit'
  | 'collect'
  | 'stringify'
  | 'extractkey'
  | 'repartition'
  | 'group'
  | 'reduce'
  | 'accumulatebykey';

export type UserFunction = (...args: unknown[]) => unknown;

/** A record with the key that an extractor gave it. */
export interface KeyedRecord {
  value: unknown;
  key: string | null;
}

/** The order that `sort` asks for. */
export type Compare = (a: unknown, b: unknown) => number;

export interface Step {
  readonly type: StepType;
  /** True for the steps that tie the records of an execution together. */
  readonly binds: boolean;
  /** The callback; null for steps without one. */
  readonly fn: UserFunction | null;
  /** What a step of the runtime's own does with a record, in place of a callback. */
  readonly own: ((record: KeyedRecord) => unknown) | null;
  /** An accumulate that gathers all records and gives them back in this order, one by one. */
  readonly compare: Compare | null;
  /** A fresh copy of the accumulator that an aggregate begins with. */
  readonly seed: (() => unknown) | null;
  /** Records that a limit lets through, after how many. */
  readonly count: number;
  readonly start: number;
  /** Name or begin of the callback, for people. */
  readonly arg: string | null;
}

/** A step with nothing in it. */
export const BARE_STEP: Omit<Step, 'type'> = {
  binds: false,
  fn: null,
  own: null,
  compare: null,
  seed: null,
  count: 0,
  start: 0,
  arg: null,
};

/** What a `register(...)` or `run(...)` call left behind, ready to run. */
export interface Plan {
  readonly steps: readonly Step[];
  /** True when any step binds. */
  readonly binds: boolean;
  /** Index of the first binding step, or the number of steps. */
  readonly firstBinding: number;
  readonly convertToStr: boolean;
  /** Names the key of a record, within which order is kept; left out = order is that of the batch. */
  readonly key?: UserFunction | null;
  /** Milliseconds per step so far; null where nobody asks. */
  readonly times: number[] | null;
}

/** Index of the first binding step at or behind `from`, or the number of steps. */
export function nextBinding(steps: readonly Step[], from: number): number {
  for (let i = from; i < steps.length; i++) if ((steps[i] as Step).binds) return i;
  return steps.length;
}

/** True for a promise, or whatever else can be awaited. */
export function isThenable(value: unknown): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
