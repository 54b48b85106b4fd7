import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type Ran, runCommand, runRegears } from '../../support/regears.ts';

const directory = mkdtempSync(join(tmpdir(), 'regears-transfer-'));
const file = join(directory, 'registry.ndjson');
let redis: TestRedis;
let from: PlatformProcess;
let to: PlatformProcess;

beforeAll(async () => {
  redis = await startRedis();
  // Two platforms that know nothing of each other, on one server.
  const start = (prefix: string) =>
    startPlatformProcess({ redisUrl: redis.url, flags: ['--prefix', prefix, '--sandboxes', '1'] });
  [from, to] = await Promise.all([start('a:'), start('b:')]);
  const load = (...args: string[]): Promise<unknown> =>
    from.door.call('RG.FUNCTION', 'LOAD', ...(args as [string])) as Promise<unknown>;
  await load('greet', "GB('CommandReader').map(() => 'one').register({ trigger: 'greet' });");
  await from.door.call('RG.FUNCTION', 'DELETE', 'greet');
  await load('greet', "GB('CommandReader').map(() => 'two').register({ trigger: 'greet' });");
  await load(
    'greet',
    "GB('CommandReader').map(() => 'three \0 ü').register({ trigger: 'greet' });",
    'DESCRIPTION',
    'third',
  );
  await from.door.call('RG.FUNCTION', 'ROLLBACK', 'greet');
  await load(
    'pair',
    "GB('StreamReader').register({ prefix: 's:*' }); GB('CommandReader').register({ trigger: 'p' }); GB('CommandReader').register({ trigger: 'q' });",
  );
  await from.door.call('RG.PAUSEREGISTRATIONS', 'pair/stream/s:*');
  await from.door.call('RG.UNREGISTER', 'pair/command/q');
  await load('stored', "GB('StreamReader').register({ prefix: 't:*' });", 'NOACTIVATE');
}, 60_000);
afterAll(async () => {
  await Promise.all([from?.[Symbol.asyncDispose](), to?.[Symbol.asyncDispose]()]);
  await redis?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const at = (platform: PlatformProcess, ...args: string[]): Promise<Ran> =>
  runCommand([...args, '--url', `redis://127.0.0.1:${platform.respPort}`]);

async function actions(...args: string[]): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await at(to, 'import', file, '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { functions } = JSON.parse(stdout) as { functions: readonly { function: string; action: string }[] };
  return Object.fromEntries(functions.map((each) => [each.function, each.action]));
}

/** What the two are to be compared by: all but the time of loading. */
async function registryOf({ door }: PlatformProcess): Promise<unknown> {
  const names = ((await door.call('RG.FUNCTION', 'LIST')) as unknown[][]).map((each) => String(each[1]));
  const versions = await Promise.all(
    names.map((name) => door.call('RG.FUNCTION', 'VERSIONS', name) as Promise<unknown[][]>),
  );
  const facts = versions.map((all) => all.map((each) => each.filter((_, index) => ![10, 11].includes(index))));
  const registrations = (await door.call('RG.DUMPREGISTRATIONS')) as unknown[][];
  const states = registrations.map((each) => [
    each[1],
    each[each.indexOf('version') + 1],
    each[each.indexOf('state') + 1],
  ]);
  return { names, facts, states };
}

test('an export is a file for its owner only, and is not written over by mistake', async () => {
  const { code, stdout } = await at(from, 'export', file, '--json');
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, functions: 3, versions: 4 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await at(from, 'export', file);
  expect(again.stderr).toContain('is there already; --force writes over it');
  expect(again.code).toBe(2);
});

test('a damaged file changes nothing', async () => {
  const damaged = join(directory, 'damaged.ndjson');
  writeFileSync(damaged, readFileSync(file, 'utf8').replace("'two'", "'2wo'"));
  const { code, stderr } = await at(to, 'import', damaged);
  expect(stderr).toMatch(/REGISTRY_FILE_INVALID: .*damaged\.ndjson, line 3: the source is not the one/);
  expect({ code, functions: await to.door.call('RG.FUNCTION', 'LIST') }).toEqual({ code: 2, functions: [] });
});

test('an import into an empty server makes it the same: numbers, what is active, paused and unregistered', async () => {
  expect(await actions('--dry-run')).toEqual({ greet: 'create', pair: 'create', stored: 'create' });
  expect(await to.door.call('RG.FUNCTION', 'LIST')).toEqual([]);
  expect(await actions()).toEqual({ greet: 'create', pair: 'create', stored: 'create' });
  expect(await registryOf(to)).toEqual(await registryOf(from));
  expect(await to.door.call('RG.TRIGGER', 'greet')).toEqual(['two']);
  expect(await actions()).toEqual({ greet: 'unchanged', pair: 'unchanged', stored: 'unchanged' });
});

test('what differs is refused, skipped or replaced, and a number that was taken is another one', async () => {
  await to.door.call('RG.FUNCTION', 'DELETE', 'greet');
  await to.door.call(
    'RG.FUNCTION',
    'LOAD',
    'greet',
    "GB('CommandReader').map(() => 'mine').register({ trigger: 'greet' });",
  );
  await to.door.call('RG.UNPAUSEREGISTRATIONS', 'pair/stream/s:*');
  const before = await registryOf(to);
  const refused = await at(to, 'import', file);
  expect(refused.code).toBe(5);
  expect(refused.stderr).toMatch(
    /IMPORT_CONFLICT: nothing was imported.*"greet" lacks 2 of 2 versions.*"pair" pair\/stream\/s:\* is not paused/,
  );
  expect(await actions('--on-conflict', 'skip')).toEqual({ greet: 'skip', pair: 'skip', stored: 'unchanged' });
  expect(await registryOf(to)).toEqual(before);
  const replaced = await at(to, 'import', file, '--on-conflict', 'replace');
  expect(replaced.stderr).toContain('Version 2 of greet is 5 here: the number was taken.');
  expect(await to.door.call('RG.TRIGGER', 'greet')).toEqual(['two']);
  expect(await actions()).toEqual({ greet: 'unchanged', pair: 'unchanged', stored: 'unchanged' });
});

test('a command that another function has stops an import before it begins', async () => {
  await to.door.call('RG.FUNCTION', 'DELETE', 'greet');
  await to.door.call('RG.FUNCTION', 'LOAD', 'other', "GB('CommandReader').register({ trigger: 'greet' });");
  for (const rule of ['fail', 'replace']) {
    const { code, stderr } = await at(to, 'import', file, '--on-conflict', rule);
    expect([rule, code, stderr]).toEqual([rule, 5, expect.stringContaining('"greet" other has the command greet')]);
  }
  expect(await actions('--on-conflict', 'skip')).toMatchObject({ greet: 'skip' });
});

test('some functions go from one server to another through a pipe', async () => {
  const url = `redis://127.0.0.1:${from.respPort}`;
  const exported = await runRegears(['export', '--function', 'stored', '--url', url]);
  expect(exported.stdout.split('\n')[1]).toContain('"name":"stored"');
  const missing = await at(from, 'export', '--function', 'nobody');
  expect([missing.code, missing.stdout]).toEqual([4, '']);
});

test('RG.FIGURES and top know the registrations, and what they do', async () => {
  await from.door.call('RG.TRIGGER', 'greet');
  const { stdout } = await at(from, 'top', '--once', '--json');
  const figures = JSON.parse(stdout) as {
    nodes: { sandboxes: object[] }[];
    registrations: { id: string; state: string }[];
  };
  expect(figures.nodes[0]?.sandboxes.length).toBeGreaterThan(0);
  expect(figures.registrations.map(({ id, state }) => `${id} ${state}`)).toEqual([
    'greet/command/greet running',
    'pair/command/p running',
    'pair/stream/s:* paused',
  ]);
});
