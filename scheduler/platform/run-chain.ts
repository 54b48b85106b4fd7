import type { Invocation, Outcome, Runtime } from '#runtime';
import type { RegisteredRuns } from '../executions/registered-runs.ts';
import type { Settings } from '../settings.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { VariableBook } from '../variables/variable-book.ts';
import { type Witness, witnessed } from './witness.ts';

export interface RunChainOptions {
  readonly runtime: Pick<Runtime, 'execute'>;
  readonly registeredRuns: Pick<RegisteredRuns, 'recording'>;
  readonly tracing: Tracing | null;
  readonly witness: Witness | undefined;
  readonly variables: Pick<VariableBook, 'redact'>;
  readonly settings: Pick<Settings, 'prefix'>;
}

/** What stands between triggers and the runtime: nothing but the notes of executions, unless the node is watched or traced. */
export function createRunChain(options: RunChainOptions): Runtime['execute'] {
  const { runtime, registeredRuns, tracing, witness, variables, settings } = options;
  const runInSandbox = (invocation: Invocation): Promise<Outcome> => runtime.execute(invocation);
  const recorded = registeredRuns.recording(tracing?.tracing(runInSandbox) ?? runInSandbox);
  if (witness === undefined) return recorded;
  return witnessed(recorded, { witness, prefix: settings.prefix, redact: (text) => variables.redact(text) });
}
