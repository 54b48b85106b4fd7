import { PlatformError } from '../errors.ts';
import { LARGEST_SUM_BYTES, MOST_VARIABLES, type StoredVariable } from '../variables/variable.ts';
import type { FunctionRecord, VariablesChange } from './registry.ts';
import { type RegistryContext, requireFunction } from './registry-context.ts';
import { variableField, type Write, writeFunction, writeVariable } from './registry-storage.ts';
import { changeRegistry } from './transaction.ts';

type Named = Pick<StoredVariable, 'kind' | 'name'>;

/** @see Registry.changeVariables */
export function changeVariables(
  { storage, keys }: RegistryContext,
  { name, ifRevision, plan }: VariablesChange,
): Promise<{ readonly revision: number; readonly variablesRevision: number }> {
  return changeRegistry(storage, async (snapshot) => {
    const before = requireFunction(snapshot, name);
    const { variablesRevision: revision = 0 } = before;
    if (ifRevision !== undefined && ifRevision !== revision) throw changedMeanwhile(name, ifRevision, revision);
    const variables = await storage.variables(name);
    const { set, unset } = plan({ revision, variables });
    if (set.length + unset.length === 0) {
      return { writes: [], result: (unchanged) => ({ revision: unchanged, variablesRevision: revision }) };
    }
    checkSum(name, [...variables.filter((each) => !isAmong(each, [...set, ...unset])), ...set]);
    // The commit makes the next revision of this one or does not happen: so nothing else ever has the number.
    const variablesRevision = snapshot.revision + 1;
    const after: FunctionRecord = { ...before, variablesRevision };
    const fields = unset.map(variableField);
    const writes: Write[] = [
      ...(fields.length > 0 ? [['HDEL', keys.variables(name), ...fields] as const] : []),
      ...set.map((variable) => writeVariable(keys, name, variable)),
      writeFunction(keys, after),
    ];
    return { writes, result: (committed) => ({ revision: committed, variablesRevision }) };
  });
}

function isAmong(variable: Pick<StoredVariable, 'kind' | 'name'>, others: readonly Named[]): boolean {
  return others.some(({ kind, name }) => kind === variable.kind && name === variable.name);
}

function checkSum(name: string, variables: readonly StoredVariable[]): void {
  const bytes = variables.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const why =
    (variables.length > MOST_VARIABLES && `${variables.length} variables; allowed are ${MOST_VARIABLES}`) ||
    (bytes > LARGEST_SUM_BYTES && `variables of ${bytes} bytes as they are stored; allowed are ${LARGEST_SUM_BYTES}`);
  if (why !== false) throw new PlatformError('ARGUMENT_INVALID', `"${name}" would have ${why}`);
}

function changedMeanwhile(name: string, expected: number, present: number): PlatformError {
  return new PlatformError(
    'VARIABLES_CHANGED',
    `the variables of "${name}" are at revision ${present}, not ${expected}: somebody has changed them; look at them, then do it again`,
    { details: { name, expected, revision: present } },
  );
}
