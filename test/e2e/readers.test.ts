import { expect, test } from 'vitest';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

/** Parts of a node, as `/readyz` names them. */
async function parts(
  port: number,
): Promise<{ readonly status: number; readonly parts: Readonly<Record<string, string>> }> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  const body = (await response.json()) as { parts: Record<string, string> };
  return { status: response.status, parts: body.parts };
}

test('/readyz tells of readers that have stopped reading, though connections are open, and of readers that read again', async () => {
  await using redis = await startRedis();
  await using proxy = await startFaultProxy({ port: redis.port });
  const quick = ['--block', '100ms', '--read-margin', '100ms', '--scan-interval', '100ms'];
  await using node = await startPlatformProcess({ redisUrl: proxy.url, flags: ['--sandboxes', '1', ...quick] });
  const source =
    "GB('StreamReader').foreach((r) => execute('INCR', 'read')).register({ prefix: 'in', mode: 'async_local' });";
  await loadFunction(node.door, 'reads', source);
  await redis.client().xadd('in', '*', 'a', '1');
  await waitFor(async () => (await redis.client().get('read')) === '1', { what: 'an entry to be read' });
  expect((await parts(node.httpPort)).parts.readers).toBe('ready');
  proxy.silence();
  await waitFor(async () => (await parts(node.httpPort)).parts.readers === 'not ready', {
    what: 'the readers to be missed',
  });
  expect((await parts(node.httpPort)).status).toBe(503);
  proxy.heal();
  await waitFor(async () => (await parts(node.httpPort)).parts.readers === 'ready', {
    what: 'the readers to read again',
  });
  await redis.client().xadd('in', '*', 'a', '2');
  await waitFor(async () => (await redis.client().get('read')) === '2', { what: 'the next entry' });
});

test('an idle registration, and one that is paused, are no readers that have stopped', async () => {
  await using redis = await startRedis();
  const quick = ['--block', '100ms', '--read-margin', '100ms', '--scan-interval', '100ms'];
  await using node = await startPlatformProcess({ redisUrl: redis.url, flags: ['--sandboxes', '1', ...quick] });
  const slow =
    "GB('StreamReader').foreach(async () => { while (!(await execute('EXISTS', 'go'))); }).register({ prefix: 'slow', mode: 'sync' });";
  const { ids } = await loadFunction(node.door, 'slow', slow);
  await loadFunction(node.door, 'idle', "GB('StreamReader').register({ prefix: 'idle', mode: 'async_local' });");
  await loadFunction(node.door, 'other', "GB('StreamReader').register({ prefix: 'other', mode: 'async' });");
  await redis.client().xadd('slow', '*', 'a', '1');
  await redis.client().xadd('slow', '*', 'a', '2');
  const paused = ids[0] ?? '';
  const stop = performance.now() + 2_500;
  await waitFor(
    async () => {
      expect((await parts(node.httpPort)).parts.readers).toBe('ready');
      return performance.now() > stop;
    },
    { what: 'time in which a reader would be missed' },
  );
  await redis.client().set('go', '1');
  await node.door.call('RG.PAUSEREGISTRATIONS', paused);
  expect((await parts(node.httpPort)).parts.readers).toBe('ready');
});
