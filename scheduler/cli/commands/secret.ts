import { checkVariableName } from '#functions';
import { askSecret } from '../ask-secret.ts';
import { cellOf, type DoorClient, fieldsOf, listOf, type Reply, recordsOf } from '../client.ts';
import type { Command } from '../command.ts';
import { canAsk, confirm } from '../confirm.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../render.ts';
import { timeOf } from '../time.ts';
import { FUNCTION, IF_REVISION, revisionOf } from './env.ts';

/** `regears secret set`. */
export const secretSet: Command = {
  kind: 'remote',
  description:
    'Sets a secret, which the function reads with secret(name) once its source asks for it: configure({ secrets: [name] }). ' +
    'The value is typed unseen, or read from standard input without the line break at its end; it never stands on the command line, ' +
    'and nothing shows it again. 8 characters at least.',
  arguments: [FUNCTION, { syntax: '<name>', description: 'name of the secret' }],
  options: [IF_REVISION],
  examples: ['secret set mailer API_KEY', 'secret set mailer API_KEY < key.txt'],
  run: async ({ args, options, output, door }) => {
    const [name = '', secret = ''] = args;
    checkVariableName(secret);
    const client = await door();
    const value = await askSecret(`Value of ${secret} (it is not shown): `);
    if (value === null) {
      output.note('Nothing was set.');
      return ExitCode.failed;
    }
    const changed = fieldsOf(await client.call('RG.SECRET', 'SET', name, revisionOf(options), secret, value));
    output.answer({ function: name, set: [secret], ...changed }, () => {
      output.line(`Set ${secret} of ${name} (revision ${changed.revision}).`);
    });
    await remarkUnasked(client, output, { name, secret });
    return undefined;
  },
};

/** A misspelt name would be noticed only when the function does not run; one that is set ahead of its version is right. */
async function remarkUnasked(
  client: DoorClient,
  output: Output,
  { name, secret }: { readonly name: string; readonly secret: string },
): Promise<void> {
  const { asked } = fieldsOf(await client.call('RG.SECRET', 'LIST', name));
  // Doors of an earlier version do not tell.
  if (asked === undefined || listOf(asked).includes(secret)) return;
  const others = listOf(asked).length === 0 ? 'none' : listOf(asked).join(', ');
  output.note(
    `The active version of ${name} does not ask for ${secret} (it asks for ${others}); a source asks with configure({ secrets: ['${secret}'] }).`,
  );
}

/** `regears secret list`. */
export const secretList: Command = {
  kind: 'remote',
  description:
    'Lists secrets without their values. A fingerprint changes with the value, and with the key that seals it; what the active version ' +
    'asks for and nobody has set is in the list, too: until then the function does not run.',
  arguments: [FUNCTION],
  examples: ['secret list mailer', 'secret list mailer --json'],
  run: async ({ args, output, door }) => {
    const [name = ''] = args;
    const { revision, variables, missing } = fieldsOf(await (await door()).call('RG.SECRET', 'LIST', name));
    const rows = recordsOf(variables ?? []).map(({ readable, sealed, ...row }) => {
      return { ...row, readable: readable === 1, sealed: sealed === 1 };
    });
    const absent = listOf(missing).map(String);
    output.answer({ function: name, revision, secrets: rows, missing: absent }, () => {
      if (rows.length + absent.length === 0) return output.line(`${name} has no secrets.`);
      const lines = absent.map((each) => [each, null, null, 'missing: the function waits for it']);
      output.table(['NAME', 'FINGERPRINT', 'UPDATED', 'STATE'], [...rows.map(secretRow), ...lines]);
      output.note(`Revision ${revision}.`);
    });
    return undefined;
  },
};

/** `regears secret unset`. */
export const secretUnset: Command = {
  kind: 'remote',
  description:
    'Takes secrets away, all of them or none. Nobody can read them back; a function that asks for one stops running.',
  arguments: [FUNCTION, { syntax: '<name...>', description: 'names' }],
  options: [IF_REVISION, { flags: '-y, --yes', description: 'do not ask' }],
  examples: ['secret unset mailer API_KEY'],
  run: async ({ args, options, output, door }) => {
    const [name = '', ...names] = args;
    const client = await door();
    const question = `Unset ${names.join(', ')} of ${name} for good?`;
    if (!options.flag('yes') && !output.json && canAsk() && !(await confirm(question))) {
      output.note('Nothing was unset.');
      return ExitCode.failed;
    }
    const changed = fieldsOf(await client.call('RG.SECRET', 'UNSET', name, revisionOf(options), ...names));
    output.answer({ function: name, unset: names, ...changed }, () => {
      output.line(`Unset ${names.join(', ')} of ${name} (revision ${changed.revision}).`);
    });
    return undefined;
  },
};

/** `regears secret rotate`. */
export const secretRotate: Command = {
  kind: 'remote',
  description:
    'Seals the secrets and environments of all functions with the first key of the node, which it must have besides the old one. ' +
    'Give every node the new key first; take the old one away afterwards.',
  examples: ['secret rotate'],
  run: async ({ output, door }) => {
    const rotated = fieldsOf(await (await door()).call('RG.SECRET', 'ROTATE'));
    const lost = listOf(rotated.unreadable).map(String);
    output.answer({ ...rotated, unreadable: lost }, () => {
      output.line(`Sealed ${rotated.sealed} with the key ${rotated.keyId}.`);
      for (const each of lost) output.note(`Left as it was, since the node has no key for it: ${each}`);
    });
    return lost.length === 0 ? undefined : ExitCode.failed;
  },
};

function secretRow(row: Readonly<Record<string, Reply | boolean>>): readonly (string | number | null)[] {
  const state = row.readable === true ? 'set' : 'sealed with a key that the node does not have';
  return [cellOf(row.name as Reply), cellOf(row.fingerprint as Reply), timeOf(row.updatedAtMs as Reply), state];
}
