import {
  type ActiveRegistration,
  type ListTriggerSpec,
  latin1FromUtf8,
  type RedisAccess,
  type ScheduleTriggerSpec,
} from '#functions';
import type { Fleet } from '../../fleet/fleet.ts';
import type { SchedulerKeys } from '../../keys.ts';
import { listenerField } from '../../triggers/listener-field.ts';
import { overdueMs } from '../../triggers/overdue.ts';
import type { Check } from './doctor-checks.ts';

export interface CaptureFacts {
  readonly access: Pick<RedisAccess, 'client' | 'tagOf'>;
  readonly keys: Pick<SchedulerKeys, 'schedule' | 'captured' | 'lease'>;
  readonly fleet: Pick<Fleet, 'isAlive'>;
}

const GREAT_LENGTH = 100_000;
const LATE_MS = 60_000;

/** What is wrong with lists, schedules and channels of running registrations; nothing when all is well. */
export async function checkCaptures(
  registrations: readonly ActiveRegistration[],
  facts: CaptureFacts,
): Promise<readonly Check[]> {
  const running = registrations.filter(({ state }) => state === 'running');
  const checks = await Promise.all(running.map((registration) => checkCapture(registration, facts)));
  return checks.flat();
}

async function checkCapture({ spec }: ActiveRegistration, facts: CaptureFacts): Promise<readonly Check[]> {
  const { id, trigger } = spec;
  if (trigger.kind === 'list') return checkLists(trigger, facts);
  if (trigger.kind === 'schedule') return checkSchedule(id, trigger, facts);
  return trigger.kind === 'pubsub' ? checkListener(id, facts) : [];
}

async function checkLists({ lists }: ListTriggerSpec, { access }: CaptureFacts): Promise<readonly Check[]> {
  const checks = lists.map(async (list): Promise<Check | null> => {
    const check = `list ${list}`;
    const type = await access.client.type(list);
    if (type !== 'list' && type !== 'none') {
      const advice = 'Rename the key, or name another one in the registration.';
      return { check, state: 'bad', finding: `the key holds a ${type}, no list`, advice };
    }
    const length = type === 'list' ? await access.client.llen(list) : 0;
    if (length < GREAT_LENGTH) return null;
    const advice = 'Raise batch or maxInFlight of the registration, or start more nodes.';
    return { check, state: 'warning', finding: `${length} items wait`, advice };
  });
  return (await Promise.all(checks)).filter((check) => check !== null);
}

async function checkSchedule(
  id: string,
  trigger: ScheduleTriggerSpec,
  { access, keys }: CaptureFacts,
): Promise<readonly Check[]> {
  const last = await access.client.hget(keys.schedule(access.tagOf(latin1FromUtf8(id)), id), 'last');
  if (last === null) return [];
  const lateMs = overdueMs(trigger, Number(last), Date.now());
  if (lateMs < LATE_MS) return [];
  const finding = `a tick has been due for ${Math.round(lateMs / 1000)} s`;
  const advice = 'Look at the logs of the nodes for trouble with the clock of schedules.';
  return [{ check: `schedule ${id}`, state: 'warning', finding, advice }];
}

async function checkListener(id: string, { access, keys, fleet }: CaptureFacts): Promise<readonly Check[]> {
  const tag = access.tagOf(latin1FromUtf8(id));
  const field = listenerField(keys.captured(tag, latin1FromUtf8(id)));
  const holder = await access.client.hget(keys.lease(tag, id), Buffer.from(field, 'latin1'));
  const [consumer = '', token] = (holder ?? '').split(':');
  if (holder !== null && fleet.isAlive(consumer, token)) return [];
  const advice = 'A living node begins to listen within a second; if this stays, look at the logs of the nodes.';
  return [{ check: `channels of ${id}`, state: 'warning', finding: 'no living node listens', advice }];
}
