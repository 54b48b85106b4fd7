import type { StepSpec } from './plan.ts';

/** Readers of the run form. `PythonReader` and `GeneratorReader` are both `GeneratorReader` here. */
export const RUN_READERS = [
  'KeysReader',
  'KeysOnlyReader',
  'StreamReader',
  'GeneratorReader',
  'ShardsIDReader',
] as const;
export type RunReaderName = (typeof RUN_READERS)[number];

/** One `run(...)` call of a source: a plan without a trigger. Plain data, checked like a manifest. */
export interface RunSpec {
  /** Position among the source's `run` calls, from 0. */
  readonly index: number;
  readonly reader: RunReaderName;
  /** Glob, stream key or ''. */
  readonly arg: string;
  /** `async`: on every shard; `async_local`: on the shard of the caller (on one server the same). */
  readonly mode: 'async' | 'async_local';
  readonly noScan: boolean;
  readonly readValue: boolean;
  /** SCAN COUNT. */
  readonly count: number;
  /** `StreamReader`: entries behind this id (which is left out) up to and with `untilId`, an id or `+`. Else `0-0` and `+`. */
  readonly fromId: string;
  readonly untilId: string;
  readonly description: string | null;
  /** Sugar is already decomposed into the flat steps of the reference (section 5); convertToStr and collect are in it. */
  readonly steps: readonly StepSpec[];
}
