import { PlatformError } from '#functions';
import type { OperationDependencies } from './dependencies.ts';
import { inspectScript, type ScriptToInspect } from './inspect-script.ts';

export type RunDependencies = Pick<OperationDependencies, 'inspect' | 'settings' | 'options' | 'executions'>;

/**
 * Starts the run of a source on the fleet; resolves with the execution's id. Errors: ARGUMENT_INVALID for a source that runs
 * nothing, or registers something; those of a source that does not load.
 */
export async function startRun(dependencies: RunDependencies, script: ScriptToInspect): Promise<string> {
  const { target, manifest } = await inspectScript(dependencies, script);
  const [run] = manifest.runs;
  if (manifest.registrations.length > 0) {
    const message = 'the source registers functions, which a run does not: upload it, or leave register(…) out';
    throw new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '' } });
  }
  if (run !== undefined) return dependencies.executions.start({ target, run });
  const message = 'the source runs nothing: a batch run ends its plan with run(…)';
  throw new PlatformError('ARGUMENT_INVALID', message, { details: { at: 'body', path: '' } });
}
