import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { childrenOf } from '../../recovery/flow.ts';
import { trackChild } from '../../support/children.ts';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { runRegears } from '../../support/regears.ts';
import { waitFor } from '../../support/wait.ts';

const BIN = fileURLToPath(new URL('../../../scheduler/cli/regears.js', import.meta.url));
const KEYS = 40;

let redis: TestRedis;
let client: Redis;
let platform: PlatformProcess;
let dir: string;
let script: string;

beforeAll(async () => {
  redis = await startRedis();
  client = redis.client();
  platform = await startPlatformProcess({ redisUrl: redis.url, flags: ['--limit-execution-ms', '2m'] });
  dir = await mkdtemp(join(tmpdir(), 'regears-follow-'));
  script = join(dir, 'wait.ts');
  // One record goes through, the others wait until the test lets them.
  await writeFile(
    script,
    `GB('KeysReader').map(async (r: { key: string }) => {
  if ((await execute('INCR', 'seen')) === 1) return r.key;
  while (!(await execute('GET', 'go'))) await sleep(0.02);
  return r.key;
}).run('k:*');
`,
  );
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await client.flushall();
  for (let n = 0; n < KEYS; n += 1) await client.set(`k:${n}`, n);
});

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  lines(): readonly string[];
  /** Resolves with the exit code. */
  ended(): Promise<number | null>;
}

function regears(...args: string[]): Running {
  const url = `redis://127.0.0.1:${platform.respPort}`;
  const child = trackChild(
    spawn(process.execPath, [BIN, ...args, '--url', url], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const closed = once(child, 'close');
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    lines: () => stdout.split('\n').filter((line) => line !== ''),
    async ended() {
      await closed;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

const firstLine = (running: Running): Promise<unknown> =>
  waitFor(() => running.lines().length > 0, { what: `a first result; standard error: ${running.stderr()}` });

const executions = async (): Promise<number> => ((await platform.door.call('RG.DUMPEXECUTIONS')) as unknown[]).length;

const ALL = Array.from({ length: KEYS }, (_, n) => `k:${n}`).toSorted();

test('the first result is printed while the run goes on, the others behind it, each once', async () => {
  await using run = regears('run', script);
  await firstLine(run);
  expect(run.lines().length).toBeLessThan(KEYS);
  expect(run.child.exitCode).toBe(null);
  await client.set('go', '1');
  expect(await run.ended()).toBe(0);
  expect(run.lines().toSorted()).toEqual(ALL);
  expect(await executions()).toBe(0);
});

test('--json: one record a line as they come', async () => {
  await using run = regears('run', '--json', script);
  await firstLine(run);
  expect(run.child.exitCode).toBe(null);
  await client.set('go', '1');
  expect(await run.ended()).toBe(0);
  expect(
    run
      .lines()
      .map((line) => JSON.parse(line) as string)
      .toSorted(),
  ).toEqual(ALL);
});

test('--at-end prints nothing before the run has ended, and survives the death of a sandbox', async () => {
  await using run = regears('run', '--at-end', script);
  await waitFor(async () => Number(await client.get('seen')) > 1, { what: 'one record has gone through' });
  for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
  await waitFor(async () => Number(await client.get('seen')) > 3, { what: 'it has begun again' });
  expect(run.stdout()).toBe('');
  await client.set('go', '1');
  expect(await run.ended()).toBe(0);
  expect(run.lines().toSorted()).toEqual(ALL);
});

test('a sandbox that dies after something was printed: nothing is printed twice, and the run says that it lacks the rest', async () => {
  await using run = regears('run', '--json', script);
  await firstLine(run);
  const printed = run.stdout();
  for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
  expect(await run.ended()).toBe(1);
  expect(run.stdout()).toBe(printed);
  const { error } = JSON.parse(run.stderr()) as { error: { code: string; message: string } };
  expect(error.code).toBe('EXECUTION_PART_LOST');
  expect(error.message).toMatch(/--at-end.*SANDBOX_DIED/s);
  expect(await executions()).toBe(0);
});

test('Ctrl-C ends the run and keeps what was printed', async () => {
  await using run = regears('run', script);
  await firstLine(run);
  const printed = run.stdout();
  run.child.kill('SIGINT');
  expect(await run.ended()).toBe(1);
  expect(run.stdout()).toBe(printed);
  expect(run.stderr()).toContain('Execution aborted');
  expect(await executions()).toBe(0);
});

test('the end of the reader of a pipe ends the run, without a word', async () => {
  await using run = regears('run', script);
  await firstLine(run);
  run.child.stdout?.destroy();
  await client.set('go', '1');
  expect(await run.ended()).toBe(0);
  expect(run.stderr()).toBe('');
  expect(await executions()).toBe(0);
});

test('a reader that takes its time gets everything', async () => {
  const wide = join(dir, 'wide.js');
  await writeFile(
    wide,
    "GB().flatmap((r) => Array.from({ length: 500 }, (_, n) => (r.key + ':' + n).padEnd(200))).run('k:*');",
  );
  await using run = regears('run', wide);
  run.child.stdout?.pause();
  const isOver = async (): Promise<boolean> => {
    const rows = (await platform.door.call('RG.DUMPEXECUTIONS')) as string[][];
    return rows.some((row) => row.includes('done'));
  };
  await waitFor(isOver, { what: 'the run has ended, and its results are not all read' });
  run.child.stdout?.resume();
  expect(await run.ended()).toBe(0);
  expect(new Set(run.lines()).size).toBe(KEYS * 500);
  expect(run.lines().length).toBe(KEYS * 500);
});

test('what contradicts itself is refused', async () => {
  expect(await runRegears(['run', '--at-end', '--detach', script])).toMatchObject({
    ...{ code: 2, stdout: '' },
    stderr: expect.stringMatching(/ARGUMENT_INVALID: --at-end .*--detach/),
  });
  await expect(platform.door.call('RG.JSEXECUTE', 'GB().run()', 'FOLLOW')).rejects.toThrow(/FOLLOW needs UNBLOCKING/);
});
