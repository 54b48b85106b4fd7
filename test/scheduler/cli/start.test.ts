import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeSampleLog } from '../../../scheduler/cli/demo/sample-log.ts';
import { startPlatformProcess } from '../../support/platform.ts';
import { startRedis } from '../../support/redis.ts';
import { runRegears } from '../../support/regears.ts';
import { waitFor } from '../../support/wait.ts';

const directory = mkdtempSync(join(tmpdir(), 'regears-start-'));
afterAll(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

// Most of each is waiting, so they wait together.
test.concurrent('SIGTERM ends a node gracefully with exit code 0, also when it arrives twice at once', async () => {
  await using platform = await startPlatformProcess();
  platform.signal('SIGTERM');
  expect(await platform.stop()).toBe(0);
  expect(platform.log()).toContain('"msg":"stopped"');
});

test.concurrent('a second signal that comes later ends the node at once', async () => {
  const source = `new GearsBuilder('StreamReader').foreach(async () => { await execute('SET', 'running', 1); await new Promise(() => {}); })
    .register({ prefix: 's', mode: 'async_local' });`;
  await using redis = await startRedis();
  await using platform = await startPlatformProcess({
    redisUrl: redis.url,
    flags: ['--drain-timeout', '50s', '--limit-execution-ms', '1m'],
  });
  await platform.door.call('RG.FUNCTION', 'LOAD', 'endless', source);
  await platform.door.xadd('s', '*', 'f', 'v');
  await waitFor(async () => (await platform.door.get('running')) === '1', { what: 'the function runs' });
  platform.signal('SIGINT');
  await waitFor(() => platform.log().includes('"msg":"stopping"'), { what: 'the graceful stop began' });
  const repeat = setInterval(() => platform.signal('SIGINT'), 50);
  try {
    expect(await platform.stop()).toBe(1);
  } finally {
    clearInterval(repeat);
  }
});

test.concurrent('a port that is taken ends with 2 and names the port and the flag', async () => {
  await using platform = await startPlatformProcess();
  await using redis = await startRedis();
  const start = async (flag: string, other: string, port: number): Promise<void> => {
    const starting = runRegears(['start', '--redis', redis.url, other, '0', flag, String(port)]);
    expect(await starting).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`another program listens at 127.0.0.1:${port}.*${flag}`)),
    });
  };
  await Promise.all([
    start('--resp-port', '--http-port', platform.respPort),
    start('--http-port', '--resp-port', platform.httpPort),
  ]);
  await platform.stop();
});

test
  .runIf(process.platform === 'linux')
  .concurrent('a data directory that cannot be made ends with 2 and names setting and value', async () => {
    const starting = runRegears(['start', '--data-dir', '/proc/nope', '--resp-port', '0', '--http-port', '0']);
    expect(await starting).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CONFIG_INVALID: data-dir is /proc/nope, which cannot be used:'),
    });
  });

test.concurrent('a Redis that is not there ends with 3 and its address', async () => {
  const starting = runRegears(['start', '--redis', 'redis://127.0.0.1:1', '--resp-port', '0', '--http-port', '0']);
  expect(await starting).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('REDIS_UNREACHABLE: no Redis can be used at redis://127.0.0.1:1'),
  });
});

test.concurrent('the demo deploys the examples, counts its whole sample, and ends when it is told to', async () => {
  const args = [
    'demo',
    '--exit',
    '--json',
    '--lines',
    '1000',
    '--resp-port',
    '0',
    '--http-port',
    '0',
    '--data-dir',
    directory,
  ];
  const { stdout } = await runRegears(args);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events[0]).toMatchObject({ event: 'ready' });
  const deployed = events.filter(({ event }) => event === 'deployed').map(({ name }) => name);
  expect(deployed).toEqual(expect.arrayContaining(['access-log', 'clicks', 'greet']));
  const sample = makeSampleLog(1000);
  expect(events.at(-1)).toEqual({ event: 'counted', entries: 1000 + sample.clicks.length });
});

test.concurrent('the sample log is the same for the same seed, and each line is one of the combined format', () => {
  const { lines } = makeSampleLog(500, 7);
  expect(makeSampleLog(500, 7).lines).toEqual(lines);
  expect(makeSampleLog(500, 8).lines).not.toEqual(lines);
  for (const line of lines) {
    expect(line).toMatch(
      /^[\d.]+ - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "(GET|POST) \S+ HTTP\/1\.1" \d{3} \d+ "[^"]*" "[^"]*"$/,
    );
  }
});
