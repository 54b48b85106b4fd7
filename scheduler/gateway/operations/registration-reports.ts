import type { ActiveRegistration } from '#functions';
import type { RegistrationStats } from '../../triggers/trigger.ts';
import type { OperationDependencies } from './dependencies.ts';

const NO_STATS: RegistrationStats = {
  numTriggered: 0,
  numSuccess: 0,
  numFailures: 0,
  numAborted: 0,
  lastRunDurationMs: 0,
  totalRunDurationMs: 0,
  lastEstimatedLagMs: 0,
  totalEstimatedLagMs: 0,
  lastError: null,
  done: 0,
  filtered: 0,
  dead: 0,
  expired: 0,
  lostToTrim: 0,
  retries: 0,
};

/** `failing`: the newest run failed. `failed`: runs failed before, the newest did not. `stopped`: it takes nothing up. */
export const HEALTHS = ['ok', 'failing', 'failed', 'stopped'] as const;
export type Health = (typeof HEALTHS)[number];

/** A registration in force with its numbers. */
export interface RegistrationReport {
  readonly registration: ActiveRegistration;
  readonly stats: RegistrationStats;
  /** Entries that wait on this node for a retry. */
  readonly waiting: number;
  readonly health: Health;
}

export type ReportDependencies = Pick<OperationDependencies, 'registry' | 'journal' | 'streams'>;

/** All registrations in force, by id. */
export async function reportRegistrations(
  { registry, journal, streams }: ReportDependencies,
  wanted: (registration: ActiveRegistration) => boolean = () => true,
): Promise<readonly RegistrationReport[]> {
  const registrations = [...registry.snapshot().registrations.values()].filter(wanted);
  const all = registrations.sort((a, b) => (a.spec.id < b.spec.id ? -1 : 1));
  const stats = await journal.stats(all.map(({ spec }) => spec.id));
  return all.map((registration) => {
    const { id } = registration.spec;
    const own = stats.get(id) ?? NO_STATS;
    return { registration, stats: own, waiting: streams.waiting(id), health: healthOf(registration, own) };
  });
}

function healthOf({ state }: ActiveRegistration, stats: RegistrationStats): Health {
  if (state !== 'running') return 'stopped';
  if (stats.lastError !== null) return 'failing';
  return stats.numFailures > 0 ? 'failed' : 'ok';
}

/** Runs that have ended. */
export function endedRuns({ numSuccess, numFailures, numAborted }: RegistrationStats): number {
  return numSuccess + numFailures + numAborted;
}
