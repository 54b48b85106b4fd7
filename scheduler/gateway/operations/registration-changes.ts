import type { RegistrationState } from '#functions';
import { abortPending } from './abort-pending.ts';
import { converge } from './converge.ts';
import type { FunctionChangeDependencies } from './function-changes.ts';

export interface StateChange {
  readonly ids: readonly string[];
  readonly state: RegistrationState;
  readonly reason: string | null;
}

/** All of them or none; returns the new revision. REGISTRATION_NOT_FOUND, NOT_CONVERGED. */
export async function changeState(
  dependencies: FunctionChangeDependencies,
  { ids, state, reason }: StateChange,
): Promise<number> {
  const { revision } = await dependencies.registry.setState([...new Set(ids)], state, reason);
  await converge(dependencies, revision);
  return revision;
}

/**
 * Takes a registration out of force until its function is loaded or rolled back again; with `aborts` what is in work of it is
 * given up. Returns the new revision. REGISTRATION_NOT_FOUND, NOT_CONVERGED.
 */
export async function unregister(
  dependencies: FunctionChangeDependencies,
  id: string,
  aborts: boolean,
): Promise<number> {
  if (aborts) await abortPending(dependencies, [id]);
  const { revision } = await dependencies.registry.unregister(id);
  await converge(dependencies, revision);
  return revision;
}
