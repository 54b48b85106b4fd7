import { decodeReply, defineScript, latin1FromUtf8, previousEntryId } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { Lane } from './lane.ts';
import type { RedisCalls } from './redis-calls.ts';
import type { ConsumedRegistration } from './registration.ts';

const OPEN_GROUP = defineScript('open-group', new URL('./scripts/open-group.lua', import.meta.url));

export interface OpenedGroup {
  readonly state: 'exists' | 'created' | 'missing' | 'wrongtype';
  /** Entries of the group without an end, whoever has them. */
  readonly pending: number;
}

export interface Groups {
  /**
   * Makes sure that the lane's group is there: a new one begins where the registration asks for, one that was lost goes on
   * from its checkpoint. Never makes a stream for a prefix. Carries out a rewind, once per token. Notes where the
   * registration has keys.
   */
  open(lane: Lane): Promise<OpenedGroup>;
  /** Streams the registration has ever had a group on; latin1. */
  known(registrationId: string): Promise<readonly string[]>;
}

export interface GroupsOptions {
  readonly calls: RedisCalls;
  readonly keys: SchedulerKeys;
}

export function createGroups({ calls, keys }: GroupsOptions): Groups {
  async function note(lane: Lane): Promise<void> {
    const { group } = lane.registration;
    await Promise.all([
      calls.call(['SADD', keys.streams(group), lane.stream]),
      calls.call(['SADD', keys.tags(group), lane.tag]),
      calls.call(['SADD', keys.registrationIndex, group]),
    ]);
  }

  return {
    async open(lane) {
      const { registration, stream, tag } = lane;
      const { rewindTo } = registration.active;
      const reply = await calls.script(
        OPEN_GROUP,
        [stream, keys.position(tag, registration.group)],
        [
          registration.group,
          stream,
          startOf(registration),
          registration.isPrefix ? '0' : '1',
          lane.settledId,
          rewindTo?.token ?? '',
          rewindTo?.id ?? '',
        ],
      );
      const [state, pending] = decodeReply(reply) as [OpenedGroup['state'], number];
      if (state === 'created' || state === 'exists') await note(lane);
      return { state, pending };
    },
    async known(registrationId) {
      return (await calls.call(['SMEMBERS', keys.streams(latin1FromUtf8(registrationId))])) as string[];
    },
  };
}

/** Where a new group begins, as the script wants it: the last id that is not delivered, or `$<ms>`. */
function startOf({ trigger, active }: ConsumedRegistration): string {
  const { fromId } = trigger;
  if (fromId === '$') return `$${active.routes[0]?.madeAtMs ?? Date.now()}`;
  const first = fromId.includes('-') ? fromId : `${fromId}-0`;
  return previousEntryId(first) ?? '0-0';
}
