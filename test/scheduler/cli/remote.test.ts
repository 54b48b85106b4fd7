import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';
import { type Ran, runCommand, runRegears } from '../../support/regears.ts';
import { waitFor } from '../../support/wait.ts';

const directory = mkdtempSync(join(tmpdir(), 'regears-remote-'));

describe('remote commands', () => {
  let platform: PlatformProcess;
  const home = process.cwd();
  beforeAll(async () => {
    platform = await startPlatformProcess();
    vi.stubEnv('REGEARS_URL', `redis://127.0.0.1:${platform.respPort}`);
    process.chdir(directory);
  });
  afterAll(async () => {
    process.chdir(home);
    vi.unstubAllEnvs();
    // Gracefully, so that the embedded Redis ends too.
    await platform?.stop();
    await platform?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const regears = (...args: readonly string[]): Promise<Ran> => runCommand(args);
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await regears('--json', ...args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return JSON.parse(stdout) as T;
  };
  const write = (name: string, source: string): string => {
    writeFileSync(join(directory, name), source);
    return name;
  };

  test('deploy bundles imports and TypeScript, and the same source again makes no new version', async () => {
    write('greeting.ts', "export const greeting = (name: string): string => 'Hello ' + name;");
    const file = write(
      'hello.ts',
      `import { greeting } from './greeting.ts';
       new GearsBuilder('CommandReader').map(([, name]: string[]) => { log('asked for ' + name); return greeting(name ?? 'you'); })
         .register({ trigger: 'hello' });`,
    );
    const [first] = await json<Record<string, unknown>[]>('deploy', file, '--description', 'first');
    expect(first).toMatchObject({ name: 'hello', version: 1, registrations: ['hello/command/hello'] });
    expect(await json('deploy', file)).toMatchObject([{ version: 1 }]);
    write('greeting.ts', "export const greeting = (name: string): string => 'Good day ' + name;");
    expect(await json('deploy', file)).toMatchObject([{ version: 2 }]);
    expect(await json('deploy', file, '--name', 'other', '--no-activate')).toMatchObject([
      { name: 'other', version: 1 },
    ]);
  });

  test('a process of its own prints and ends the same', async () => {
    const env = { REGEARS_URL: `redis://127.0.0.1:${platform.respPort}` };
    const own = (...args: readonly string[]): Promise<Ran> => runRegears(args, { cwd: directory, env });
    const lines = [
      ['versions', 'hello', '--json'],
      ['deploy', 'hello.ts'],
      ['show', 'nobody'],
      ['rollback', 'hello', 'x'],
    ];
    const ran = await Promise.all(lines.map((line) => own(...line)));
    for (const [at, line] of lines.entries()) expect(await regears(...line)).toEqual(ran[at]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 4, 2]);
  });

  test('a version that was only stored is not in force', async () => {
    const functions = await json<Record<string, unknown>[]>('list');
    expect(functions.find((each) => each.name === 'other')).toMatchObject({ activeVersion: null, latestVersion: 1 });
  });

  test('trigger prints the results, also of arguments that begin with a dash', async () => {
    expect((await regears('trigger', 'hello', 'ann')).stdout).toBe('Good day ann\n');
    expect(await json('trigger', 'hello', '--', '-x')).toEqual(['Good day -x']);
  });

  test('list, versions and show tell what is there', async () => {
    expect((await regears('list')).stdout).toMatch(/^hello +2 +2 /m);
    expect((await regears('versions', 'hello')).stdout).toMatch(/^ *2 +active +js /m);
    const { stdout: source } = await regears('show', 'hello', '--version', '1', '--source');
    expect(source).toMatch(/^\/\/ greeting\.ts\n.*name: string.*\n\n\/\/ hello\.ts\nimport /);
    expect(source).toContain('Hello ');
    expect(source).not.toContain('sourceMappingURL');
    expect(await json('show', 'hello')).toMatchObject({ name: 'hello', version: 2 });
  });

  test('rollback goes to the version before, or to a named one', async () => {
    expect(await json('rollback', 'hello')).toMatchObject({ name: 'hello', version: 1 });
    expect((await regears('trigger', 'hello', 'ann')).stdout).toBe('Hello ann\n');
    expect(await json('rollback', 'hello', '2')).toMatchObject({ version: 2 });
  });

  test('logs show what functions wrote', async () => {
    const said = async (...args: string[]): Promise<boolean> =>
      (await regears('logs', ...args)).stdout.includes('asked for ann');
    await waitFor(() => said('--function', 'hello'), { what: 'the log line' });
    expect([await said('hello'), await said('nobody')]).toEqual([true, false]);
    const { stdout } = await regears('logs', '--count', '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ function: 'hello' });
    expect(await regears('logs', 'nobody')).toEqual({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/^error FUNCTION_NOT_FOUND: .*nobody.*; see: regears list\n$/),
    });
    const { code, stderr } = await regears('logs', 'nobody', '--json');
    expect([code, JSON.parse(stderr)]).toMatchObject([4, { error: { code: 'FUNCTION_NOT_FOUND' } }]);
  });

  test('registrations can be paused and resumed', async () => {
    expect((await regears('pause', 'hello/command/hello')).code).toBe(0);
    expect((await regears('registrations', '--function', 'hello')).stdout).toContain('paused');
    expect(await regears('trigger', 'hello')).toEqual({
      code: 5,
      stdout: '',
      stderr: `error REGISTRATION_STOPPED: registration hello/command/hello is paused: paused by user default; see: regears resume\n`,
    });
    expect((await regears('resume', 'hello/command/hello')).code).toBe(0);
    expect((await regears('trigger', 'hello', 'bob')).stdout).toBe('Good day bob\n');
  });

  test('a version that is not there is answered with the command that shows those of the function', async () => {
    expect((await regears('show', 'hello', '--version', '9')).stderr).toBe(
      'error VERSION_NOT_FOUND: the function "hello" has no version 9; see: regears versions hello\n',
    );
  });

  test('feed appends lines and says how many; dead letters are counted, asked for, and redriven', async () => {
    const file = write(
      'picky.js',
      `new GearsBuilder('StreamReader').foreach(async (r) => {
         if (r.value.ok !== 'true' && !(await execute('EXISTS', 'mended'))) throw new Error('not ok: ' + r.value.n);
         await execute('INCR', 'picked');
       }).register({ prefix: 'picky', mode: 'async_local', batch: 10, onFailedPolicy: 'continue' });`,
    );
    await json('deploy', file);
    const lines = Array.from({ length: 50 }, (_, n) => JSON.stringify({ n, ok: n % 10 !== 0 }));
    const report = await json('feed', '--stream', 'picky', write('lines.ndjson', `${lines.join('\n')}\n`));
    expect(report).toMatchObject({ stream: 'picky', appended: 50, interrupted: false });
    await waitFor(async () => (await json<unknown[]>('dlq', 'list')).length === 5, { what: 'five dead letters' });
    const letters = await json<{ id: string }[]>(
      'dlq',
      'list',
      '--function',
      'picky',
      '--error',
      'not ok: 20',
      '--since',
      '1h',
    );
    expect(letters).toHaveLength(1);
    expect((await regears('dlq', 'show', letters[0]?.id ?? '')).stdout).toContain('picky.js:2');
    expect(await json('dlq', 'redrive', '--function', 'picky', '--dry-run')).toEqual({ count: 5, changed: 0 });
    expect(await json('dlq', 'discard', '--error', 'not ok: 20')).toEqual({ count: 1, changed: 1 });
    await platform.door.set('mended', '1');
    expect((await regears('dlq', 'redrive', '--function', 'picky', '--yes')).stdout).toContain('4 dead letters');
    await waitFor(async () => (await platform.door.get('picked')) === '49', { what: 'the redriven entries' });
    expect(await json('dlq', 'list')).toEqual([]);
    expect((await regears('dlq', 'list')).stdout).toBe('There are no dead letters.\n');
    expect((await regears('dlq', 'list', '--function', 'picky')).stdout).toBe('There are no such dead letters.\n');
    expect((await regears('feed', '--stream', 'one', write('one.txt', 'line\n'))).stdout).toMatch(/^1 entry appended/);
  });

  test('doctor says what it found', async () => {
    const checks = await json<{ check: string; state: string }[]>('doctor');
    expect(checks.length).toBeGreaterThan(3);
    expect((await regears('doctor')).stdout).toContain('ok');
  });

  test('nodes shows the fleet and streams what is left to do', async () => {
    expect(await json('nodes')).toMatchObject([{ isSelf: 1, isCurrent: 1 }]);
    expect((await regears('nodes')).stdout).toMatch(/ \* .*revision \d+, current$/m);
    expect(await json('streams', '--registration', 'picky/stream/picky')).toMatchObject([
      { stream: 'picky', lag: 0, lagIsExact: 1, pending: 0, inWork: 0, waiting: 0 },
    ]);
    expect((await regears('streams')).stdout).toMatch(/^picky\/stream\/picky +picky +0 +0 +0 +0 /m);
  });

  test('unregister takes a registration out of force, and deploying again brings it back', async () => {
    const file = write('ping.js', "new GearsBuilder('CommandReader').map(() => 'pong').register({ trigger: 'ping' });");
    await json('deploy', file);
    expect(await json('unregister', 'ping/command/ping')).toEqual({ unregistered: ['ping/command/ping'] });
    expect((await regears('trigger', 'ping')).code).toBe(4);
    await json('deploy', file);
    expect((await regears('trigger', 'ping')).stdout).toBe('pong\n');
  });

  test('a file that cannot be bundled leaves all files of the command line undeployed', async () => {
    const files = [
      write('fine.js', "GB('CommandReader').register({ trigger: 'fine' })"),
      write('bad.ts', 'const a = ;'),
    ];
    const { code, stderr } = await regears('deploy', ...files);
    expect(stderr).toContain('bad.ts:1:');
    expect(code).toBe(1);
    expect((await regears('show', 'fine')).code).toBe(4);
  });

  test('data that is no NDJSON ends a feed with 1, the file, the line and what was appended', async () => {
    const { code, stderr } = await regears('feed', '--stream', 'odd', write('odd.ndjson', '{"n":1}\n{"n":\n'));
    expect(stderr).toMatch(/odd\.ndjson: line 2 is not JSON.*appended before it: 1 entry/);
    expect(code).toBe(1);
    await platform.door.set('taken', 'text');
    expect((await regears('feed', '--stream', 'taken', 'odd.ndjson')).stderr).toContain(
      'the key taken holds no stream',
    );
  });

  test('remove takes a function away', async () => {
    expect((await regears('remove', 'hello')).code).toBe(0);
    expect((await regears('show', 'hello')).code).toBe(4);
  });

  test.each([
    [['show', 'nobody'], 4, 'FUNCTION_NOT_FOUND'],
    [['rollback', 'picky', '99'], 4, 'VERSION_NOT_FOUND'],
    [['pause', 'no/such/registration'], 4, 'REGISTRATION_NOT_FOUND'],
    [['streams', '--registration', 'no/such/registration'], 4, 'REGISTRATION_NOT_FOUND'],
    [['trigger', 'nobody'], 4, 'TRIGGER_NOT_FOUND'],
    [['dlq', 'show', '1-1'], 4, 'DEAD_LETTER_NOT_FOUND'],
    [['unregister', 'no/such/registration'], 4, 'REGISTRATION_NOT_FOUND'],
    [['rollback', 'picky', 'x'], 2, 'ARGUMENT_INVALID'],
    [['deploy', 'nofile.ts'], 2, 'ARGUMENT_INVALID'],
  ])('%j ends with %i and %s', async (...[args, code, error]) => {
    const ran = await regears(...args, '--json');
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: error } });
    expect(ran.code).toBe(code);
  });

  test("a mistake in a function is shown with the user's file and line", async () => {
    const { code, stderr } = await regears(
      'deploy',
      write('wrong.ts', 'const a: number = 1;\nnew GearsBuilder("StreamRaeder");'),
    );
    expect(stderr).toMatch(/wrong\.ts:2/);
    expect(code).toBe(1);
    const broken = await regears('deploy', write('broken.ts', 'const a = ;'));
    expect(broken.stderr).toMatch(/ARTIFACT_INVALID.*broken\.ts:1:/);
  });
});
