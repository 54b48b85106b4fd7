import type { OperationDependencies } from './dependencies.ts';

/**
 * Has every node give up what it has in work of registrations that are about to be removed: callers hear of it, entries of
 * streams stay pending. A node that does not answer in time is named by the removal that follows.
 */
export async function abortPending(
  { registry, fleet, settings }: Pick<OperationDependencies, 'registry' | 'fleet' | 'settings'>,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const { revision } = await registry.abort(ids, 'about to be removed with ABORTPENDING');
  await fleet.waitForRevision(revision, settings.fleet.convergeMs);
}
