import { PlatformError } from '../errors.ts';

/** `env`: a value that whoever may look at functions may read. `secret`: nobody reads it again but the function itself. */
export type VariableKind = 'env' | 'secret';

/** Which variable of which function. */
export interface VariableName {
  readonly functionName: string;
  readonly kind: VariableKind;
  readonly name: string;
}

/** A variable as it lies in Redis. */
export interface StoredVariable {
  readonly kind: VariableKind;
  readonly name: string;
  /** What a key ring has sealed; of an `env` that was set where there is no key, the value itself. */
  readonly text: string;
  readonly sealed: boolean;
  /** Eight hex digits that change with the value and with the key that sealed it; null when it is not sealed. */
  readonly fingerprint: string | null;
  readonly updatedAtMs: number;
}

/** All variables of a function, at one revision. */
export interface StoredVariables {
  /** 0 = none was ever set. Every change gives a greater one, also after the function was removed and came back. */
  readonly revision: number;
  readonly variables: readonly StoredVariable[];
}

export const MOST_VARIABLES = 100;
/** Of one value, in UTF-8. */
export const LARGEST_VALUE_BYTES = 16 * 1024;
/** Of all values of a function. */
export const LARGEST_SUM_BYTES = 256 * 1024;
/** Shorter texts stand in log lines by chance, so that they could not be kept out of them. */
export const SHORTEST_SECRET = 8;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** True for what a variable may be called: as in the environment of a process. */
export function isVariableName(name: string): boolean {
  return NAME.test(name);
}

/** Errors: ARGUMENT_INVALID, which does not show what was given: it may be a value that stands in the wrong place. */
export function checkVariableName(name: string): void {
  if (isVariableName(name)) return;
  const allowed = '1 to 128 letters, digits and underscores, no digit first';
  throw new PlatformError('ARGUMENT_INVALID', `the name of a variable is of another form than ${allowed}`);
}

/** What may be set; the message never shows the value. Errors: ARGUMENT_INVALID. */
export function checkVariable({ kind, name }: Pick<VariableName, 'kind' | 'name'>, value: string): void {
  checkVariableName(name);
  const bytes = Buffer.byteLength(value, 'utf8');
  const why =
    (!value.isWellFormed() && 'is no text') ||
    (bytes > LARGEST_VALUE_BYTES && `has ${bytes} bytes; allowed are ${LARGEST_VALUE_BYTES}`) ||
    (kind === 'secret' &&
      value.length < SHORTEST_SECRET &&
      `is shorter than ${SHORTEST_SECRET} characters; such ones cannot be kept out of log lines`);
  if (why === false) return;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `the value of the ${kind === 'env' ? 'variable' : 'secret'} ${name} ${why}`,
  );
}
