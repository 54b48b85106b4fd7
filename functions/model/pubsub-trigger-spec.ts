import type { CapturedDelivery } from './captured-delivery.ts';

/** Arguments of a registration on channels, complete. At least one channel or pattern. */
export interface PubSubTriggerSpec {
  readonly kind: 'pubsub';
  readonly channels: readonly string[];
  /** Globs, as PSUBSCRIBE takes them; none when `sharded`. */
  readonly patterns: readonly string[];
  /** True: the channels are sharded ones (SSUBSCRIBE). */
  readonly sharded: boolean;
  /** True: messages go through a stream first; false (default): they are run at most once, from memory. */
  readonly durable: boolean;
  readonly delivery: CapturedDelivery;
}
