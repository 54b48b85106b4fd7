import { PlatformError, parseDuration } from '#functions';
import { cellOf, fieldsOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import { timeOf } from '../time.ts';

const ROLES = ['read', 'invoke', 'admin'];

/** `regears token create`. */
export const tokenCreate: Command = {
  kind: 'remote',
  description:
    'Makes a token for the HTTP door and prints it, once: only a hash of it is kept. From the first token on, every request to ' +
    'the API needs one. Roles: read (look), invoke (also run functions), admin (also change).',
  arguments: [{ syntax: '<name>', description: 'what the token is for, such as a person or a program' }],
  options: [
    { flags: '--role <role>', description: 'what it may do', choices: ROLES, defaultText: 'read' },
    { flags: '--expires <time>', description: 'how long it is good, such as 12h or 90d', defaultText: 'for ever' },
  ],
  examples: ['token create grafana', 'token create ann --role admin --expires 90d'],
  run: async ({ args, options, output, door }) => {
    const expires = options.text('expires');
    const life = expires === undefined ? [] : ['EXPIRES', parseLife(expires)];
    const client = await door();
    const role = options.text('role') ?? 'read';
    const made = fieldsOf(await client.call('RG.TOKEN', 'CREATE', args[0] ?? '', role, ...life));
    output.answer(made, () => {
      output.line(String(made.token));
      output.note(`Token ${made.id} (${made.role}) of "${made.name}". It is not shown again; keep it now.`);
    });
    return undefined;
  },
};

/** `regears token list`. */
export const tokenList: Command = {
  kind: 'remote',
  examples: ['token list', 'token list --json'],
  run: async ({ output, door }) => {
    const tokens = recordsOf(await (await door()).call('RG.TOKEN', 'LIST'));
    output.answer(tokens, () => {
      if (tokens.length === 0) return output.line('There are no tokens: the HTTP door is open on this machine.');
      output.table(['ID', 'NAME', 'ROLE', 'CREATED', 'EXPIRES', 'LAST USED'], tokens.map(tokenRow));
    });
    return undefined;
  },
};

/** `regears token revoke`. */
export const tokenRevoke: Command = {
  kind: 'remote',
  description: 'Ends a token. Every node knows of it within a second.',
  arguments: [
    { syntax: '<id>', description: 'id of the token, as `regears token list` prints it', completes: 'token' },
  ],
  examples: ['token revoke 3f9c2b1a77d0'],
  run: async ({ args, output, door }) => {
    const [id = ''] = args;
    await (await door()).call('RG.TOKEN', 'REVOKE', id);
    output.answer({ id }, () => output.line(`Revoked ${id}.`));
    return undefined;
  },
};

function parseLife(text: string): number {
  const lifeMs = parseDuration(text);
  if (lifeMs >= 1_000) return lifeMs;
  throw new PlatformError(
    'ARGUMENT_INVALID',
    `--expires is "${text}"; allowed is a time from 1s on, such as 12h or 90d`,
  );
}

function tokenRow(token: Record<string, Reply>): readonly (string | number | null)[] {
  const { id, name, role, createdAtMs, expiresAtMs, lastUsedAtMs } = token;
  return [
    cellOf(id),
    cellOf(name),
    cellOf(role),
    timeOf(createdAtMs),
    timeOf(expiresAtMs) ?? 'never',
    timeOf(lastUsedAtMs),
  ];
}
