import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from './support/wait.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const run = promisify(execFile);
const SETUP_DEADLINE_MS = 300_000;

/** What a user's shell has: nothing of this checkout, of npm, or of a developer's settings. */
function userEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(npm_|REGEARS_|NODE_|INIT_CWD|VITEST)/i.test(name));
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...(Object.fromEntries(entries) as Record<string, string>), PATH: path.join(delimiter) };
}

const env = userEnvironment();
const folder = mkdtempSync(join(tmpdir(), 'regears-package-'));
let started: Awaited<ReturnType<typeof startNode>> | undefined;

/** Of the installed package; started once for all that need one. */
async function installedNode() {
  started ??= await startNode();
  return started;
}

beforeAll(async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, env: { ...process.env } });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(folder, 'package.json'), '{ "name": "somebody", "private": true }');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`, 'node@24'], {
    cwd: folder,
    env,
  });
}, SETUP_DEADLINE_MS);
afterAll(async () => {
  await started?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
});

/** `npx regears start` in a process group of its own, so that its end is asked of all of it. */
async function startNode(): Promise<{ readonly port: number; readonly http: string; stop(): Promise<void> }> {
  const args = [
    'regears',
    'start',
    '--json',
    '--resp-port',
    '0',
    '--http-port',
    '0',
    '--data-dir',
    join(folder, 'data'),
  ];
  const child = spawn('npx', args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const firstLine = once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>;
  const ended = exited.then(() => {
    throw new Error(`The node ended before it was ready:\n${errors}`);
  });
  ended.catch(() => undefined);
  const [line] = await Promise.race([firstLine, ended]);
  const { resp, http } = JSON.parse(line) as { resp: string; http: string };
  return {
    port: Number(resp.slice(resp.lastIndexOf(':') + 1)),
    http: `http://${http}`,
    stop: async () => {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      await exited;
    },
  };
}

test(
  'the packed package, installed into an empty folder, starts, deploys, runs a function and serves the dashboard',
  async () => {
    const { port, http } = await installedNode();
    const redis = new Redis({ port });
    try {
      const example = join('node_modules', 'regears', 'functions', 'examples', 'clicks.ts');
      const url = `redis://127.0.0.1:${port}`;
      const { stdout } = await run('npx', ['regears', 'deploy', example, '--url', url, '--json'], { cwd: folder, env });
      expect(JSON.parse(stdout)).toMatchObject([{ name: 'clicks', version: 1 }]);
      await redis.xadd('events:web', '*', 'user', 'ann', 'page', '/home');
      await waitFor(async () => (await redis.hget('clicks:ann', '/home')) === '1', { what: 'the function has run' });
      const page = await fetch(`${http}/page.js`);
      expect([page.status, (await page.text()).length > 50_000]).toEqual([200, true]);
    } finally {
      redis.disconnect();
    }
  },
  SETUP_DEADLINE_MS,
);

test('the package can be imported, and its types for authors are there', async () => {
  const script = "import('regears').then((platform) => console.log(typeof platform.startPlatform))";
  const { stdout } = await run(join(folder, 'node_modules', '.bin', 'node'), ['-e', script], { cwd: folder, env });
  expect(stdout.trim()).toBe('function');
  const types = readdirSync(join(ROOT, 'functions', 'authoring'));
  expect(types).toContain('functions.d.ts');
  expect(readdirSync(join(folder, 'node_modules', 'regears', 'functions', 'authoring'))).toEqual(types);
});

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const TYPES = ['--typeRoots', join(ROOT, 'node_modules', '@types'), '--types', 'node'];
const STRICT = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];

/** A program as a user writes it, with types. */
const PROGRAM = `import { Redis } from 'ioredis';
import { GearsRemoteBuilder, type RemoteError, type RunResults } from 'regears/client';

const redis = new Redis(Number(process.argv[2]));
const least: number = 18;
const run: RunResults<number> = await new GearsRemoteBuilder(redis, 'KeysReader')
  .foreach((r) => execute('SET', \`seen:\${r.key}\`, 1))
  .map((r) => Number(r.value.age))
  .filter((age) => age > least)
  .with({ least })
  .run('person:*', { count: 10 });
const errors: readonly RemoteError[] = run.errors;
// @ts-expect-error records are numbers by now
new GearsRemoteBuilder(redis).count().map((n) => n.length);
// @ts-expect-error streams have no patterns
if (false) new GearsRemoteBuilder(redis, 'StreamReader').run('s', { readValue: false });
// @ts-expect-error commands are not run
if (false) new GearsRemoteBuilder(redis, 'CommandReader').run();
console.log(JSON.stringify([run.results, errors]));
redis.disconnect();
`;

test(
  'programs import the client with its types, and run plans',
  async () => {
    writeFileSync(join(folder, 'program.mts'), PROGRAM);
    await run(process.execPath, [TSC, ...STRICT, ...TYPES, 'program.mts'], { cwd: folder, env });
    const { port } = await installedNode();
    const redis = new Redis({ port });
    try {
      await redis.hset('person:1', { age: 70 });
      await redis.hset('person:2', { age: 7 });
      const bin = join(folder, 'node_modules', '.bin', 'node');
      const { stdout } = await run(bin, ['program.mts', `${port}`], { cwd: folder, env });
      expect(JSON.parse(stdout)).toEqual([[70], []]);
      expect(await redis.get('seen:person:2')).toBe('1');
    } finally {
      redis.disconnect();
    }
  },
  SETUP_DEADLINE_MS,
);

test('the installed package tests a function with node:test', async () => {
  const modules = join(folder, 'node_modules', 'regears', 'functions', 'examples');
  cpSync(join(modules, 'points.ts'), join(folder, 'points.ts'));
  cpSync(join(modules, 'points.test.ts'), join(folder, 'points.test.mts'));
  await run(process.execPath, [TSC, ...STRICT, ...TYPES, 'points.test.mts'], { cwd: folder, env });
  const node = join(folder, 'node_modules', '.bin', 'node');
  const { stdout } = await run(node, ['--test', 'points.test.mts'], { cwd: folder, env });
  expect(stdout).toMatch(/pass 2\b/);
});

test('a project that init has written has right types, and its test passes', async () => {
  const bin = join(folder, 'node_modules', '.bin', 'node');
  const cli = join(folder, 'node_modules', 'regears', 'scheduler', 'cli', 'regears.js');
  const { stdout } = await run(bin, [cli, 'init', 'page-views', '--json'], { cwd: folder, env });
  expect(JSON.parse(stdout)).toMatchObject({ name: 'page-views' });
  const project = join(folder, 'page-views');
  const { devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    readonly devDependencies: Record<string, string>;
  };
  expect(devDependencies.regears).toMatch(/^\^\d+\.\d+\.\d+$/);
  // The tools of this checkout stand for those that npm install would bring.
  for (const name of ['vitest', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  const check = (part: string) => run(process.execPath, [TSC, '-p', part], { cwd: project, env });
  await Promise.all([check('.'), check('test')]);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const tested = await run(bin, [vitest, 'run', '--root', project], { cwd: project, env });
  expect(stripVTControlCharacters(tested.stdout)).toMatch(/Tests +2 passed/);
});

test('an older Node gets one sentence that says what to do', async () => {
  const bin = join(folder, 'node_modules', 'regears', 'scheduler', 'cli', 'regears.js');
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.1.0' }); await import(${JSON.stringify(bin)});`;
  const running = run(process.execPath, ['--input-type=module', '-e', pretend], { cwd: folder, env });
  await expect(running).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/needs Node 24 or newer, this is Node 18\.1\.0.*npm install node@24/),
  });
});
