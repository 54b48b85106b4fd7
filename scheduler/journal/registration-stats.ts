import type { RedisAccess } from '#functions';
import type { SchedulerKeys } from '../keys.ts';
import type { RegistrationStats } from '../triggers/trigger.ts';

/** Fields of `keys.stats`, counted by the settle script. */
export const END_FIELDS = ['done', 'filtered', 'dead', 'expired', 'lost'] as const;
export type EndField = (typeof END_FIELDS)[number];
export type EndSums = Readonly<Record<EndField, number>>;

interface Source {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
}

/** Ends of entries over all slots since the registration exists. */
export async function readEndSums({ access, keys }: Source, registrationId: string): Promise<EndSums> {
  const tags = await access.client.smembers(keys.tags(registrationId));
  const hashes = await Promise.all(tags.map((tag) => access.client.hgetall(keys.stats(tag, registrationId))));
  const sums: Record<EndField, number> = { done: 0, filtered: 0, dead: 0, expired: 0, lost: 0 };
  for (const hash of hashes) {
    for (const field of END_FIELDS) sums[field] += numberOf(hash, field);
  }
  return sums;
}

/** The numbers of one registration since the last clearing. */
export async function readStats(source: Source, registrationId: string): Promise<RegistrationStats> {
  const { access, keys } = source;
  const [runs, cleared, ends] = await Promise.all([
    access.client.hgetall(keys.runs(registrationId)),
    access.client.hgetall(keys.cleared(registrationId)),
    readEndSums(source, registrationId),
  ]);
  const since = (field: EndField): number => Math.max(0, ends[field] - numberOf(cleared, field));
  return {
    numTriggered: numberOf(runs, 'triggered'),
    numSuccess: numberOf(runs, 'success'),
    numFailures: numberOf(runs, 'failures'),
    numAborted: numberOf(runs, 'aborted'),
    lastRunDurationMs: msOf(runs, 'lastRunUs'),
    totalRunDurationMs: msOf(runs, 'totalRunUs'),
    lastEstimatedLagMs: msOf(runs, 'lastLagUs'),
    totalEstimatedLagMs: msOf(runs, 'totalLagUs'),
    lastError: runs.lastError ?? null,
    done: since('done'),
    filtered: since('filtered'),
    dead: since('dead'),
    expired: since('expired'),
    lostToTrim: since('lost'),
    retries: numberOf(runs, 'retries'),
  };
}

function numberOf(hash: Readonly<Record<string, string>>, field: string): number {
  return Number(hash[field] ?? 0);
}

function msOf(hash: Readonly<Record<string, string>>, field: string): number {
  return Math.round(numberOf(hash, field) / 1_000);
}
