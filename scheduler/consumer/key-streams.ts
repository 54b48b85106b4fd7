import { latin1FromUtf8, type RedisAccess, slotOfKey } from '#functions';
import type { SchedulerKeys } from '../keys.ts';

/** Events of keys are spread over so many streams per registration on a cluster; on one server there is one. */
const PARTITIONS = 16;
const SHIFT = 10;

/** A key of each sixteenth of the slots: what is captured there stays near the keys it tells of. */
const SAMPLE_KEYS: readonly string[] = Array.from({ length: PARTITIONS }, (_, partition) => {
  for (let n = 0; ; n += 1) if (slotOfKey(String(n)) >> SHIFT === partition) return String(n);
});

export interface KeyStreamNaming {
  readonly keys: Pick<SchedulerKeys, 'captured'>;
  readonly access: Pick<RedisAccess, 'tagOf'>;
}

/** The tag under which the events of a key (latin1) are kept; keys of one tag keep their order. */
export function keyEventTag(key: string, { tagOf }: Pick<RedisAccess, 'tagOf'>): string {
  return tagOf(SAMPLE_KEYS[slotOfKey(key) >> SHIFT] as string);
}

export function keyEventTags({ tagOf }: Pick<RedisAccess, 'tagOf'>): readonly string[] {
  return [...new Set(SAMPLE_KEYS.map((key) => tagOf(key)))];
}

/** Where the events of a registration on keys are written; latin1. */
export function keyStreamsOf(registrationId: string, { keys, access }: KeyStreamNaming): readonly string[] {
  return keyEventTags(access).map((tag) => keys.captured(tag, latin1FromUtf8(registrationId)));
}
