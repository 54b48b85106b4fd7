import type { RegistrationRates, Sample } from '../../figures/figures.ts';
import { mergeWork } from '../../figures/merge-work.ts';
import type { OperationDependencies } from './dependencies.ts';
import { type NodeReport, reportNodes } from './node-reports.ts';
import { type Health, type RegistrationReport, reportRegistrations } from './registration-reports.ts';
import { reportStreams, type StreamReport, type StreamReportDependencies } from './stream-reports.ts';

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
  /** Streams that it reads. */
  readonly streams: number;
  /** Entries not read yet, over all its streams. */
  readonly unread: number;
  /** Entries read and not settled. */
  readonly pending: number;
  /** Entries that wait on the asked node for a retry. */
  readonly waiting: number;
  /** Age of its oldest entry without an end, ms; null = there is none. */
  readonly lagAgeMs: number | null;
  readonly lastError: string | null;
}

export type FiguresDependencies = StreamReportDependencies &
  Pick<OperationDependencies, 'registry' | 'journal' | 'streams' | 'figures' | 'executions' | 'deadLetters' | 'fleet'>;

const IDLE: RegistrationRates = { entries: 0, executions: 0, errors: 0, retries: 0, durationMs: null };

/** The same figures as those of the dashboard, by registration and node. */
export async function reportFigures(dependencies: FiguresDependencies): Promise<FiguresReport> {
  const { figures, registry, executions, deadLetters } = dependencies;
  const [sample, nodes, registrations, streams, runs, letters] = await Promise.all([
    figures.latest(),
    reportNodes(dependencies),
    reportRegistrations(dependencies),
    reportStreams(dependencies),
    executions.list(),
    deadLetters.total(),
  ]);
  const work = mergeWork(nodes.map(({ status }) => status?.work ?? []));
  const backlogs = backlogsOf(streams);
  return {
    ...{ atMs: Date.now(), sample, functions: registry.snapshot().functions.size, deadLetters: letters, nodes },
    executionsRunning: runs.filter(({ endedAtMs }) => endedAtMs === null).length,
    registrations: registrations.map((report) => {
      const { id } = report.registration.spec;
      return { ...factsOf(report), ...(backlogs.get(id) ?? NO_BACKLOG), rates: work.get(id) ?? IDLE };
    }),
  };
}

type Backlog = Pick<RegistrationFigures, 'streams' | 'unread' | 'pending' | 'lagAgeMs'>;

const NO_BACKLOG: Backlog = { streams: 0, unread: 0, pending: 0, lagAgeMs: null };

function backlogsOf(streams: readonly StreamReport[]): ReadonlyMap<string, Backlog> {
  const byId = Map.groupBy(
    streams.flatMap(({ groups }) => groups),
    ({ registrationId }) => registrationId,
  );
  const backlogOf = (groups: StreamReport['groups']): Backlog => {
    const ages = groups.flatMap(({ lagAgeMs }) => lagAgeMs ?? []);
    return {
      streams: groups.length,
      unread: groups.reduce((sum, { unread }) => sum + (unread ?? 0), 0),
      pending: groups.reduce((sum, { pending }) => sum + pending, 0),
      lagAgeMs: ages.length === 0 ? null : Math.max(...ages),
    };
  };
  return new Map([...byId].map(([id, groups]) => [id, backlogOf(groups)]));
}

function factsOf({ registration, stats, waiting, health }: RegistrationReport) {
  const { spec, functionName, version, state } = registration;
  return {
    ...{ id: spec.id, functionName, version, reader: spec.reader, mode: spec.mode, state, health, waiting },
    lastError: stats.lastError,
  };
}
