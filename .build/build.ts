/**
 * `npm run build`: compiles the layers to dist/ for publishing, because Node strips no types inside node_modules. What is
 * read at run time and is no TypeScript (Lua scripts, the bundled guest and dashboard) is put beside the compiled files.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildGuestBundle } from '../runtime/sandbox/guest-bundle.ts';
import { bundlePage } from '../scheduler/gateway/http/dashboard/bundle-page.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
const LAYERS = ['functions', 'runtime', 'scheduler'];

rmSync(dist, { recursive: true, force: true });
compile();
copyScripts();
writePackage();
await buildGuest();
await buildDashboard();

function compile(): void {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, '.build', 'tsconfig.json')], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

function copyScripts(): void {
  for (const layer of LAYERS) {
    const files = readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((path) => path.endsWith('.lua'))) {
      cpSync(join(root, layer, file), join(dist, layer, file));
    }
  }
}

/** The dashboard is a few files; a checkout bundles them when they are first asked for, a package brings them along. */
async function buildDashboard(): Promise<void> {
  const built = join(dist, 'scheduler', 'gateway', 'http', 'dashboard', 'built');
  mkdirSync(built, { recursive: true });
  for (const [name, content] of await bundlePage()) writeFileSync(join(built, name), content);
}

/** Inside dist/ the aliases between the layers stand for the compiled files. */
function writePackage(): void {
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    imports: Record<string, string>;
  };
  const compiled = Object.entries(imports).map(([alias, path]) => [alias, path.replace(/\.ts$/, '.js')]);
  const content = { type: 'module', imports: Object.fromEntries(compiled) as Record<string, string> };
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** What runs inside the isolates is one script; a checkout bundles it on the fly, a package brings it along. */
async function buildGuest(): Promise<void> {
  writeFileSync(join(dist, 'runtime', 'sandbox', 'guest.js'), await buildGuestBundle());
}
