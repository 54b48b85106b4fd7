import type { LoadFunctionRequest, LoadFunctionResult } from '#functions';
import { abortPending } from './abort-pending.ts';
import { converge } from './converge.ts';
import type { OperationDependencies } from './dependencies.ts';

/** What changes of functions need. Each resolves when every live node has applied it; NOT_CONVERGED. */
export type FunctionChangeDependencies = Pick<OperationDependencies, 'registry' | 'fleet' | 'settings'>;

/** Errors: those of `Registry.load`. */
export async function loadFunction(
  dependencies: FunctionChangeDependencies,
  request: LoadFunctionRequest,
): Promise<LoadFunctionResult> {
  const loaded = await dependencies.registry.load(request);
  await converge(dependencies, loaded.revision);
  return loaded;
}

export interface RollBackWish {
  readonly name: string;
  /** Left out: the one before the active one. */
  readonly version?: number | undefined;
  /** First entry that runs again; left out: none. */
  readonly fromId?: string | undefined;
}

/** Errors: those of `Registry.rollback`. */
export async function rollBackFunction(
  dependencies: FunctionChangeDependencies,
  { name, version, fromId }: RollBackWish,
): Promise<LoadFunctionResult> {
  const result = await dependencies.registry.rollback(name, version, fromId);
  await converge(dependencies, result.revision);
  return result;
}

/**
 * Removes a function with all its versions. What is in work of it ends, or with `aborts` is given up on every node. Returns the
 * new revision. FUNCTION_NOT_FOUND.
 */
export async function removeFunction(
  dependencies: FunctionChangeDependencies,
  name: string,
  aborts: boolean,
): Promise<number> {
  if (aborts) {
    const all = [...dependencies.registry.snapshot().registrations.values()];
    const own = all.filter(({ functionName }) => functionName === name).map(({ spec }) => spec.id);
    await abortPending(dependencies, own);
  }
  const { revision } = await dependencies.registry.remove(name);
  await converge(dependencies, revision);
  return revision;
}
