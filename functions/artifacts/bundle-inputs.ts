import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const SCRIPT = /\.[cm]?[jt]sx?$/;
const TRIED = ['', '.ts', '.tsx', '.js', '.jsx', '.mts', '.cts', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];
const SETTINGS = ['package.json', 'tsconfig.json'];

/**
 * Absolute paths of all that a bundle of this file is made of, for those who watch it: the file, what it imports, `package.json`
 * and `tsconfig.json` beside and above them, and where imports that are not found would have to be. Works for sources with
 * mistakes, as far as they can be read. Never rejects.
 */
export async function bundleInputs(path: string): Promise<readonly string[]> {
  const file = resolve(path);
  const seen = new Seen(file);
  await build({
    entryPoints: [`./${basename(file)}`],
    absWorkingDir: dirname(file),
    bundle: true,
    write: false,
    outfile: 'function.js',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['module', 'import'],
    logLevel: 'silent',
    plugins: [recorder(seen)],
  }).catch(() => undefined); // mistakes are told by whoever bundles it for use
  return seen.paths();
}

function recorder(seen: Seen): Plugin {
  return {
    name: 'record-inputs',
    setup(context) {
      context.onResolve({ filter: /.*/ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'entry-point' && !isPackaged(resolveDir)) seen.sought(path, resolveDir);
        return undefined;
      });
      context.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => {
        seen.read(path);
        return undefined;
      });
    },
  };
}

class Seen {
  readonly #read: Set<string>;
  readonly #relative = new Set<string>();
  readonly #packages = new Set<string>();

  constructor(file: string) {
    this.#read = new Set([file]);
  }

  read(path: string): void {
    this.#read.add(path);
  }

  sought(specifier: string, from: string): void {
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) {
      this.#relative.add(resolve(from, specifier));
      return;
    }
    const [name] = /^(?:@[^/]+\/)?[^/.#][^/]*/.exec(specifier) ?? [];
    if (name === undefined) return;
    for (const folder of foldersUpTo(from)) this.#packages.add(join(folder, 'node_modules', name, 'package.json'));
  }

  paths(): readonly string[] {
    const own = [...this.#read].filter((path) => !isPackaged(path));
    const folders = new Set(own.flatMap((path) => foldersUpTo(dirname(path))));
    const settings = [...folders].flatMap((folder) => SETTINGS.map((name) => join(folder, name)));
    const missing = [...this.#relative].map(candidates).filter((paths) => !paths.some((path) => this.#read.has(path)));
    return [...new Set([...this.#read, ...settings, ...this.#packages, ...missing.flat()])];
  }
}

/** `./a.js` may be written as `./a.ts`. */
function candidates(path: string): readonly string[] {
  const stem = path.replace(SCRIPT, '');
  return [path, ...TRIED.map((ending) => `${path}${ending}`), ...TRIED.map((ending) => `${stem}${ending}`)];
}

function isPackaged(path: string): boolean {
  return /(?:^|[\\/])node_modules(?:[\\/]|$)/.test(path);
}

/** The folder and those above it, up to the one that is a package; without one only the folder. */
function foldersUpTo(folder: string): readonly string[] {
  const folders: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    folders.push(at);
    if (existsSync(join(at, 'package.json'))) return folders;
    if (at === dirname(at)) return [folder];
  }
}
