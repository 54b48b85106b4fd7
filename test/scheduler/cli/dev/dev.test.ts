import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunning } from '../../../../scheduler/embedded/process-identity.ts';
import { endChild, spawnTracked } from '../../../support/children.ts';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { runRegears } from '../../../support/regears.ts';
import { type RegearsSession, startSession } from '../../../support/regears-session.ts';
import { waitFor } from '../../../support/wait.ts';

const BIN = fileURLToPath(new URL('../../../../scheduler/cli/regears.js', import.meta.url));
const FREE_PORTS = ['--resp-port', '0', '--http-port', '0'];
const root = mkdtempSync(join(tmpdir(), 'regears-dev-test-'));
/** Where the session makes its own folder, so that it can be seen to be gone. */
const temporary = join(root, 'tmp');
mkdirSync(temporary);

const write = (path: string, text: string): string => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};

const source = (word: string, more = ''): string => `
import { greeting } from './lib/greeting.ts';
new GearsBuilder('StreamReader').foreach(async (r: { value: { user: string } }) => {
  log(greeting('${word}', r.value.user));
  if (r.value.user === 'bad') throw new TypeError('no good');
  await execute('HINCRBY', 'seen', r.value.user, 1);
}).register({ prefix: 'people:*' });
new GearsBuilder('CommandReader').map(([, name]: string[]) => 'hello ' + name).register({ trigger: 'hello' });
${more}`;

interface Ready {
  readonly resp: string;
  readonly dashboard: string;
  readonly dataDir: string;
}

