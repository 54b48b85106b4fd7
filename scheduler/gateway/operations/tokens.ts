import { ROLES, type Role } from '../../tokens/role.ts';
import type { OperationDependencies } from './dependencies.ts';
import type { Operation, ReplyValue } from './operation.ts';
import { readOptions, wholeNumber } from './options.ts';
import { OK, recordReply } from './records.ts';
import { argumentError, arityError } from './syntax-error.ts';

const COMMAND = 'rg.token';

/** `RG.TOKEN`: bearer tokens of the HTTP door. */
export function createTokensOperation({ tokens }: Pick<OperationDependencies, 'tokens'>): Operation {
  const runs: Readonly<Record<string, (args: readonly string[]) => Promise<ReplyValue>>> = {
    async CREATE([name, role, ...rest]) {
      if (name === undefined || role === undefined) throw arityError(`${COMMAND}|create`);
      const expires = readOptions(rest, { flags: [], values: ['EXPIRES'] }).text('EXPIRES');
      const wanted = { name, role: roleOf(role) };
      const made = await tokens.create(
        expires === undefined ? wanted : { ...wanted, expiresInMs: wholeNumber('EXPIRES', expires, 1) },
      );
      return recordReply({ ...made });
    },
    async LIST(args) {
      if (args.length > 0) throw arityError(`${COMMAND}|list`);
      return (await tokens.list()).map((record) => recordReply({ ...record }));
    },
    async REVOKE([id, ...rest]) {
      if (id === undefined || rest.length > 0) throw arityError(`${COMMAND}|revoke`);
      await tokens.revoke(id);
      return OK;
    },
  };
  return {
    name: 'RG.TOKEN',
    summary: 'Makes, lists and revokes tokens with which programs and people use the HTTP door.',
    syntax: [`RG.TOKEN CREATE <name> ${ROLES.join('|')} [EXPIRES <ms>]`, 'RG.TOKEN LIST', 'RG.TOKEN REVOKE <id>'],
    permission: () => 'manage',
    async run([sub, ...args]) {
      if (sub === undefined) throw arityError(COMMAND);
      const run = runs[sub.toUpperCase()];
      if (run !== undefined) return run(args);
      throw argumentError(`unknown subcommand '${sub.slice(0, 100)}'. Try one of ${Object.keys(runs).join(', ')}.`);
    },
  };
}

function roleOf(text: string): Role {
  const role = ROLES.find((each) => each === text.toLowerCase());
  if (role !== undefined) return role;
  throw argumentError(`role is "${text.slice(0, 100)}"; allowed are ${ROLES.join(', ')}`);
}
