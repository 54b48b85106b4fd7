/** `regears/client`: plans built in any Node program and run by a platform. */
export type { CallingClient, RemoteRedis, SendingClient } from './connection.ts';
export { type ClientErrorCode, RemoteError, type SourcePosition, type StepPlace } from './errors.ts';
export { GearsRemoteBuilder } from './remote-builder.ts';
export type {
  BlockingRun,
  Execution,
  ExecutionStatus,
  GearsRemoteBuilderConstructor,
  Registered,
  RemoteBuilder,
  RunResults,
  ShardStatus,
  UnblockingRun,
  WaitOptions,
} from './types.ts';
