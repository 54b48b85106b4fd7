import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const BIN = fileURLToPath(new URL('../../../scheduler/cli/regears.js', import.meta.url));

let redis: TestRedis;
let platform: PlatformProcess;
let dir: string;

beforeAll(async () => {
  redis = await startRedis();
  platform = await startPlatformProcess({ redisUrl: redis.url });
  dir = await mkdtemp(join(tmpdir(), 'regears-run-'));
  const client = redis.client();
  for (let n = 0; n < 5; n += 1) await client.set(`k:${n}`, n);
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function regears(...args: string[]): Promise<Ended> {
  const url = `redis://127.0.0.1:${platform.respPort}`;
  return new Promise((resolve) => {
    execFile(process.execPath, [BIN, ...args, '--url', url], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

async function file(name: string, source: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, source);
  return path;
}

test('regears run prints the results, one a line, and leaves nothing behind', async () => {
  const path = await file('sum.ts', "GB().map((r: { value: string }) => +r.value * 10).run('k:*');");
  const { code, stdout } = await regears('run', path);
  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split('\n')
      .map(Number)
      .sort((a, b) => a - b),
  ).toEqual([0, 10, 20, 30, 40]);
  expect((await regears('executions')).stdout).toContain('There are no executions');
});

test('regears run ends with 1 and the errors when functions failed', async () => {
  const path = await file('bad.js', "GB().map(() => { throw new Error('no luck'); }).run('k:*');");
  const { code, stderr } = await regears('run', path);
  expect(code).toBe(1);
  expect(stderr).toContain('no luck');
});

test('a file that registers, or runs nothing, is refused and changes nothing', async () => {
  const files = [
    await file('reg.js', "GB('StreamReader').map((r) => r).register({ prefix: 'run:*' });"),
    await file('both.js', "GB().count().run('k:*'); GB('StreamReader').map((r) => r).register({ prefix: 'run:*' });"),
    await file('none.js', 'GB().map((r) => r.missing.field);'),
  ];
  for (const each of files) {
    const { code, stderr } = await regears('run', each);
    expect(code).toBe(2);
    expect(stderr).toContain('regears deploy');
  }
  expect(await platform.door.call('RG.DUMPREGISTRATIONS')).toEqual([]);
  expect(await platform.door.call('RG.FUNCTION', 'LIST')).toEqual([]);
});

test('regears executions lists, shows and forgets what was left running', async () => {
  const path = await file('count.js', "GB().count().run('k:*');");
  const id = (await regears('run', '--detach', path)).stdout.trim();
  await platform.door.call('RG.GETRESULTSBLOCKING', id);
  expect((await regears('executions')).stdout).toContain(id);
  expect((await regears('executions', id)).stdout).toMatch(/done/);
  expect((await regears('executions', id, '--drop')).code).toBe(0);
  expect(await regears('executions', id)).toEqual({
    code: 4,
    stdout: '',
    stderr: 'error EXECUTION_NOT_FOUND: execution plan does not exist; see: regears executions\n',
  });
});

test('run hands what stands behind the file to the script, whose errors keep their places', async () => {
  const file = join(dir, 'least.ts');
  await writeFile(
    file,
    `const [least = '0', other] = scriptArguments;
GB('KeysReader').filter((r) => {
  if (least === 'boom') throw new Error('no ' + least);
  return Number(r.value) >= Number(least);
}).map((r) => [r.key, other]).run('k:*');
`,
  );
  const [some, wrong, left] = await Promise.all([
    regears('run', '--json', file, '4', 'x'),
    regears('run', file, 'boom'),
    regears('run', file, '--unblocking'),
  ]);
  expect([some.code, JSON.parse(some.stdout)]).toEqual([0, '["k:4","x"]']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/no boom\n.*least\.ts:3:/)]);
  expect([left.code, left.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{40}-\d+\n$/)]);
});
