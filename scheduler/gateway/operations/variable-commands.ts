import type { VariableKind } from '#functions';
import type { Operation, ReplyValue } from './operation.ts';
import { wholeNumber } from './options.ts';
import { recordReply } from './records.ts';
import { argumentError, arityError } from './syntax-error.ts';
import { changeVariables, listVariables, rotateVariables, type VariableDependencies } from './variables.ts';

type Run = (args: readonly string[]) => Promise<ReplyValue>;

const CHANGE = '<revision>|*';

/** `RG.ENV`: values that functions read by name, and everybody who may look at functions. */
export function createEnvOperation(dependencies: VariableDependencies): Operation {
  return variableOperation('RG.ENV', runsFor(dependencies, 'env', 'rg.env'), {
    summary: 'Sets, lists and unsets values that a function reads with env(name).',
    syntax: [
      'RG.ENV LIST <function>',
      `RG.ENV SET <function> ${CHANGE} <name> <value> [<name> <value> ...]`,
      `RG.ENV UNSET <function> ${CHANGE} <name> [<name> ...]`,
    ],
  });
}

/** `RG.SECRET`: values that only their function reads. */
export function createSecretOperation(dependencies: VariableDependencies): Operation {
  const runs: Readonly<Record<string, Run>> = {
    ...runsFor(dependencies, 'secret', 'rg.secret'),
    async ROTATE(args) {
      if (args.length > 0) throw arityError('rg.secret|rotate');
      const { keyId, sealed, unreadable } = await rotateVariables(dependencies);
      return recordReply({ keyId, sealed, unreadable });
    },
  };
  return variableOperation('RG.SECRET', runs, {
    summary: 'Sets, lists (never their values) and unsets secrets of a function, and seals all of them with a new key.',
    syntax: [
      'RG.SECRET LIST <function>',
      `RG.SECRET SET <function> ${CHANGE} <name> <value> [<name> <value> ...]`,
      `RG.SECRET UNSET <function> ${CHANGE} <name> [<name> ...]`,
      'RG.SECRET ROTATE',
    ],
  });
}

function runsFor(dependencies: VariableDependencies, kind: VariableKind, command: string): Record<string, Run> {
  const change = async (
    functionName: string,
    revision: string,
    what: { readonly set?: Readonly<Record<string, string>>; readonly unset?: readonly string[] },
  ): Promise<ReplyValue> => {
    const ifRevision = revision === '*' ? undefined : wholeNumber('revision', revision, 0);
    const wish = { functionName, kind, ifRevision, set: what.set ?? {}, unset: what.unset ?? [] };
    return recordReply({ ...(await changeVariables(dependencies, wish)) });
  };
  return {
    async LIST([functionName, ...rest]) {
      if (functionName === undefined || rest.length > 0) throw arityError(`${command}|list`);
      const { revision, variables, missing, asked } = await listVariables(dependencies, functionName, kind);
      const rows = variables.map(({ name, value, readable, sealed, fingerprint, updatedAtMs }) => {
        const shown = kind === 'env' ? { value } : {};
        return recordReply({
          name,
          ...shown,
          readable: Number(readable),
          sealed: Number(sealed),
          fingerprint,
          updatedAtMs,
        });
      });
      return recordReply({ revision, variables: rows, ...(kind === 'env' ? {} : { missing, asked }) });
    },
    async SET([functionName = '', revision = '', ...pairs]) {
      if (pairs.length === 0 || pairs.length % 2 === 1) throw arityError(`${command}|set`);
      const set: Record<string, string> = Object.create(null) as Record<string, string>;
      for (let at = 0; at < pairs.length; at += 2) set[pairs[at] as string] = pairs[at + 1] as string;
      return await change(functionName, revision, { set });
    },
    async UNSET([functionName = '', revision = '', ...names]) {
      if (names.length === 0) throw arityError(`${command}|unset`);
      return await change(functionName, revision, { unset: [...new Set(names)] });
    },
  };
}

function variableOperation(
  name: string,
  runs: Readonly<Record<string, Run>>,
  texts: Pick<Operation, 'summary' | 'syntax'>,
): Operation {
  return {
    name,
    ...texts,
    permission: ([sub = '']) => (sub.toUpperCase() === 'LIST' ? 'read' : 'manage'),
    // Neither names nor values: in a command that is not as it should be they may stand in each other's place.
    subject: (args) => args.slice(0, 2),
    async run([sub, ...args]) {
      if (sub === undefined) throw arityError(name.toLowerCase());
      const run = runs[sub.toUpperCase()];
      if (run !== undefined) return run(args);
      throw argumentError(`unknown subcommand '${sub.slice(0, 100)}'. Try one of ${Object.keys(runs).join(', ')}.`);
    },
  };
}
