import type { RedisAccess } from '#functions';
import type { Runtime } from '#runtime';
import { createFigures, type Measurement } from '../figures/create-figures.ts';
import type { Backlog, Figures, Probe } from '../figures/figures.ts';
import type { Meter } from '../figures/meter.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { reportBacklogs } from '../gateway/operations/backlog-reports.ts';
import type { StreamReportDependencies } from '../gateway/operations/stream-reports.ts';
import type { DeadLetters } from '../journal/dead-letters.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { StreamTrigger } from '../triggers/stream.ts';

export interface FiguresGround extends Omit<StreamReportDependencies, 'streams'> {
  readonly streams: Pick<StreamTrigger, 'inspect' | 'facts' | 'waiting' | 'retries'>;
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  readonly runtime: Runtime;
  readonly meter: Meter;
  readonly deadLetters: Pick<DeadLetters, 'total'>;
  readonly isReady: () => boolean;
  readonly settings: Settings;
  readonly version: string;
  readonly log: Log;
}

/** This node's figures, and those of the fleet. */
export function openFigures(ground: FiguresGround, opening: AsyncDisposableStack): Figures {
  const { access, keys, fleet, runtime, meter, isReady, version, log } = ground;
  const figures: Figures = opening.use(
    createFigures({
      ...{ access, keys, fleet, meter, version, log },
      inspectPool: () => runtime.inspectPool(),
      measurePool: () => runtime.measurePool(),
      ready: isReady,
      retries: () => ground.streams.retries(),
      sandboxLimitBytes: ground.settings.sandbox.residentBytes,
      probe: () => measure(ground, figures),
    }),
  );
  return figures;
}

async function measure(ground: FiguresGround, figures: Figures): Promise<Measurement> {
  const [backlogs, deadLetters] = await Promise.all([
    reportBacklogs({ ...ground, figures }),
    ground.deadLetters.total(),
  ]);
  return { probe: { lag: lagOf(backlogs), deadLetters }, backlogs };
}

function lagOf(backlogs: readonly Backlog[]): Probe['lag'] {
  const sum = (of: (backlog: Backlog) => number): number => backlogs.reduce((total, one) => total + of(one), 0);
  const waiting = sum(({ dueRetries, waitingRetries }) => dueRetries + waitingRetries);
  return {
    ageMs: Math.max(0, ...backlogs.map(({ lagAgeMs }) => lagAgeMs ?? 0)),
    unread: sum(({ unread }) => unread),
    pending: sum(({ pending }) => pending) + waiting,
    waiting,
  };
}
