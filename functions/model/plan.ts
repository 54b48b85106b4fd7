import type { FlowControl } from './flow-control.ts';
import type { HookTriggerSpec, KeysTriggerSpec } from './keys-trigger-spec.ts';
import type { ListTriggerSpec } from './list-trigger-spec.ts';
import type { PubSubTriggerSpec } from './pubsub-trigger-spec.ts';
import type { ScheduleTriggerSpec } from './schedule-trigger-spec.ts';

/**
 * What a function asks for: a plan is a reader, its steps and the arguments of `register(...)`. Plans are built inside
 * the sandbox by `GearsBuilder`, cross the wall as JSON, are validated again by `parseManifest` (the sandbox is not
 * trusted) and are stored with the version. Everything here is plain data.
 */

/** Readers of the register form that this platform knows. */
export const READERS = [
  'StreamReader',
  'CommandReader',
  'KeysReader',
  'ScheduleReader',
  'ListReader',
  'PubSubReader',
] as const;
export type ReaderName = (typeof READERS)[number];

/**
 * `sync`: in line with the reading, strict order per stream. `async_local`: on the node that read it, at once.
 * `async`: on any node of the fleet, through the queue.
 */
export const MODES = ['sync', 'async', 'async_local'] as const;
export type DeliveryMode = (typeof MODES)[number];

/** What happens to an entry whose handler failed. */
export const FAILURE_POLICIES = ['continue', 'abort', 'retry'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

/**
 * Step types, as RedisGears lists them. Operations that are made of others (`groupby`, `aggregate`, `count` …) are listed
 * as what they are made of. `stringify` is the one `convertToStr` adds at the end; `localgroupby` stands in manifests that were
 * stored before keyed steps were listed one by one.
 */
export const STEP_TYPES = [
  'map',
  'flatmap',
  'foreach',
  'filter',
  'accumulate',
  'localgroupby',
  'limit',
  'collect',
  'stringify',
  'extractkey',
  'repartition',
  'group',
  'reduce',
  'accumulatebykey',
] as const;
export type StepType = (typeof STEP_TYPES)[number];

export interface StepSpec {
  readonly type: StepType;
  /** Name or source excerpt of the callback, for people; null for steps without one. */
  readonly arg: string | null;
}

/** Arguments of a stream registration, complete (defaults filled in by the guest's builder). */
export interface StreamTriggerSpec {
  readonly kind: 'stream';
  /** Trailing `*` = every stream whose name begins so, also ones made later; otherwise one exact key. */
  readonly prefix: string;
  /** Records per execution, 1 … 100,000. Default 1. */
  readonly batch: number;
  /** Milliseconds after which an incomplete batch runs; 0 = at once with whatever is there (see docs). Default 0. */
  readonly durationMs: number;
  /** `0` (default, the whole stream), `$` (only what comes later), an entry id, or a time in ms since the epoch. */
  readonly fromId: string;
  /** Default false: see docs/compatibility.md. */
  readonly trimStream: boolean;
  readonly onFailedPolicy: FailurePolicy;
  /** First back-off of a retry, in milliseconds; doubles per attempt up to 60 s. Default 1000 (`onFailedRetryInterval` is seconds). */
  readonly retryIntervalMs: number;
  /** Attempts per entry before it is dead-lettered; 0 = no cap. Default 5. */
  readonly maxAttempts: number;
  /** Entries of this registration that may be in work on one node at once; `async_local` only. Default 10,000. */
  readonly maxInFlight: number;
  /** Entries older than this (by their id) end as expired without running; null = never. */
  readonly maxAgeMs: number | null;
}

/** Arguments of a command registration (`RG.TRIGGER <trigger> …`). */
export interface CommandTriggerSpec {
  readonly kind: 'command';
  /** Case-sensitive, unique over all functions. */
  readonly trigger: string;
  /** True: the next command starts after the previous has ended. `sync` always behaves so. */
  readonly inorder: boolean;
}

export type TriggerSpec =
  | StreamTriggerSpec
  | CommandTriggerSpec
  | KeysTriggerSpec
  | HookTriggerSpec
  | ScheduleTriggerSpec
  | ListTriggerSpec
  | PubSubTriggerSpec;

/** One `register(...)` call of a version. */
export interface RegistrationSpec {
  /** Position among the version's `register` calls, from 0: how the guest is told which plan to run. */
  readonly index: number;
  /**
   * `<function>/<kind>/<prefix or trigger>`, with `~2`, `~3` … behind repeated ones. Stable over versions: the consumer
   * group, statistics and dead letters carry this name.
   */
  readonly id: string;
  readonly reader: ReaderName;
  readonly description: string | null;
  readonly mode: DeliveryMode;
  readonly trigger: TriggerSpec;
  readonly steps: readonly StepSpec[];
  readonly convertToStr: boolean;
  readonly collect: boolean;
  readonly hasOnRegistered: boolean;
  /** Left out = nothing of it was asked for. */
  readonly flow?: FlowControl;
}

/** Steps that tie the records of one execution together: their entries can only be settled as one. */
const BINDING_STEPS: ReadonlySet<StepType> = new Set([
  'accumulate',
  'localgroupby',
  'limit',
  'group',
  'accumulatebykey',
]);

/** True when every record runs through the plan on its own, so that entries succeed and fail one by one. */
export function runsPerRecord(steps: readonly StepSpec[]): boolean {
  return !steps.some((step) => BINDING_STEPS.has(step.type));
}
