import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How a sandbox process is started. */
export interface ChildCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** What confines it on this machine, for the log: `permissions`, `user`, `no-network`, `dies-with-node`. */
  readonly confinement: readonly string[];
}

export interface ChildCommandOptions {
  /** Program of the child; default `child/main` beside this file. */
  readonly entry?: string;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

const DIE_WITH_NODE = ['setpriv', '--pdeathsig', 'KILL', '--'];

const NODE_FLAGS = [
  // isolated-vm asks for it on Node 20 and later.
  '--no-node-snapshot',
  '--permission',
  '--allow-addons',
  '--disable-warning=PERM0001',
  // A batch of entries lives through many collections in the 2 MiB that isolated-vm gives the young generation: half of
  // the time of a busy guest. It grows only where it is used.
  '--max-semi-space-size=32',
  // There is a sandbox process per core: helpers of one's collector only take time from the others.
  '--no-parallel-scavenge',
];

/**
 * The program, its rights and its user. The child may read its own sources and isolated-vm, nothing else; started by root
 * it runs as `nobody` (when that user can read the files) and without a network, where this machine lets us.
 */
export function childCommand(options: ChildCommandOptions = {}): ChildCommand {
  const here = fileURLToPath(import.meta.url);
  const entry = options.entry ?? join(dirname(here), 'child', `main${extname(here)}`);
  const packages = findPackages();
  const readable = readablePaths(here, entry, Object.values(packages));
  const rights = readable.map((path) => `--allow-fs-read=${path}`);
  const nodeArgs = [...NODE_FLAGS, ...rights, resolver(packages), entry];
  if (process.getuid?.() !== 0) return confined([], nodeArgs, ['permissions']);
  return confinedByRoot(nodeArgs, unprivilegedUser([entry, process.execPath, ...readable]));
}

/** Only root may take away the network and change the user. */
function confinedByRoot(nodeArgs: readonly string[], user: User | null): ChildCommand {
  const confinement = user === null ? ['permissions'] : ['permissions', 'user'];
  const asUser = user === null ? [] : ['--setgid', String(user.gid), '--setuid', String(user.uid)];
  const unshare = ['unshare', '--net', ...asUser, '--'];
  if (works([...unshare, process.execPath, '--version'])) {
    return confined(unshare, nodeArgs, [...confinement, 'no-network']);
  }
  return { ...confined([], nodeArgs, confinement), ...user };
}

/**
 * Without its node a sandbox process ends by itself, but not while a guest holds it up: so the kernel is asked to kill it,
 * where that can be asked. All programs in front replace themselves by the next one: the pid is that of the child.
 */
function confined(front: readonly string[], nodeArgs: readonly string[], confinement: readonly string[]): ChildCommand {
  const full = [...front, ...DIE_WITH_NODE];
  const bound = works([...full, process.execPath, '--version']);
  const [command = '', ...args] = [...(bound ? full : front), process.execPath, ...nodeArgs];
  return { command, args, confinement: bound ? [...confinement, 'dies-with-node'] : confinement };
}

/** The two packages of a sandbox process, by name: where their files really are. */
function findPackages(): Readonly<Record<string, string>> {
  const isolatedVm = realpathSync(createRequire(import.meta.url).resolve('isolated-vm'));
  const gypBuild = realpathSync(createRequire(isolatedVm).resolve('node-gyp-build'));
  return { 'isolated-vm': isolatedVm, 'node-gyp-build': gypBuild };
}

function readablePaths(here: string, entry: string, packages: readonly string[]): readonly string[] {
  const layers = dirname(dirname(dirname(here)));
  const paths = new Set([
    join(layers, 'runtime'),
    join(layers, 'functions'),
    join(layers, 'package.json'),
    dirname(entry),
    ...packages.map(dirname),
    // node-gyp-build looks at it to tell musl from glibc.
    '/etc/alpine-release',
  ]);
  return [...paths];
}

/**
 * Told to Node before the program: where its packages are. Finding them would mean looking at every folder on the way up
 * and, where `node_modules` or a package is a link (pnpm does that), at what the link leads to: rights to read far more.
 */
function resolver(packages: Readonly<Record<string, string>>): string {
  const urls = Object.entries(packages).map(([name, path]) => [name, pathToFileURL(path).href]);
  const script = `import { registerHooks } from 'node:module';
const urls = new Map(${JSON.stringify(urls)});
registerHooks({ resolve: (name, context, next) =>
  urls.has(name) ? { url: urls.get(name), shortCircuit: true } : next(name, context) });`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
}

function ancestors(folder: string): readonly string[] {
  const found = [folder];
  for (let at = folder; dirname(at) !== at; at = dirname(at)) found.push(dirname(at));
  return found;
}

/** `nobody`, when that user may read what the child needs; else null. */
function unprivilegedUser(paths: readonly string[]): User | null {
  const user = userNamed('nobody');
  return user !== null && paths.every(readableByAnybody) ? user : null;
}

function userNamed(name: string): User | null {
  if (!existsSync('/etc/passwd')) return null;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : null;
}

function readableByAnybody(path: string): boolean {
  if (!existsSync(path)) return true;
  const real = realpathSync(path);
  const [self, ...folders] = ancestors(real);
  return (
    (statSync(self ?? real).mode & 0o004) !== 0 && folders.every((folder) => (statSync(folder).mode & 0o001) !== 0)
  );
}

function works([command = '', ...args]: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', env: {}, timeout: 5_000 }).status === 0;
}
