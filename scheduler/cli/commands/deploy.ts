import { bundleFile, PlatformError } from '#functions';
import type { Command } from '../command.ts';
import type { Output } from '../render.ts';
import { deployOnSave } from '../watch/deploy-on-save.ts';
import { type Deployed, deployFunction, functionName } from './deploy-function.ts';

/** `regears deploy`. */
export const deploy: Command = {
  kind: 'remote',
  description:
    'Bundles each file with its imports (JavaScript or TypeScript), loads it as a function and prints the version. ' +
    'The same source again makes no new version.',
  arguments: [{ syntax: '<file...>', description: 'files to load, one function each', completes: 'file' }],
  options: [
    {
      flags: '--name <name>',
      description: 'name of the function',
      completes: 'function',
      defaultText: 'file name without extension',
    },
    { flags: '--description <text>', description: 'kept with the version' },
    { flags: '--no-activate', description: 'store the version and leave the active one in force' },
    {
      flags: '-w, --watch',
      description: 'deploy again whenever the file, or what it imports, is saved; Ctrl-C ends it',
    },
  ],
  examples: [
    'deploy functions/examples/clicks.ts',
    'deploy --name orders --description "second attempt" src/orders.ts',
    'deploy --no-activate functions/*.ts',
    'deploy --watch src/orders.ts',
  ],
  run: async ({ args, options, output, door, newDoor }) => {
    const name = options.text('name');
    if (name !== undefined && args.length > 1) {
      throw new PlatformError(
        'ARGUMENT_INVALID',
        `--name is "${name}" for ${args.length} files; give one file with --name`,
      );
    }
    refuseSameName(args, name);
    const request = { name, description: options.text('description'), activate: options.flag('activate') };
    if (options.flag('watch')) {
      // An address where nobody answers is a mistake now, and an outage later.
      await door();
      await deployOnSave(args, { ...request, connect: newDoor, output });
      return undefined;
    }
    // All of them before the first one is loaded: a mistake in the last file leaves nothing half done.
    const sources = await Promise.all(args.map(async (file) => ({ file, bundled: await bundleFile(file) })));
    const client = await door();
    const deployed: Deployed[] = [];
    for (const source of sources) {
      const one = await deployFunction(client, { ...request, ...source });
      deployed.push(one);
      showDeployed(output, one);
      if (!request.activate) output.line('  stored only; the active version stays in force');
    }
    output.answer(deployed, () => undefined);
    return undefined;
  },
};

/** Of two files with one name the first would never come into force. */
export function refuseSameName(files: readonly string[], name: string | undefined): void {
  const byName = Map.groupBy(files, (file) => functionName(file, name));
  for (const [same, [first, second]] of byName) {
    if (second === undefined) continue;
    const text = `${first} and ${second} are both the function "${same}"; load them one by one with --name`;
    throw new PlatformError('ARGUMENT_INVALID', text);
  }
}

/** A loaded function for people: name, version, hash and what it registers. */
export function showDeployed(output: Output, { name, version, sha256, registrations }: Deployed): void {
  const head = `${output.style('name', name)} version ${version}`;
  output.line(`${head} ${output.style('faint', `sha256 ${sha256.slice(0, 12)}`)}`);
  for (const id of registrations) output.line(`  ${id}`);
  if (registrations.length === 0) output.line('  registers nothing');
}
