import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../support/regears.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';

const BIN = fileURLToPath(new URL('../../../scheduler/cli/regears.js', import.meta.url));
/** What tail reads are commands of Redis, which a door passes on; so a Redis is door enough. */
const redis = sharedRedis();

async function tail(...args: string[]) {
  return runCommand(['tail', ...args, '--url', redis.url]);
}

const lines = (stdout: string): unknown[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('what is there now', () => {
  test('is printed a line per entry, fields in their order, and nothing steers the terminal', async () => {
    const client = redis.client();
    await client.xadd(
      's',
      '1700000000000-1',
      'user',
      'ann',
      'text',
      'two words',
      'esc',
      '\x1b[31m',
      'raw',
      Buffer.from([0xff, 0x41]),
    );
    const { stdout } = await tail('s', '--no-follow');
    expect(stdout).toBe(
      '2023-11-14 22:13:20Z 1700000000000-1  user=ann  text="two words"  esc=\\u001b[31m  raw=\\xffA\n',
    );
    expect((await tail('s', '--no-follow', '--long', '--fields', 'user')).stdout).toBe(
      '2023-11-14 22:13:20Z 1700000000000-1\n  user  ann\n',
    );
  });

  test('is exact for programs: bytes as base64, fields as pairs where a name comes twice', async () => {
    const client = redis.client();
    await client.xadd('s', '1-1', 'a', Buffer.from([0xff]), 'b', '');
    await client.xadd('s', '1-2', 'a', '1', 'a', '2');
    expect(lines((await tail('s', '--no-follow', '--json')).stdout)).toEqual([
      { stream: 's', id: '1-1', fields: { a: { base64: '/w==' }, b: '' } },
      {
        stream: 's',
        id: '1-2',
        fields: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
    ]);
  });

  test('begins with the last ones, an id or a time, and ends after a count', async () => {
    const client = redis.client();
    for (let n = 1; n <= 1_200; n += 1) void client.xadd('s', `${n}-0`, 'n', n);
    await client.xadd('t', '3-5', 'n', 't');
    const ids = async (...args: string[]) =>
      lines((await tail(...args, '--json')).stdout).map((each) => (each as { id: string }).id);
    const [last, from, all, merged] = await Promise.all([
      ids('s', '--last', '2', '--no-follow'),
      ids('s', '--from', '7-0', '--count', '2'),
      ids('s', '--no-follow'),
      ids('[st]', '--from', '3-0', '--count', '3'),
    ]);
    expect({ last, from, all: all.length, merged }).toEqual({
      ...{ last: ['1199-0', '1200-0'], from: ['7-0', '8-0'] },
      ...{ all: 1_200, merged: ['3-0', '3-5', '4-0'] },
    });
  });

  test('is told apart from what is no stream', async () => {
    await redis.client().set('text', 'x');
    const [missing, wrong, both] = await Promise.all([
      tail('nosuch', '--no-follow'),
      tail('text', '--last', '1', '--no-follow'),
      tail('s', '--from', 'then'),
    ]);
    expect([missing.code, missing.stderr]).toEqual([
      4,
      expect.stringContaining('STREAM_NOT_FOUND: there is no stream "nosuch"'),
    ]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('WRONGTYPE')]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('--from is "then"')]);
  });
});

test('entries are printed as they come, also of streams that come later and across a lost connection, until Ctrl-C', async () => {
  const client = redis.client();
  await client.xadd('o:1', '1-0', 'n', 'old');
  const child = spawn(process.execPath, [BIN, 'tail', 'o:*', '--json', '--url', redis.url], { stdio: 'pipe' });
  const seen: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => seen.push(line));
  const shows = (text: string): Promise<unknown> =>
    waitFor(() => seen.some((line) => line.includes(text)), { what: text });
  // It has begun when it shows the first one that was written behind its start.
  let n = 0;
  await waitFor(
    async () => {
      n += 1;
      await client.xadd('o:1', '*', 'n', `first-${n}`);
      return seen.length > 0;
    },
    { what: 'a first entry' },
  );
  expect(seen.join()).not.toContain('old');
  await client.xadd('o:2', '*', 'n', 'second');
  await shows('second');
  const ids = (await client.client('LIST')) as string;
  const id = /id=(\d+) [^\n]*name=regears-cli/.exec(ids)?.[1] ?? '';
  await client.call('CLIENT', 'KILL', 'ID', id);
  await client.xadd('o:1', '*', 'n', 'third');
  await shows('third');
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(seen.filter((line) => line.includes('third'))).toHaveLength(1);
});
