import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import { PlatformError } from '#functions';
import type { SchedulerErrorCode } from '../../errors.ts';
import type { Command } from '../command.ts';
import type { Output } from '../render.ts';
import { applyImport, type Renumbered } from '../transfer/apply-import.ts';
import { decodeRegistryFile } from '../transfer/decode-registry.ts';
import { CONFLICT_RULES, type ConflictRule, type ImportStep, planImport } from '../transfer/plan-import.ts';
import { createTransferProgress } from '../transfer/progress.ts';

/** `regears import`. */
export const importRegistry: Command = {
  kind: 'remote',
  description:
    'Brings the functions of an export into a server: all versions under their numbers, then what was active, with what was ' +
    'paused or unregistered as it was. The whole file is checked first; a damaged one changes nothing. Functions that are on the ' +
    'server as in the file are left alone, so the same import again does nothing. Of others --on-conflict decides: fail changes ' +
    'nothing at all, skip leaves them, replace adds the versions that are missing and puts in force what is in the file; entries ' +
    'in work end on their version.',
  arguments: [
    { syntax: '<file>', description: 'file that `regears export` wrote, or - for standard input', completes: 'file' },
  ],
  options: [
    {
      flags: '--on-conflict <rule>',
      description: 'what becomes of functions that are there and differ',
      choices: CONFLICT_RULES,
      defaultText: 'fail',
    },
    { flags: '--dry-run', description: 'tell what would change, and change nothing' },
  ],
  examples: [
    'import registry.ndjson --dry-run',
    'import registry.ndjson.gz --on-conflict replace --url redis://127.0.0.1:6380',
    'import - < registry.ndjson',
  ],
  run: async ({ args, options, output, door }) => {
    const [path = ''] = args;
    const { functions } = decodeRegistryFile(await readBytes(path), path === '-' ? 'standard input' : path);
    const client = await door();
    const steps = await planImport(client, functions, (options.text('on-conflict') ?? 'fail') as ConflictRule);
    if (!options.flag('dry-run')) {
      refuseConflicts(steps);
      const total = steps.reduce((sum, { missing }) => sum + missing.length, 0);
      using progress = createTransferProgress(output, 'Importing', total);
      const renumbered = await applyImport(client, steps, { onVersion: (done, name) => progress.at(done, name) });
      show(output, { steps, renumbered, isDry: false });
      return undefined;
    }
    show(output, { steps, renumbered: [], isDry: true });
    return undefined;
  },
};

const CANNOT_READ: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };

async function readBytes(path: string): Promise<Buffer> {
  if (path === '-') return buffer(process.stdin);
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const why = CANNOT_READ[cause.code ?? ''] ?? cause.message;
    throw new PlatformError('ARGUMENT_INVALID', `${path} cannot be read: ${why}`, { cause });
  });
}

function refuseConflicts(steps: readonly ImportStep[]): void {
  const conflicts = steps.filter(({ action }) => action === 'conflict');
  if (conflicts.length === 0) return;
  const told = conflicts.map(({ function: { name }, differences }) => `"${name}" ${differences.join(', ')}`).join('; ');
  throw new PlatformError<SchedulerErrorCode>(
    'IMPORT_CONFLICT',
    `nothing was imported: on the server ${told}; see --dry-run, and decide with --on-conflict skip or replace`,
  );
}

interface Imported {
  readonly steps: readonly ImportStep[];
  readonly renumbered: readonly Renumbered[];
  readonly isDry: boolean;
}

function show(output: Output, { steps, renumbered, isDry }: Imported): void {
  const functions = steps.map(({ action, function: { name, activeVersion, versions }, missing, differences }) => ({
    ...{ function: name, action, activeVersion, versions: versions.length, missing: missing.length, differences },
  }));
  output.answer({ dryRun: isDry, functions, renumbered }, () => {
    const rows = functions.map((each) => [
      ...[each.function, each.action, each.activeVersion, each.versions, each.missing, each.differences.join(', ')],
    ]);
    output.table(['FUNCTION', 'ACTION', 'ACTIVE', 'VERSIONS', 'MISSING', 'ON THE SERVER IT'], rows);
    for (const { function: name, from, to } of renumbered) {
      output.note(`Version ${from} of ${name} is ${to} here: the number was taken.`);
    }
    output.note(isDry ? 'Nothing was changed.' : summary(steps));
  });
}

function summary(steps: readonly ImportStep[]): string {
  const count = (wanted: ImportStep['action']): number => steps.filter(({ action }) => action === wanted).length;
  return `Created ${count('create')}, replaced ${count('replace')}, unchanged ${count('unchanged')}, skipped ${count('skip')}.`;
}
