import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../scheduler/cli/commands/index.ts';
import { EXIT_CODE_MEANINGS, exitCodeOf } from '../../../scheduler/cli/exit-code.ts';
import { startRedis } from '../../support/redis.ts';
import { type Ran, runRegears } from '../../support/regears.ts';

const directory = mkdtempSync(join(tmpdir(), 'regears-cli-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const regears = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  runRegears(args, { cwd: directory, env });

describe('help', () => {
  test('without arguments it lists all commands and the exit codes', async () => {
    const { code, stdout } = await regears([]);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) {
      if (!name.includes(' ')) expect(stdout.replace(/\s+/g, ' ')).toContain(`${name} `);
      if (!name.includes(' ')) expect(stdout.replace(/\s+/g, ' ')).toContain(summary);
    }
    for (const [, meaning] of EXIT_CODE_MEANINGS) expect(stdout).toContain(meaning);
  });

  test('each command has a summary without a full stop and at least one example', async () => {
    for (const { name, summary, load } of COMMANDS) {
      expect(summary).toMatch(/^[a-z].*[^.]$/);
      const { examples } = await load();
      expect(examples.every((example) => example.startsWith(name))).toBe(true);
      expect(examples.length).toBeGreaterThan(0);
    }
  });

  test('a command explains its options and shows examples', async () => {
    const { code, stdout } = await regears(['dlq', 'redrive', '--help']);
    expect(code).toBe(0);
    for (const text of ['--dry-run', '--error <text>', '--url <url>', 'Examples:', '$ regears dlq redrive']) {
      expect(stdout).toContain(text);
    }
  });

  test('start lists every setting', async () => {
    const { stdout } = await regears(['start', '--help']);
    for (const flag of ['--redis <url>', '--resp-port <port>', '--limit-memory <bytes>'])
      expect(stdout).toContain(flag);
  });

  test('--version prints the version of the package', async () => {
    expect((await regears(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { code, stdout } = await regears(['show', 'clicks', '--version', '1', '--url', 'redis://127.0.0.1:1']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });
});

describe('wrong command lines end with 2 and say what is allowed', () => {
  test.each([
    [['deply', 'x.ts'], 'Did you mean deploy?'],
    [['start', '--resp-prot', '1'], 'Did you mean --resp-port?'],
    [['start', '--resp-port', 'abc'], 'a whole number from 0 to 65535'],
    [['deploy'], "missing required argument 'file'"],
    [['logs', '--count', '0'], 'a whole number from 1 to 100000'],
    [['feed', 'x.log'], '--stream is missing'],
    [['feed', '--stream', 's', '/no/such/file'], 'cannot be read'],
    [['feed', '--stream', 's', '--format', 'csv', 'x'], 'Allowed choices are text, ndjson'],
    [['dlq'], 'sub-command'],
    [['list', '--url', 'http://x'], '--url is "http://x"; allowed is redis://'],
    [['list', '--jsn'], "unknown option '--jsn'. Did you mean --json? See: regears list --help"],
    [['dlq', 'lst'], 'See: regears dlq --help'],
    [['feed', '--stream', ''], '--stream is empty'],
    [['help', 'nosuch'], "unknown command 'nosuch'. See: regears --help"],
    [['logs', 'a', '--function', 'b'], 'the function is a and --function is b; give one of them'],
    [['deploy', 'x.ts', 'sub/x.js'], 'x.ts and sub/x.js are both the function "x"; load them one by one with --name'],
    [
      ['config', '--config', 'no.json'],
      'file of settings no.json (--config or REGEARS_CONFIG) cannot be read: there is no such file',
    ],
    [['config', '--config', '.'], 'cannot be read: it is a directory'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await regears(args);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a wrong address from the environment is named after its variable; an empty one counts as none', async () => {
    expect((await regears(['list'], { REGEARS_URL: 'x' })).stderr).toContain('REGEARS_URL is "x"');
    expect((await regears(['list', '--url', 'x'], { REGEARS_URL: '' })).stderr).toContain('--url is "x"');
  });

  test('with --json a group without its sub-command prints the error alone', async () => {
    const { stderr } = await regears(['dlq', '--json']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'ARGUMENT_INVALID' } });
  });

  test('with --json the error is JSON on standard error', async () => {
    const { code, stdout, stderr } = await regears(['start', '--json', '--resp-port', 'abc']);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe('CONFIG_INVALID');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('exit codes', () => {
  test('a door that cannot be reached ends with 3', async () => {
    const { code, stderr } = await regears(['list', '--json'], { REGEARS_URL: 'redis://127.0.0.1:1' });
    expect(code).toBe(3);
    expect((JSON.parse(stderr) as { error: { code: string } }).error.code).toBe('DOOR_UNREACHABLE');
  });

  test('something that does not speak RESP is told apart from a door', async () => {
    await using server = createServer((_, response) => void response.end('hello'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { code, stderr } = await regears([
      'list',
      '--url',
      `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    expect(stderr).toContain('does not speak RESP');
    expect(code).toBe(3);
  });

  test('a Redis that is no door is told apart from one', async () => {
    await using redis = await startRedis();
    const { code, stderr } = await regears(['list', '--url', redis.url]);
    expect(stderr).toContain('what answers is a Redis, not the door of a node');
    expect(code).toBe(3);
  });

  test.each([
    ['FUNCTION_NOT_FOUND', 4],
    ['NOPERM', 5],
    ['CONFIG_INVALID', 2],
    ['GUEST_ERROR', 1],
  ])('%s ends with %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('regears config', () => {
  test('prints values and where they came from, passwords masked', async () => {
    writeFileSync(join(directory, 'regears.config.json'), '{"httpPort": 9000, "redis": "redis://u:secret@h:1"}');
    const { code, stdout } = await regears(['config', '--resp-port', '7000'], { REGEARS_PREFIX: 'x:' });
    rmSync(join(directory, 'regears.config.json'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^resp-port +7000 +flag --resp-port$/m);
    expect(stdout).toMatch(/^prefix +x: +environment REGEARS_PREFIX$/m);
    expect(stdout).toMatch(/^http-port +9000 +file httpPort$/m);
    expect(stdout).toMatch(/^redis +redis:\/\/u:\*\*\*@h:1 +file redis$/m);
    expect(stdout).toMatch(/^sandbox-memory +1gb +default$/m);
  });

  test('with --json it is one document', async () => {
    const { stdout } = await regears(['config', '--json']);
    const settings = JSON.parse(stdout) as readonly { readonly name: string; readonly value: string }[];
    expect(settings.find((setting) => setting.name === 'resp-port')?.value).toBe('6380');
  });

  test('a file that is no JSON object is refused with its name', async () => {
    writeFileSync(join(directory, 'broken.json'), '[1');
    const { code, stderr } = await regears(['config', '--config', 'broken.json']);
    expect(stderr).toContain('broken.json');
    expect(code).toBe(2);
  });
});
