import { checkVariable, createRedactor, PlatformError, type VariableKind } from '#functions';
import type { GuestVariables, VariablesSource } from '#runtime';
import type { LoadOptions } from './test-function.ts';

/** What a function under test reads by name, under the rules of a platform. Errors: ARGUMENT_INVALID. */
export function testVariables({ env = {}, secrets = {} }: LoadOptions): VariablesSource {
  checkAll('env', env);
  checkAll('secret', secrets);
  const redactor = createRedactor(Object.entries(secrets));
  let given: GuestVariables | null = null;
  return {
    of({ functionName, secrets: wanted = [] }) {
      given ??= { env, secrets: Object.fromEntries(wanted.map((name) => [name, secretOf(functionName, name)])) };
      return given;
    },
    redact: (text) => redactor?.text(text) ?? text,
  };

  function secretOf(functionName: string, name: string): string {
    const value = secrets[name];
    if (value !== undefined) return value;
    const message = `${functionName} asks for the secret ${name}; give it to the test: loadFunction({ secrets: { ${name}: … } })`;
    throw new PlatformError('SECRET_MISSING', message);
  }
}

function checkAll(kind: VariableKind, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) checkVariable({ kind, name }, value);
}
