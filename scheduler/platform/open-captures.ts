import type { LoadableVersion, Manifest } from '#functions';
import type { Invocation, Outcome } from '#runtime';
import type { Fleet, Permits, StreamLeases } from '../fleet/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';
import { createScheduleClock } from '../queues/schedule-clock.ts';
import { checkSchedule } from '../queues/schedule-times.ts';
import type { Settings } from '../settings.ts';
import { createListTrigger } from '../triggers/list.ts';
import { createPubSubTrigger, type PubSubTriggerOptions } from '../triggers/pubsub.ts';
import { createScheduleTrigger } from '../triggers/schedule.ts';
import type { StreamTrigger } from '../triggers/stream.ts';
import type { Trigger } from '../triggers/trigger.ts';

export interface CapturesOptions {
  readonly access: PubSubTriggerOptions['access'];
  readonly keys: SchedulerKeys;
  readonly settings: Settings;
  readonly fleet: Fleet;
  readonly journal: Journal;
  readonly leases: StreamLeases;
  readonly permits: Permits;
  readonly execute: (invocation: Invocation) => Promise<Outcome>;
  readonly loadable: (name: string, version: number) => Promise<LoadableVersion>;
  /** The one that processes what is captured; asked for only after the first registrations were applied. */
  readonly stream: () => Pick<StreamTrigger, 'ring' | 'waiting'>;
  readonly log: Log;
}

/** What turns ticks, items and messages into stream entries. */
export interface Captures {
  readonly triggers: readonly Trigger[];
  /** Entries of a registration have ended. */
  onSettled(registrationId: string): void;
  /** Nothing is captured any more when it resolves; what runs from memory may end, at most so long. */
  drain(deadlineMs: number): Promise<void>;
}

export function openCaptures(options: CapturesOptions, opening: AsyncDisposableStack): Captures {
  const { access, keys, settings, fleet, journal, leases, permits, execute, loadable, log } = options;
  const ring = (stream: string): void => options.stream().ring(stream);
  const clock = opening.use(createScheduleClock({ access, keys, settings: settings.fleet, log }));
  const schedules = opening.use(createScheduleTrigger({ access, keys, clock, ring, log }));
  const lists = opening.use(
    createListTrigger({
      ...{ access, keys, fleet, log },
      ringStream: ring,
      waitingOf: (id) => options.stream().waiting(id),
    }),
  );
  const { caps } = settings;
  const channels = opening.use(
    createPubSubTrigger({ access, keys, fleet, leases, permits, execute, loadable, journal, caps, ring, log }),
  );
  const triggers = [schedules, lists, channels];
  return {
    triggers,
    onSettled: (id) => lists.onSettled(id),
    async drain(deadlineMs) {
      await Promise.all(triggers.map((trigger) => trigger.drain(deadlineMs)));
    },
  };
}

/** MANIFEST_INVALID for a schedule that means nothing. */
export function checkSchedules({ registrations }: Manifest): void {
  for (const { trigger } of registrations) if (trigger.kind === 'schedule') checkSchedule(trigger);
}
