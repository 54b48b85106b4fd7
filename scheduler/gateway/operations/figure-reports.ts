import type { Backlog, RegistrationRates, Sample } from '../../figures/figures.ts';
import { mergeWork } from '../../figures/merge-work.ts';
import type { OperationDependencies } from './dependencies.ts';
import { type NodeReport, reportNodes } from './node-reports.ts';
import { type Health, type RegistrationReport, reportRegistrations } from './registration-reports.ts';

/** The platform at a moment: what a person who watches it wants to see at once. */
export interface FiguresReport {
  readonly atMs: number;
  /** The fleet in its newest second; null when no node has said anything in the last seconds. */
  readonly sample: Sample | null;
  readonly functions: number;
  readonly executionsRunning: number;
  readonly deadLetters: number;
  readonly nodes: readonly NodeReport[];
  readonly registrations: readonly RegistrationFigures[];
}

export interface RegistrationFigures {
  readonly id: string;
  readonly functionName: string;
  readonly version: number;
  readonly reader: string;
  readonly mode: string;
  readonly state: string;
  readonly health: Health;
  readonly rates: RegistrationRates;
  /** Entries not read yet, over all its streams. */
  readonly unread: number;
  /** Entries read and not settled, those that wait for a retry among them. */
  readonly pending: number;
  /** Entries that wait for a retry, on all nodes. */
  readonly waiting: number;
  /** Age of its oldest entry without an end, ms; null = there is none. */
  readonly lagAgeMs: number | null;
  readonly lastError: string | null;
}

export type FiguresDependencies = Pick<
  OperationDependencies,
  'registry' | 'journal' | 'streams' | 'figures' | 'executions' | 'deadLetters' | 'fleet'
>;

const IDLE: RegistrationRates = { entries: 0, executions: 0, errors: 0, retries: 0, durationMs: null };

/** The same figures as those of the dashboard, by registration and node; backlogs are those that one node has measured for all. */
export async function reportFigures(dependencies: FiguresDependencies): Promise<FiguresReport> {
  const { figures, registry, executions, deadLetters } = dependencies;
  const [sample, nodes, registrations, backlogs, runs, letters] = await Promise.all([
    figures.latest(),
    reportNodes(dependencies),
    reportRegistrations(dependencies),
    figures.backlogs(),
    executions.list(),
    deadLetters.total(),
  ]);
  const work = mergeWork(nodes.map(({ status }) => status?.work ?? []));
  const measured = new Map((backlogs?.items ?? []).map((one) => [one.registrationId, one]));
  return {
    ...{ atMs: Date.now(), sample, functions: registry.snapshot().functions.size, deadLetters: letters, nodes },
    executionsRunning: runs.filter(({ endedAtMs }) => endedAtMs === null).length,
    registrations: registrations.map((report) => {
      const { id } = report.registration.spec;
      return { ...factsOf(report), ...backlogOf(measured.get(id)), rates: work.get(id) ?? IDLE };
    }),
  };
}

function backlogOf(
  measured: Backlog | undefined,
): Pick<RegistrationFigures, 'unread' | 'pending' | 'waiting' | 'lagAgeMs'> {
  if (measured === undefined) return { unread: 0, pending: 0, waiting: 0, lagAgeMs: null };
  const { unread, pending, dueRetries, waitingRetries, lagAgeMs } = measured;
  const waiting = dueRetries + waitingRetries;
  return { unread, pending: pending + waiting, waiting, lagAgeMs };
}

function factsOf({ registration, stats, health }: RegistrationReport) {
  const { spec, functionName, version, state } = registration;
  return {
    ...{ id: spec.id, functionName, version, reader: spec.reader, mode: spec.mode, state, health },
    lastError: stats.lastError,
  };
}
