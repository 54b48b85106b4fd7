import type { RedisAccess } from '#functions';
import type { Runtime } from '#runtime';
import { createFigures } from '../figures/create-figures.ts';
import type { Figures, Probe } from '../figures/figures.ts';
import type { Meter } from '../figures/meter.ts';
import type { Fleet } from '../fleet/fleet.ts';
import {
  reportStreams,
  type StreamReport,
  type StreamReportDependencies,
} from '../gateway/operations/stream-reports.ts';
import type { DeadLetters } from '../journal/dead-letters.ts';
import type { SchedulerKeys } from '../keys.ts';
import type { Log } from '../log.ts';

export interface FiguresGround extends StreamReportDependencies {
  readonly access: RedisAccess;
  readonly keys: SchedulerKeys;
  readonly fleet: Fleet;
  readonly runtime: Runtime;
  readonly meter: Meter;
  readonly deadLetters: Pick<DeadLetters, 'total'>;
  readonly isReady: () => boolean;
  readonly version: string;
  readonly log: Log;
}

/** This node's figures, and those of the fleet. */
export function openFigures(ground: FiguresGround, opening: AsyncDisposableStack): Figures {
  const { access, keys, fleet, runtime, meter, isReady, version, log } = ground;
  return opening.use(
    createFigures({
      ...{ access, keys, fleet, meter, version, log },
      inspectPool: () => runtime.inspectPool(),
      measurePool: () => runtime.measurePool(),
      ready: isReady,
      probe: () => measure(ground),
    }),
  );
}

async function measure(ground: FiguresGround): Promise<Probe> {
  const [streams, deadLetters] = await Promise.all([reportStreams(ground), ground.deadLetters.total()]);
  return { lag: lagOf(streams), deadLetters };
}

function lagOf(streams: readonly StreamReport[]): Probe['lag'] {
  const groups = streams.flatMap((stream) => stream.groups);
  return {
    ageMs: Math.max(0, ...groups.map(({ lagAgeMs }) => lagAgeMs ?? 0)),
    unread: groups.reduce((sum, { unread }) => sum + (unread ?? 0), 0),
    pending: groups.reduce((sum, { pending }) => sum + pending, 0),
    waiting: groups.reduce((sum, { waiting }) => sum + waiting, 0),
  };
}
