import type { Static } from 'typebox';
import { reportRegistrations } from '../../operations/registration-reports.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { defineRoute, type HttpRoute } from '../route.ts';
import { Count, nullable, shape } from '../schemas/parts.ts';
import { SampleShape } from '../schemas/sample.ts';

const OverviewShape = shape(
  {
    sample: nullable(SampleShape),
    functions: Count,
    registrations: shape({ total: Count, failing: Count, failed: Count, stopped: Count }),
    deadLetters: Count,
    executionsRunning: Count,
    nodes: Count,
  },
  'Overview',
);
type Overview = Omit<Static<typeof OverviewShape>, 'sample'> & { readonly sample: object | null };

export function overviewRoute(dependencies: HttpDependencies): HttpRoute {
  return defineRoute({
    ...{ method: 'GET', path: '/v1/overview', role: 'read', area: 'Live' },
    summary: 'The figures of a start page in one answer',
    answers: { 200: { description: 'Figures', schema: OverviewShape } },
    handle: async () => ({ body: await readOverview(dependencies) }),
  });
}

export async function readOverview(dependencies: HttpDependencies): Promise<Overview> {
  const { figures, registry, deadLetters, executions, fleet } = dependencies;
  const [sample, reports, letters, runs, nodes] = await Promise.all([
    figures.latest(),
    reportRegistrations(dependencies),
    deadLetters.total(),
    executions.list(),
    fleet.nodes(),
  ]);
  const inHealth = (wanted: string): number => reports.filter(({ health }) => health === wanted).length;
  return {
    sample,
    functions: registry.snapshot().functions.size,
    registrations: {
      total: reports.length,
      failing: inHealth('failing'),
      failed: inHealth('failed'),
      stopped: inHealth('stopped'),
    },
    deadLetters: letters,
    executionsRunning: runs.filter(({ endedAtMs }) => endedAtMs === null).length,
    nodes: nodes.length,
  };
}
