/**
 * Run before `npm test`: makes sure that there is a Chromium for the tests of the dashboard, with the system's package
 * manager where this user may use it. Exit code 1 with a sentence when there is none afterwards.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { argv, env, exit, getuid, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/opt/homebrew/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const INSTALL = [
  ['apt-get', 'update', '-q'],
  ['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'chromium'],
] as const;

/** The browser that the tests drive: REGEARS_TEST_BROWSER, else one that is installed; undefined when there is none. */
export function findBrowser(): string | undefined {
  return [env.REGEARS_TEST_BROWSER, ...PLACES].find((path) => path !== undefined && existsSync(path));
}

function install(): void {
  const isDebian = spawnSync('apt-get', ['--version']).status === 0;
  if (!isDebian || getuid?.() !== 0) return;
  stderr.write('There is no Chromium yet; installing one with apt-get, this takes a minute …\n');
  for (const [program, ...args] of INSTALL) {
    spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (findBrowser() === undefined) install();
  if (findBrowser() === undefined) {
    stderr.write(
      'The tests of the dashboard need Chromium. Install it, or name one with REGEARS_TEST_BROWSER=<path>.\n',
    );
    exit(1);
  }
}
