/** Public names of the `functions` layer: what can run. */
export type { Artifact, LoadableVersion, SourceLanguage } from './artifacts/artifact.ts';
export { type FunctionsErrorCode, PlatformError, type PlatformErrorOptions } from './errors.ts';
export { createRegistryKeys, type RegistryKeys } from './keys.ts';
export { DEFAULT_LIMITS, type Limits } from './model/limits.ts';
export type { Manifest, ReportedRegistration } from './model/manifest.ts';
export {
  type CommandTriggerSpec,
  type DeliveryMode,
  type FailurePolicy,
  MODES,
  type ReaderName,
  type RegistrationSpec,
  runsPerRecord,
  type StepSpec,
  type StepType,
  type StreamTriggerSpec,
  type TriggerSpec,
} from './model/plan.ts';
export type { CommandFacts, CommandTable } from './redis/command-table.ts';
export type { CommandPipe, RawLink } from './redis/raw-link.ts';
export type { Endpoint, RedisAccess, ServerFacts, Shard } from './redis/redis-access.ts';
export type {
  ActiveRegistration,
  FunctionRecord,
  Inspect,
  LoadFunctionRequest,
  LoadFunctionResult,
  Registry,
  RegistrationState,
  RegistrySnapshot,
  Route,
  StreamHeads,
  VersionRecord,
} from './registry/registry.ts';