let other: TestRedis;
let session: RegearsSession;
let ready: Ready;
let redis: Redis;
beforeAll(async () => {
  other = await startRedis();
  await other.client().call('XADD', 'people:prod', '77-1', 'user', 'eve', 'bytes', Buffer.from([0xff, 0xfe]));
  write('lib/greeting.ts', "export const greeting = (word: string, name: string): string => word + ' ' + name;");
  write('people.ts', source('hi'));
  write('samples/ann.json', JSON.stringify({ stream: 'people:1', fields: { user: 'ann' } }));
  const from = ['--from', other.url, 'people:prod', '77-1', '--save'];
  session = startSession(['dev', 'people.ts', ...FREE_PORTS, ...from], { cwd: root, env: { TMPDIR: temporary } });
  ready = (await session.next('ready', ({ event }) => event === 'ready')) as unknown as Ready;
  redis = new Redis(`redis://${ready.resp}`, { replyMapping: 'legacy' });
  redis.on('error', () => undefined);
});
afterAll(async () => {
  redis?.disconnect();
  await session?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const deployed = (): Promise<unknown> => session.next('deployed', ({ event }) => event === 'deployed');

const sampleOf = (wanted: number): Promise<unknown> =>
  session.next('sample', ({ sample, version }) => sample === 'samples/ann.json' && version === wanted);

describe('regears dev', () => {
  test('deploys, tells where the dashboard shows the function, and sends the samples of the folder', async () => {
    expect(await deployed()).toMatchObject({ name: 'people', version: 1, sinceSaveMs: null });
    expect(ready.dashboard).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#\/functions\/people$/);
    const sample = await session.next('sample', ({ sample }) => sample === 'samples/ann.json');
    expect(sample).toMatchObject({
      outcome: 'done',
      registration: 'people/stream/people:*',
      logs: [{ message: 'hi ann' }],
      commands: [{ args: ['HINCRBY', 'seen', 'ann', '1'], reply: 1, error: null }],
    });
  });

  test('has kept the entry of the other server with its bytes, and sent it', async () => {
    const file = 'samples/people_prod-77-1.json';
    expect(JSON.parse(readFileSync(join(root, file), 'utf8'))).toEqual({
      stream: 'people:prod',
      id: '77-1',
      fields: { user: 'eve', bytes: { base64: '//4=' } },
    });
    expect(await session.next('sample', ({ sample }) => sample === file)).toMatchObject({
      logs: [{ message: 'hi eve' }],
    });
    expect(await other.client().xlen('people:prod')).toBe(1);
  });

  test('shows each event with what it logged, its end and its commands', async () => {
    session.mark();
    const id = await redis.xadd('people:2', '*', 'user', 'bob');
    const place = { function: 'people', version: 1, registration: 'people/stream/people:*', stream: 'people:2' };
    expect(await session.next('log', ({ event }) => event === 'log')).toMatchObject({
      ...place,
      entry: id,
      level: 'notice',
      message: 'hi bob',
    });
    expect(await session.next('ran', ({ event }) => event === 'ran')).toMatchObject({
      ...place,
      entryIds: [id],
      done: 1,
      commands: [{ args: ['HINCRBY', 'seen', 'bob', '1'] }],
    });
  });

  test('shows an error with its entry and the line of the source', async () => {
    session.mark();
    const id = await redis.xadd('people:2', '*', 'user', 'bad');
    expect(await session.next('ran', ({ event }) => event === 'ran')).toMatchObject({
      failed: 1,
      failures: [
        {
          entry: id,
          error: {
            name: 'TypeError',
            message: 'no good',
            place: { file: 'people.ts', line: 5, lineText: expect.stringContaining("throw new TypeError('no good')") },
          },
        },
      ],
    });
  });

  test('deploys when the file is saved, in place or by a rename, and sends the samples to the new version', async () => {
    session.mark();
    write('people.ts', source('good day'));
    expect(await deployed()).toMatchObject({ version: 2, sinceSaveMs: expect.any(Number) });
    expect(await sampleOf(2)).toMatchObject({ logs: [{ message: 'good day ann' }] });
    session.mark();
    renameSync(join(root, 'people.ts'), join(root, 'people.ts~'));
    renameSync(write('people.ts.new', source('good night')), join(root, 'people.ts'));
    expect(await deployed()).toMatchObject({ version: 3 });
    expect(session.events.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  test('deploys when something is saved that the file imports', async () => {
    session.mark();
    write('lib/greeting.ts', "export const greeting = (word: string, name: string): string => name + ', ' + word;");
    expect(await deployed()).toMatchObject({ version: 4 });
    expect(await sampleOf(4)).toMatchObject({ logs: [{ message: 'ann, good night' }] });
  });

  test.each([
    { what: 'does not build', code: 'ARTIFACT_INVALID', line: 'const x = ;' },
    { what: 'does not load', code: 'GUEST_ERROR', line: 'const none: { a?: { b: number } } = {}; none.a!.b;' },
  ])('a source that $what is refused with its line; what ran goes on', async ({ code, line }) => {
    session.mark();
    write('people.ts', source('good night', line));
    expect(await session.next('refused', ({ event }) => event === 'refused')).toMatchObject({
      versionInForce: 4,
      error: { code },
      mistakes: [{ file: 'people.ts', line: 9, lineText: line }],
    });
    expect(await redis.call('RG.TRIGGER', 'hello', 'ann')).toEqual(['hello ann']);
    session.mark();
    write('people.ts', source('good night'));
    expect(await session.next('mended', ({ event }) => event === 'unchanged')).toMatchObject({
      mended: true,
      version: 4,
    });
  });

  test('waits for an import that is missing, with the folder that is missing', async () => {
    session.mark();
    write('people.ts', source('good night', "import { late } from './soon/late.ts'; log(late);"));
    await session.next('refused', ({ event }) => event === 'refused');
    write('soon/late.ts', "export const late = 'at last';");
    expect(await deployed()).toMatchObject({ version: 5 });
    expect(await session.next('log', ({ message }) => message === 'at last')).toMatchObject({ registration: null });
  });

  test('sends a sample when it is saved, and says what is wrong with one', async () => {
    session.mark();
    write(
      'samples/hello.json',
      JSON.stringify([{ trigger: 'hello', args: ['zoe'] }, { trigger: 'nobody' }, { send: ['SET', 'k', 'v'] }]),
    );
    expect(await session.next('sample', ({ sample }) => sample === 'samples/hello.json[2]')).toMatchObject({
      outcome: 'sent',
      reply: 'OK',
    });
    expect(session.events.slice(-3)).toMatchObject([
      { outcome: 'done', results: ['hello zoe'] },
      { outcome: 'unmatched', functions: ['people'] },
      { outcome: 'sent' },
    ]);
    write('samples/hello.json', '{ "trigger": ');
    expect(await session.next('sample', ({ outcome }) => outcome === 'refused')).toMatchObject({
      sample: 'samples/hello.json',
      error: { code: 'ARGUMENT_INVALID' },
    });
  });

  test('deploy --watch does the same against a platform that runs', async () => {
    write('apart.ts', "new GearsBuilder('CommandReader').map(() => 1).register({ trigger: 'apart' });");
    await using apart = startSession(['deploy', '--watch', 'apart.ts', '--url', `redis://${ready.resp}`], {
      cwd: root,
    });
    expect(await apart.next('deployed', ({ event }) => event === 'deployed')).toMatchObject({
      name: 'apart',
      version: 1,
    });
    write('apart.ts', 'nonsense(');
    await apart.next('refused', ({ event }) => event === 'refused');
    write('apart.ts', "new GearsBuilder('CommandReader').map(() => 2).register({ trigger: 'apart' });");
    expect(await apart.next('deployed', ({ version }) => version === 2)).toMatchObject({ name: 'apart' });
    expect(await redis.call('RG.TRIGGER', 'apart')).toEqual(['2']);
    expect(await apart.end('SIGINT')).toBe(0);
  });

  test('ends with all that it has started, and leaves nothing behind', async () => {
    expect(readdirSync(temporary)).toHaveLength(1);
    const { pid } = JSON.parse(readFileSync(join(ready.dataDir, 'redis', 'server.json'), 'utf8')) as { pid: number };
    redis.disconnect();
    expect(await session.end('SIGINT')).toBe(0);
    expect(session.events.at(-1)).toEqual({ event: 'stopped' });
    expect(isRunning(pid)).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

test('what is wrong with the command line is told before anything starts', async () => {
  const wrong = [
    [[], 2, 'ARGUMENT_INVALID: no file is given'],
    [['nobody.ts'], 2, 'ARGUMENT_INVALID: "nobody.ts" cannot be read: there is no such file'],
    [['people.ts', '--from', 'redis://127.0.0.1:1', 's', '1-1'], 3, 'REDIS_UNREACHABLE'],
    [['people.ts', '--from', other.url, 'nobody', '$'], 4, 'STREAM_NOT_FOUND'],
    [['people.ts', '--from', other.url, 'people:prod', '1-1'], 4, 'ENTRY_NOT_FOUND'],
  ] as const;
  const runs = wrong.map(async ([args, code, text]) => {
    const ran = await runRegears(['dev', ...args], { cwd: root });
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) });
  });
  await Promise.all(runs);
});

test('a folder of samples that was named and is not there is told of at once', async () => {
  const child = spawnTracked(process.execPath, [BIN, 'dev', 'people.ts', '--samples', 'nowhere', ...FREE_PORTS], {
    cwd: root,
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await waitFor(() => errors.includes('There is no folder nowhere (--samples)'), { what: 'the remark' });
  child.kill('SIGINT');
  await ended;
});

/** Gives a program a terminal. */
const SCRIPT = '/usr/bin/script';

test.runIf(process.platform === 'linux' && existsSync(SCRIPT))(
  'keys open, deploy, send samples and end; the terminal is left as it was',
  async () => {
    chmodSync(write('bin/xdg-open', '#!/bin/sh\necho "$1" > opened\n'), 0o755);
    const line = `"${process.execPath}" "${BIN}" dev people.ts --samples keys ${FREE_PORTS.join(' ')}`;
    for (const left of ['opened', 'stty-after']) rmSync(join(root, left), { force: true });
    write('keys/one.json', JSON.stringify({ trigger: 'hello', args: ['key'] }));
    write(
      'run.sh',
      `stty -a > stty-before; ${line}; echo "ended with $?"; stty -a > stty-then; mv stty-then stty-after\n`,
    );
    const env = { PATH: `${join(root, 'bin')}:${process.env.PATH}`, TMPDIR: temporary, TERM: 'xterm' };
    const terminal = spawnTracked(SCRIPT, ['-qfc', 'sh run.sh', '/dev/null'], { cwd: root, env });
    let screen = '';
    terminal.stdout?.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    const count = (pattern: RegExp): number => [...screen.matchAll(new RegExp(pattern, 'g'))].length;
    const press = (key: string): unknown => terminal.stdin?.write(key);
    const shows = (pattern: RegExp, times = 1): Promise<unknown> =>
      waitFor(() => count(pattern) >= times, { what: `${times} times ${pattern} on the screen: ${screen}` });
    await shows(/quit/);
    await shows(/hello key/);
    press('o');
    const opened = await waitFor(() => existsSync(join(root, 'opened')) && readFileSync(join(root, 'opened'), 'utf8'), {
      what: 'the opener is called',
    });
    expect(opened).toMatch(/\/#\/functions\/people\n$/);
    press('s');
    await shows(/hello key/, 2);
    press('r');
    await shows(/deployed/, 2);
    await shows(/hello key/, 3);
    press('q');
    await shows(/ended with 0/);
    await waitFor(() => existsSync(join(root, 'stty-after')), { what: 'the shell goes on' });
    await endChild(terminal, 'SIGTERM');
    const settings = (name: string): string => readFileSync(join(root, name), 'utf8');
    expect(settings('stty-after')).toBe(settings('stty-before'));
    expect(readdirSync(temporary)).toEqual([]);
  },
);
