/** Public names of the `functions` layer: what can run. */
export type { Artifact, LoadableVersion, SourceLanguage } from './artifacts/artifact.ts';
export { type BundledSource, bundleFile, type SourceMistake } from './artifacts/bundle.ts';
export { bundleInputs } from './artifacts/bundle-inputs.ts';
export { bundleSources, type SourceFiles } from './artifacts/bundle-sources.ts';
export { type CompileRequest, compileArtifact, hashSource } from './artifacts/compile.ts';
export { type OriginalFile, originalFiles } from './artifacts/original-files.ts';
export { type FunctionsErrorCode, PlatformError, type PlatformErrorOptions } from './errors.ts';
export { createRegistryKeys, type RegistryKeys } from './keys.ts';
export { formatBytes, parseBytes } from './model/bytes.ts';
export type { CapturedDelivery } from './model/captured-delivery.ts';
export { type CommandRules, type Configuration, limitsWithin, rulesOf } from './model/configuration.ts';
export { formatDuration, parseDuration } from './model/duration.ts';
export {
  ageOfId,
  compareEntryIds,
  idFromTime,
  isEntryId,
  nextEntryId,
  parseEntryId,
  previousEntryId,
  timeOfId,
  ZERO_ENTRY_ID,
} from './model/entry-id.ts';
export type {
  FieldCondition,
  FieldRule,
  FilterPattern,
  FilterValue,
  FlowControl,
  RateLimit,
} from './model/flow-control.ts';
export { matchesGlob } from './model/glob.ts';
export { type HookTriggerSpec, KEY_TYPES, type KeysTriggerSpec, type KeyType } from './model/keys-trigger-spec.ts';
export { DEFAULT_LIMITS, type Limits } from './model/limits.ts';
export type { ListTriggerSpec } from './model/list-trigger-spec.ts';
export type { Manifest, ReportedRegistration } from './model/manifest.ts';
export { LIMIT_NAMES, type LimitName } from './model/parse-configuration.ts';
export { jsonFieldOf } from './model/parse-filter.ts';
export { checkFunctionName, type ManifestOptions, parseManifest } from './model/parse-manifest.ts';
export { parseNestedRun } from './model/parse-run.ts';
export {
  type CommandTriggerSpec,
  type DeliveryMode,
  FAILURE_POLICIES,
  type FailurePolicy,
  MODES,
  READERS,
  type ReaderName,
  type RegistrationSpec,
  runsPerRecord,
  type StepSpec,
  type StepType,
  type StreamTriggerSpec,
  type TriggerSpec,
} from './model/plan.ts';
export type { PubSubTriggerSpec } from './model/pubsub-trigger-spec.ts';
export {
  type BuryReason,
  decideFailure,
  type FailedHow,
  type FailureDecision,
  type FailureFacts,
} from './model/retry.ts';
export { compactRoutes, MAX_ROUTES, type Route, routeOf, routeVersion } from './model/route.ts';
export { RUN_READERS, type RunReaderName, type RunSpec } from './model/run-spec.ts';
export {
  MISSED_POLICIES,
  type MissedPolicy,
  type Schedule,
  type ScheduleTriggerSpec,
} from './model/schedule-trigger-spec.ts';
export { type Unread, unreadEntries } from './model/unread.ts';
export type { CommandFacts, CommandTable } from './redis/command-table.ts';
export { type ConnectOptions, connectRedis } from './redis/connect.ts';
export { SLOT_COUNT, STANDALONE_TAG, slotOfKey } from './redis/hash-tags.ts';
export type { CommandPipe, RawLink } from './redis/raw-link.ts';
export { type EntryAddress, type EntryFound, readEntry } from './redis/read-entry.ts';
export type { Endpoint, RedisAccess, ServerFacts, Shard } from './redis/redis-access.ts';
export type { RedisLog } from './redis/redis-log.ts';
export { maskRedisUrl, parseRedisUrl, type RedisTarget } from './redis/redis-url.ts';
export {
  decodeReplies,
  decodeReply,
  isReplyError,
  type ReplyError,
  type ReplyValue,
  unlessError,
} from './redis/resp/decode.ts';
export { encodeBulk, encodeCommand, encodeError, latin1FromUtf8, utf8FromLatin1 } from './redis/resp/encode.ts';
export { commandEnd, countFrames, repliesEnd, replyEnd } from './redis/resp/frame.ts';
export type { FrameLimits } from './redis/resp/frame-walk.ts';
export { createCommandFramer, createReplyFramer, type Framer, type ReplyFramer } from './redis/resp/framer.ts';
export {
  argOf,
  argsOf,
  type CommandScan,
  createCommandScan,
  type EntryScan,
  replyStarts,
  scanCommand,
  scanEntries,
} from './redis/resp/scan.ts';
export { type StreamBatch, splitStreamReply } from './redis/resp/stream-reply.ts';
export { defineScript, isNoScript, type Script, type ScriptArgument } from './redis/script.ts';
export { createCommandTable } from './redis/server-command-table.ts';
export { createSinglePipe } from './redis/single-pipe.ts';
export { createRegistry, type RegistryOptions } from './registry/create-registry.ts';
export type {
  ActiveRegistration,
  FunctionRecord,
  Inspect,
  LoadFunctionRequest,
  LoadFunctionResult,
  RegistrationState,
  Registry,
  RegistrySnapshot,
  Rewind,
  StreamHeads,
  VariablesChange,
  VariablesPlan,
  VersionRecord,
} from './registry/registry.ts';
export { createKeyRing, generateKey, type KeyRing } from './variables/key-ring.ts';
export { createRedactor, type Redactor } from './variables/redactor.ts';
export {
  checkVariable,
  checkVariableName,
  LARGEST_SUM_BYTES,
  LARGEST_VALUE_BYTES,
  MOST_VARIABLES,
  SHORTEST_SECRET,
  type StoredVariable,
  type StoredVariables,
  type VariableKind,
  type VariableName,
} from './variables/variable.ts';
