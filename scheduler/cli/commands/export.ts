import { randomUUID } from 'node:crypto';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { PlatformError } from '#functions';
import { packageVersion } from '../../package-root.ts';
import type { DoorClient } from '../client.ts';
import type { Command, CommandInput } from '../command.ts';
import { encodeRegistryFile } from '../transfer/encode-registry.ts';
import { createTransferProgress } from '../transfer/progress.ts';
import { readRegistry } from '../transfer/read-registry.ts';
import { FORMAT, FORMAT_VERSION, type RegistryFile } from '../transfer/registry-file.ts';

/** Sources may hold what is not everybody's business. */
const OWNER_ONLY = 0o600;

/** `regears export`. */
export const exportRegistry: Command = {
  kind: 'remote',
  description:
    'Writes all functions with all their versions, what is active and what is paused into one file that `regears import` reads; ' +
    'with a name that ends in .gz it is compressed. Without a file it goes to standard output. Positions in streams, counters and ' +
    'dead letters stay where they are; secrets and tokens are never in it.',
  arguments: [{ syntax: '[file]', description: 'file to write, or - for standard output', completes: 'file' }],
  options: [
    { flags: '--function <name...>', description: 'only these functions', completes: 'function' },
    { flags: '--force', description: 'write over a file that is there' },
  ],
  examples: ['export registry.ndjson', 'export registry.ndjson.gz --force', 'export --function clicks > clicks.ndjson'],
  run: async (input) => {
    const { args, options, output } = input;
    const path = args[0] === undefined || args[0] === '-' ? null : args[0];
    if (path === null && output.json) {
      const text = '--json has no place beside the export on standard output; name a file';
      throw new PlatformError('ARGUMENT_INVALID', text);
    }
    if (path !== null && !options.flag('force')) await refuseExisting(path);
    const file = await readFile(await input.door(), input);
    const bytes = encodeRegistryFile(file, path?.endsWith('.gz') === true);
    const { functions, versions } = file.head;
    if (path === null) {
      await writeOut(bytes);
      output.note(`Exported ${functions} functions with ${versions} versions.`);
      return undefined;
    }
    await writeWhole(path, bytes);
    output.answer({ file: path, functions, versions, bytes: bytes.length }, () =>
      output.line(`Exported ${functions} functions with ${versions} versions to ${path}.`),
    );
    return undefined;
  },
};

async function refuseExisting(path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new PlatformError('ARGUMENT_INVALID', `${path} is there already; --force writes over it`);
}

async function readFile(door: DoorClient, { options, output }: CommandInput): Promise<RegistryFile> {
  const names = options.list('function');
  using progress = createTransferProgress(output, 'Reading', null);
  const functions = await readRegistry(door, { names, onVersion: (done, name) => progress.at(done, name) });
  return {
    head: {
      ...{ format: FORMAT, formatVersion: FORMAT_VERSION, exportedAt: new Date().toISOString() },
      writtenBy: `regears ${packageVersion()}`,
      functions: functions.length,
      versions: functions.reduce((sum, { versions }) => sum + versions.length, 0),
    },
    functions,
  };
}

/** In one piece: whoever reads the file, also after a crash, finds the one before or all of this one. */
async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(draft, bytes, { mode: OWNER_ONLY });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such folder' : (cause as Error).message;
    throw new PlatformError('ARGUMENT_INVALID', `${path} cannot be written: ${why}`, { cause });
  }
}

function writeOut(bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });
}
