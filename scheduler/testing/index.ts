/** `regears/testing`: functions in the sandbox of a platform, inside a test. See docs/testing.md. */
export { PlatformError } from '#functions';
export { assertDone } from './assert-done.ts';
export type { CrashPoint } from './delivery/crash-point.ts';
export type { Delivery, DeliveryError, RecordEnd, RecordOutcome, SentCommand } from './delivery/delivery.ts';
export {
  batchRun,
  commandCall,
  type Fields,
  hookedCommand,
  type KeyEvent,
  type KeyState,
  keyEvents,
  listItems,
  type Message,
  messages,
  type RunRecord,
  streamEntries,
  type TestEvent,
  type Tick,
  ticks,
} from './events.ts';
export { loadFunction } from './load-function.ts';
export type { KeySnapshot, Snapshot } from './redis/snapshot.ts';
export { type OpenRedisOptions, openRedis, startRedis, type TestRedis } from './redis/test-redis.ts';
export { readRecording } from './replies/recording.ts';
export { inTurn, type RepliesInTurn, type ReplyFunction, type ReplyRules } from './replies/reply-rules.ts';
export { expectRetrySafe, type RetrySafetyOptions, type RetrySafetyReport } from './retry/expect-retry-safe.ts';
export type { Instant, RandomSource, TestClock, TestRandom } from './sources.ts';
export type { DeliverOptions, LoadOptions, TestFunction } from './test-function.ts';
export type { Argument, Reply } from './values.ts';
