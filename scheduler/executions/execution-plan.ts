import type { CommandRules, Limits, RunSpec } from '#functions';
import type { StagePlan } from './cut-plan.ts';

/** A shard as an execution sees it: fixed at its start, so that all stages agree on where a key belongs. */
export interface Partition {
  /** 40 characters: the primary's node id, zeros on one server. */
  readonly shardId: string;
  /** Hash tag of its lowest slot: names its keys, finds the shard, and is what `hashtag()` answers. */
  readonly tag: string;
}

/** `[first slot, last slot, partition]`. */
export type SlotRange = readonly [number, number, number];

/** Everything a node needs to run a stage of an execution, but for the artifact. Stored as JSON. */
export interface ExecutionPlan {
  readonly id: string;
  readonly functionName: string;
  readonly version: number;
  readonly sha256: string;
  readonly limits: Limits;
  readonly settings: Readonly<Record<string, string>>;
  /** Commands and keys that its source keeps to; null = no narrower than every function. */
  readonly rules: CommandRules | null;
  readonly run: RunSpec;
  readonly stages: readonly StagePlan[];
  readonly partitions: readonly Partition[];
  /** Partitions that read; the others have nothing to read and begin with the second stage. */
  readonly readers: readonly number[];
  readonly slots: readonly SlotRange[];
  readonly profile: boolean;
  readonly createdAtMs: number;
  /** Who created it: consumer name and lease token. */
  readonly consumer: string;
  readonly token: string;
  /** True: runs on the node that created it, and nowhere else. */
  readonly direct: boolean;
  /** True: started by a handler of that node, stage by stage; forgotten with its end. */
  readonly nested?: boolean;
  /** True: results can be read while it runs; a part of which some were does not begin again. */
  readonly followed?: boolean;
}

/** True for a stage whose results are handed out while it runs. */
export function isFollowed({ followed, stages }: ExecutionPlan, stage: number): boolean {
  return followed === true && stage === stages.length - 1;
}

/** Partitions that take part in a stage. */
export function partitionsOf(plan: ExecutionPlan, stage: StagePlan): readonly number[] {
  if (stage.index === 0) return plan.readers;
  return stage.spread ? plan.partitions.map((_, index) => index) : [0];
}

/** Partition of a slot; the first one for slots that belonged to nobody when the execution began. */
export function partitionOfSlot(slots: readonly SlotRange[], slot: number): number {
  return slots.find(([first, last]) => slot >= first && slot <= last)?.[2] ?? 0;
}

/** Name of the list with the pieces that one attempt of a stage made for one receiver. */
export function pieceName(id: string, from: { stage: number; partition: number; attempt: number }, to: number): string {
  return `${id}:${from.stage}:${from.partition}.${from.attempt}:${to}`;
}
