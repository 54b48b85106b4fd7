import type { CapturedDelivery } from './captured-delivery.ts';

/** Types of keys that a registration can be narrowed to; `empty`: the key is not there after the event. */
export const KEY_TYPES = ['string', 'list', 'hash', 'set', 'zset', 'stream', 'module', 'empty'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** Arguments of a registration on key events, complete. */
export interface KeysTriggerSpec {
  readonly kind: 'keys';
  /** Trailing `*` = every key whose name begins so; otherwise one exact key. */
  readonly prefix: string;
  /** Names of keyspace events in lower case; null = all but `keymiss`. */
  readonly eventTypes: readonly string[] | null;
  /** What the key must be after the event; null = anything. */
  readonly keyTypes: readonly KeyType[] | null;
  /** Only events that these commands (lower case), sent through a door, have raised; null = events of any origin. */
  readonly commands: readonly string[] | null;
  /** True (default): the record carries type and value, read when the execution starts. */
  readonly readValue: boolean;
  /** True: what the function writes raises no events. Default false. */
  readonly quiet: boolean;
  readonly delivery: CapturedDelivery;
}

/** Arguments of a registration that stands before a command of Redis, complete. */
export interface HookTriggerSpec {
  readonly kind: 'hook';
  /** Name of the command, lower case. */
  readonly hook: string;
  /** Only calls of which a key begins so; null = all. */
  readonly keyprefix: string | null;
  /** True: the next call starts after the previous has ended. `sync` always behaves so. */
  readonly inorder: boolean;
}
