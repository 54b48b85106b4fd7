import {
  checkFunctionName,
  checkVariable,
  checkVariableName,
  type KeyRing,
  PlatformError,
  type StoredVariable,
  type VariableKind,
} from '#functions';
import { converge } from './converge.ts';
import type { OperationDependencies } from './dependencies.ts';

export type VariableDependencies = Pick<OperationDependencies, 'registry' | 'fleet' | 'settings' | 'keyRing'>;

/** A variable as people look at it. The value of a secret is in no report. */
export interface VariableReport {
  readonly name: string;
  /** Of an `env` that this node can read; else null. */
  readonly value: string | null;
  /** False: it was sealed with a key that this node does not have, or is not what was sealed. */
  readonly readable: boolean;
  /** False: it lies in Redis as it is. */
  readonly sealed: boolean;
  /** Changes with the value, and with the key that seals; null when it is not sealed. */
  readonly fingerprint: string | null;
  readonly updatedAtMs: number;
}

export interface VariablesReport {
  /** Of all variables of the function; 0 = none was ever set. */
  readonly revision: number;
  readonly variables: readonly VariableReport[];
  /** Secrets that the active version asks for and nobody has set; empty for `env`. */
  readonly missing: readonly string[];
  /** Secrets that the active version asks for; empty for `env`. */
  readonly asked: readonly string[];
}

/** By name. Errors: FUNCTION_NOT_FOUND. */
export async function listVariables(
  { registry, keyRing }: VariableDependencies,
  functionName: string,
  kind: VariableKind,
): Promise<VariablesReport> {
  const { revision, variables } = await registry.variables(functionName);
  const own = variables.filter((each) => each.kind === kind);
  const asked = kind === 'env' ? [] : (registry.snapshot().functions.get(functionName)?.secrets ?? []);
  const missing = asked.filter((name) => !own.some((each) => each.name === name));
  return { revision, variables: own.map((each) => reportOf(keyRing, functionName, each)), missing, asked };
}

export interface VariablesWish {
  readonly functionName: string;
  readonly kind: VariableKind;
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** Left out: whatever the revision is. */
  readonly ifRevision?: number | undefined;
}

export interface VariablesChanged {
  /** Of the variables. */
  readonly revision: number;
  /** Of the registry, applied by every live node. */
  readonly registryRevision: number;
}

/**
 * Sets and unsets variables of a function, all or none; every live node has them when it resolves. Errors: ARGUMENT_INVALID,
 * FUNCTION_NOT_FOUND, VARIABLE_NOT_FOUND, VARIABLES_CHANGED, SECRETS_KEY_MISSING, NOT_CONVERGED.
 */
export async function changeVariables(
  dependencies: VariableDependencies,
  { functionName, kind, set, unset, ifRevision }: VariablesWish,
): Promise<VariablesChanged> {
  checkFunctionName(functionName);
  const given = Object.entries(set);
  for (const [name, value] of given) checkVariable({ kind, name }, value);
  for (const name of unset) checkVariableName(name);
  const twice = unset.find((name) => Object.hasOwn(set, name));
  if (twice !== undefined) throw new PlatformError('ARGUMENT_INVALID', `${twice} cannot be set and unset at once`);
  const updatedAtMs = Date.now();
  const sealed = given.map(([name, value]): StoredVariable => {
    const sealing = sealIn(dependencies.keyRing, { functionName, kind, name }, value);
    return { kind, name, ...sealing, updatedAtMs };
  });
  const { revision, variablesRevision } = await dependencies.registry.changeVariables({
    name: functionName,
    ifRevision,
    plan({ variables }) {
      const absent = unset.find((name) => !variables.some((each) => each.kind === kind && each.name === name));
      if (absent !== undefined) throw notFound(functionName, kind, absent);
      return { set: sealed, unset: unset.map((name) => ({ kind, name })) };
    },
  });
  await converge(dependencies, revision);
  return { revision: variablesRevision, registryRevision: revision };
}

export interface Rotation {
  readonly keyId: string;
  /** How many were sealed anew. */
  readonly sealed: number;
  /** `<function> <kind> <name>` of those that this node cannot read: they are as they were. */
  readonly unreadable: readonly string[];
}

/**
 * Seals everything with the first key of this node: what another one has sealed, and what is not sealed yet. Function by function;
 * what is done stays done should it be interrupted. Errors: SECRETS_KEY_MISSING, NOT_CONVERGED.
 */
export async function rotateVariables(dependencies: VariableDependencies): Promise<Rotation> {
  const { registry, keyRing } = dependencies;
  if (keyRing.keyId === null) keyRing.seal({ functionName: '', kind: 'secret', name: '' }, '');
  const unreadable: string[] = [];
  let sealed = 0;
  let newest = 0;
  for (const { name: functionName, variablesRevision } of await registry.list()) {
    if (variablesRevision === undefined) continue;
    let lost: string[] = [];
    let renewed = 0;
    const { revision } = await registry.changeVariables({
      name: functionName,
      plan({ variables }) {
        const closed = variables.filter((each) => openedIn(keyRing, functionName, each) === null);
        lost = closed.map(({ kind, name }) => `${functionName} ${kind} ${name}`);
        const set = variables.flatMap((each) => sealAnew(keyRing, functionName, each) ?? []);
        renewed = set.length;
        return { set, unset: [] };
      },
    });
    sealed += renewed;
    newest = revision;
    unreadable.push(...lost);
  }
  if (sealed > 0) await converge(dependencies, newest);
  return { keyId: keyRing.keyId ?? '', sealed, unreadable };
}

function reportOf(keyRing: KeyRing, functionName: string, variable: StoredVariable): VariableReport {
  const { name, kind, sealed, fingerprint, updatedAtMs } = variable;
  const value = openedIn(keyRing, functionName, variable);
  return {
    name,
    value: kind === 'env' ? value : null,
    readable: value !== null,
    ...{ sealed, fingerprint, updatedAtMs },
  };
}

/** Null when it cannot be read. */
function openedIn(keyRing: KeyRing, functionName: string, { kind, name, text, sealed }: StoredVariable): string | null {
  if (!sealed) return kind === 'env' ? text : null;
  try {
    return keyRing.open({ functionName, kind, name }, text);
  } catch {
    return null;
  }
}

type Sealing = Pick<StoredVariable, 'text' | 'sealed' | 'fingerprint'>;
type Named = Parameters<KeyRing['seal']>[0];

/** Where there is no key, what everybody may read is kept as it is. */
function sealIn(keyRing: KeyRing, variable: Named, value: string): Sealing {
  if (variable.kind === 'env' && keyRing.keyId === null) return { text: value, sealed: false, fingerprint: null };
  const { text, fingerprint } = keyRing.seal(variable, value);
  return { text, sealed: true, fingerprint };
}

/** Null when there is nothing to do, or it cannot be read. */
function sealAnew(keyRing: KeyRing, functionName: string, variable: StoredVariable): StoredVariable | null {
  const { kind, name, text, sealed } = variable;
  if (sealed && keyRing.isCurrent(text)) return null;
  const value = openedIn(keyRing, functionName, variable);
  return value === null ? null : { ...variable, ...sealIn(keyRing, { functionName, kind, name }, value) };
}

function notFound(functionName: string, kind: VariableKind, name: string): PlatformError {
  const what = kind === 'env' ? 'variable' : 'secret';
  const message = `the function "${functionName}" has no ${what} ${name}`;
  return new PlatformError('VARIABLE_NOT_FOUND', message, { details: { functionName, kind, name } });
}
