import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitForCount } from '../support/wait.ts';

const STREAMS = Array.from({ length: 6 }, (_, n) => `in:${n}`);
const HEARTBEAT_TIMEOUT_MS = 2_500;

const SOURCE = `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('RPUSH', 'order:' + r.key, r.value.n); })
  .register({ prefix: 'in:*', mode: 'sync', batch: 20, onFailedPolicy: 'retry' });`;

test('sync keeps its order when a node is suspended until the other has taken its streams, and wakes up', {
  timeout: 300_000,
}, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  const flags = ['--heartbeat-timeout', `${HEARTBEAT_TIMEOUT_MS}ms`, '--block', '1s', '--sandboxes', '1'];
  await using first = await startPlatformProcess({ redisUrl: redis.url, flags });
  await using second = await startPlatformProcess({ redisUrl: redis.url, flags });
  await first.door.call('RG.FUNCTION', 'LOAD', 'order', SOURCE);
  let n = 0;
  const produce = async (forMs: number): Promise<void> => {
    for (const endMs = performance.now() + forMs; performance.now() < endMs; n += 10) {
      const pipeline = client.pipeline();
      for (const stream of STREAMS) for (let i = 0; i < 10; i += 1) pipeline.xadd(stream, '*', 'n', String(n + i));
      await Promise.all([pipeline.exec(), pause(10)]);
    }
  };
  await produce(500);
  for (const node of [first, second]) {
    node.signal('SIGSTOP');
    // The subject of the test: others must have taken over, and be in full flow.
    await produce(HEARTBEAT_TIMEOUT_MS + 700);
    node.signal('SIGCONT');
    await produce(700);
  }
  const expected = Array.from({ length: n }, (_, at) => at);
  for (const stream of STREAMS) {
    const firsts = async (): Promise<readonly string[]> => [...new Set(await client.lrange(`order:${stream}`, 0, -1))];
    await waitForCount(async () => (await firsts()).length, n, { what: `all of ${stream} have run` });
    expect((await firsts()).map(Number)).toEqual(expected);
  }
});
