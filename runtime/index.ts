/** Public names of the `runtime` layer: how one invocation runs. */
export type { AtomicSession, CommandPolicy, EffectRound } from './bindings/binding.ts';
export type { CommandWays } from './bindings/narrowing.ts';
export { createRuntime, type RuntimeOptions, type RuntimeRedis, type SandboxOptions } from './create-runtime.ts';
export type { RuntimeErrorCode } from './errors.ts';
export type { FutureName, GuestHost, NestedResults, NestedRun } from './host.ts';
export type {
  EndedEntries,
  FailedEntry,
  FailureKind,
  GuestError,
  GuestLine,
  Invocation,
  TraceContext,
} from './invocation.ts';
export type { Outcome } from './outcome.ts';
export { type CallSite, type Rehearsal, readCallSite } from './rehearsal.ts';
export type {
  DeathEvent,
  GuestLog,
  QuarantineEvent,
  Runtime,
  SandboxInfo,
  SandboxUsage,
} from './runtime.ts';
export { createErrorTransfer } from './sandbox/error-transfer.ts';
export { scriptName } from './sandbox/isolates.ts';
export type { SourcesSpec } from './sandbox/messages.ts';
export type { StageOutput, StageRequest, StageRun } from './stage.ts';
