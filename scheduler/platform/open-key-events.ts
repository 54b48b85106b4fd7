import type { ActiveRegistration, LoadableVersion, Manifest, RedisAccess } from '#functions';
import type { Invocation, Outcome } from '#runtime';
import type { StreamLeases } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import { checkCommands } from '../triggers/check-commands.ts';
import { createCommandIntercept } from '../triggers/command-intercept.ts';
import { createHookTrigger } from '../triggers/hooks.ts';
import type { CommandIntercept } from '../triggers/interception.ts';
import { createKeysTrigger, type KeysTrigger } from '../triggers/keys.ts';
import type { Trigger } from '../triggers/trigger.ts';

export interface KeyEventsOptions {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly settings: Settings;
  readonly journal: Journal;
  readonly leases: StreamLeases;
  /** `Runtime.execute`. */
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** Tells the consumer of this node that a stream has news. */
  readonly ring: (stream: string) => void;
  readonly log: Log;
}

/** What turns changes of keys into stream entries, and what stands before the commands of clients. */
export interface KeyEvents {
  readonly triggers: readonly Trigger[];
  /** What every other trigger runs batches with: see `KeysTrigger.execute`. */
  readonly execute: KeysTrigger['execute'];
  readonly intercept: CommandIntercept;
  /** Refuses what cannot be hooked. Errors: MANIFEST_INVALID. */
  check(manifest: Manifest, functionName: string, active: Iterable<ActiveRegistration>): void;
  /** Nothing is heard any more when it resolves; commands in hand may end, at most so long. */
  drain(deadlineMs: number): Promise<void>;
}

export function openKeyEvents(options: KeyEventsOptions, opening: AsyncDisposableStack): KeyEvents {
  const { access } = options;
  const keys = opening.use(createKeysTrigger(options));
  const { execute } = keys;
  const hooks = opening.use(createHookTrigger({ ...options, execute }));
  return {
    triggers: [keys, hooks],
    execute,
    intercept: createCommandIntercept({ hooks, keys: keys.capture }),
    check: (manifest, functionName, active) =>
      checkCommands(manifest, { commands: access.commands, active, functionName }),
    drain: async (deadlineMs) => void (await Promise.all([keys.drain(deadlineMs), hooks.drain(deadlineMs)])),
  };
}
