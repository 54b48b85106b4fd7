/**
 * Run before `npm start` and `npm test`: makes sure that there is a server program for the embedded server, with the
 * system's package manager where this user may use it. Exit code 1 with a sentence when there is none afterwards.
 */
import { spawn } from 'node:child_process';
import { argv, env, exit, getuid, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';
import { findServers, isUsable, missingServerText } from './find-server.ts';

/** A package manager and what it is told, in order. */
export interface Installer {
  readonly manager: string;
  readonly needsRoot: boolean;
  readonly commands: readonly (readonly string[])[];
}

export const INSTALLERS: readonly Installer[] = [
  {
    manager: 'apt-get',
    needsRoot: true,
    commands: [
      ['apt-get', 'update', '-q'],
      ['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'redis-server'],
    ],
  },
  { manager: 'apk', needsRoot: true, commands: [['apk', 'add', '--no-cache', 'redis']] },
  { manager: 'dnf', needsRoot: true, commands: [['dnf', 'install', '-y', 'valkey']] },
  { manager: 'brew', needsRoot: false, commands: [['brew', 'install', 'redis']] },
];

export interface EnsureOptions {
  readonly isRoot: boolean;
  readonly say: (line: string) => unknown;
  /** Runs a command; false when it failed or does not exist. */
  readonly run: (command: readonly string[]) => Promise<boolean>;
  readonly find: typeof findServers;
}

/** True when a usable server program is there, if need be after installing one. */
export async function ensureServer(options: EnsureOptions): Promise<boolean> {
  if ((await options.find()).some(isUsable)) return true;
  for (const { manager, needsRoot, commands } of INSTALLERS) {
    if (needsRoot && !options.isRoot) continue;
    if (!(await options.run([manager, '--version']))) continue;
    options.say(`There is no server program yet; installing one with ${manager}, this takes a minute …`);
    for (const command of commands) await options.run(command);
    break;
  }
  const found = await options.find();
  if (found.some(isUsable)) return true;
  options.say(`${missingServerText(found)}, or name a running server with REGEARS_REDIS=<url>.`);
  return false;
}

/** The packages would start a service of their own on port 6379; RUNLEVEL keeps Debian's from doing so. */
function run(command: readonly string[]): Promise<boolean> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', args[0] === '--version' ? 'ignore' : 'inherit'],
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** Whoever has named a server of their own needs none here. */
function hasServerOfItsOwn(): boolean {
  // biome-ignore lint/style/noProcessEnv: runs before the platform and must not load its configuration for one question.
  return Boolean(env.REGEARS_REDIS);
}

if (argv[1] === fileURLToPath(import.meta.url) && !hasServerOfItsOwn()) {
  const say = (line: string): boolean => stderr.write(`${line}\n`);
  const isThere = await ensureServer({ isRoot: getuid?.() === 0, say, run, find: findServers });
  exit(isThere ? 0 : 1);
}
