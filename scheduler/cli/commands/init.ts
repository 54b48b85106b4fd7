import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { checkFunctionName, PlatformError } from '#functions';
import { packageRoot, packageVersion } from '../../package-root.ts';
import type { Command } from '../command.ts';
import { projectFiles } from '../init/project-files.ts';

/** What a project needs beside regears; the versions are those that regears itself is tested with. */
const TOOLS = ['@types/node', 'typescript', 'vitest'];
/** A folder with nothing else in it counts as empty. */
const ALLOWED = new Set(['.git', '.DS_Store']);

/** `regears init`. */
export const init: Command = {
  kind: 'local',
  description:
    'Writes a project with a function in TypeScript, its types and a test that runs it in a sandbox. Refuses a folder that is not ' +
    'empty. Nothing is installed: npm install does that.',
  arguments: [{ syntax: '[folder]', description: 'where to write it; made when it is not there', completes: 'folder' }],
  options: [
    { flags: '--name <name>', description: 'name of the function and the package', defaultText: 'that of the folder' },
    { flags: '--force', description: 'write into a folder that is not empty, over files of the same names' },
  ],
  examples: ['init page-views', 'init --name page-views .'],
  run: async ({ args, options, output }) => {
    const folder = resolve(args[0] ?? '.');
    const name = options.text('name') ?? nameOf(folder);
    checkFunctionName(name);
    const present = await entriesOf(folder);
    if (present.length > 0 && !options.flag('force')) {
      throw new PlatformError(
        'ARGUMENT_INVALID',
        `${folder} is not empty (${present[0]} is in it); --force writes into it`,
      );
    }
    const { range: regears, isCheckout } = await regearsRange(folder);
    const files = projectFiles({ name, regears, tools: await toolRanges() });
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const paths = [...files.keys()];
    output.answer({ folder, name, files: paths }, () => {
      output.line(`Wrote ${paths.length} files of ${output.style('name', name)} to ${folder}:`);
      for (const path of paths) output.line(`  ${path}`);
    });
    const go = folder === process.cwd() ? '' : `cd ${quoted(relative(process.cwd(), folder))} && `;
    output.note(`Next: ${go}npm install && npm test`);
    if (isCheckout) output.note(`It uses the checkout in ${packageRoot()}; run npm run build there first.`);
    return undefined;
  },
};

function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  if (name !== '') return name;
  throw new PlatformError('ARGUMENT_INVALID', `${folder} makes no name of a function; give one with --name`);
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((entry) => !ALLOWED.has(entry));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new PlatformError('ARGUMENT_INVALID', `${folder} is no folder that can be read`, { cause });
  }
}

/** An installed package is asked for by its version, a checkout by its path. */
async function regearsRange(folder: string): Promise<{ readonly range: string; readonly isCheckout: boolean }> {
  const root = packageRoot();
  const isCheckout = !root.split(sep).includes('node_modules');
  return { range: isCheckout ? `file:${relative(folder, root) || '.'}` : `^${packageVersion()}`, isCheckout };
}

async function toolRanges(): Promise<Readonly<Record<string, string>>> {
  const { devDependencies } = JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(TOOLS.map((tool) => [tool, devDependencies[tool] ?? '*']));
}
