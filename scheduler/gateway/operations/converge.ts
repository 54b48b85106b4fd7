import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { OperationDependencies } from './dependencies.ts';

/**
 * Waits until every live node has applied a revision. NOT_CONVERGED names those that have not in time; the change itself
 * stands and reaches them when they can be reached.
 */
export async function converge(
  { fleet, settings }: Pick<OperationDependencies, 'fleet' | 'settings'>,
  revision: number,
): Promise<void> {
  const { convergeMs } = settings.fleet;
  const late = await fleet.waitForRevision(revision, convergeMs);
  if (late.length === 0) return;
  throw new PlatformError<SchedulerErrorCode>(
    'NOT_CONVERGED',
    `the change is stored (revision ${revision}), but after ${convergeMs} ms these nodes have not applied it: ${late.join(', ')}`,
    { retryable: true, details: { revision, nodes: late } },
  );
}
