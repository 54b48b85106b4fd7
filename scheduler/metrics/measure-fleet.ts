import type { Backlog, Backlogs } from '../figures/figures.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { FLEET_FAMILIES, type MetricFamily } from './catalogue.ts';
import type { LabelValues, Measured } from './exposition.ts';
import { createLabelBounds, registrationLabels, summed } from './label-bounds.ts';
import { labelled, single } from './measured.ts';

export interface FleetFacts {
  readonly fleet: Pick<Fleet, 'consumers'>;
  readonly mostLabels: number;
}

const FAMILIES = FLEET_FAMILIES;
const MS = 1_000;

/** Numbers of the fleet, the same on every node: by registration, the first ones by id with labels of their own. */
export function measureFleet(backlogs: Backlogs | null, { fleet, mostLabels }: FleetFacts): readonly Measured[] {
  const nodes = single(FAMILIES.nodes, fleet.consumers().length);
  if (backlogs === null) return [nodes];
  const bounds = createLabelBounds(mostLabels, registrationLabels);
  const items = backlogs.items.map((item) => [bounds.of(item.registrationId), item] as const);
  const each = (
    family: MetricFamily,
    of: (backlog: Backlog) => number,
    join: (a: number, b: number) => number = added,
  ): Measured => {
    const values = items.map(([labels, item]): readonly [LabelValues, number] => [labels, of(item)]);
    return labelled(family, summed(values, join));
  };
  return [
    nodes,
    single(FAMILIES.measured, backlogs.atMs / MS),
    each(FAMILIES.backlog, ({ backlog }) => backlog),
    each(FAMILIES.unread, ({ unread }) => unread),
    each(FAMILIES.pending, ({ pending }) => pending),
    each(FAMILIES.dueRetries, ({ dueRetries }) => dueRetries),
    each(FAMILIES.waitingRetries, ({ waitingRetries }) => waitingRetries),
    each(FAMILIES.lagAge, ({ lagAgeMs }) => (lagAgeMs ?? 0) / MS, Math.max),
    single(FAMILIES.deadLetters, backlogs.deadLetters),
  ];
}

function added(a: number, b: number): number {
  return a + b;
}
