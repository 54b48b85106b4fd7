/** Public names of the `runtime` layer: how one invocation runs. */
export { createRuntime, type RuntimeOptions, type SandboxOptions } from './create-runtime.ts';
export type { RuntimeErrorCode } from './errors.ts';
export type { FutureName, GuestHost, NestedResults, NestedRun } from './host.ts';
export type { EndedEntries, FailedEntry, FailureKind, GuestError, Invocation } from './invocation.ts';
export type { Outcome } from './outcome.ts';
export type { GuestLog, QuarantineEvent, Runtime, SandboxInfo, SandboxUsage } from './runtime.ts';
export type { StageOutput, StageRequest, StageRun } from './stage.ts';
