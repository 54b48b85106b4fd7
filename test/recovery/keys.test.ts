import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor, waitForCount } from '../support/wait.ts';

const TOTAL = 2_000;
const ID = 'seen/keys/user:*';
const STREAM = `rg:{06S}:captured:${ID}`;

test.each(['sync', 'async_local'] as const)(
  'what the listening node has seen is run by the others when it is killed, and one of them listens (%s)',
  { timeout: 300_000 },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    await client.config('SET', 'notify-keyspace-events', 'KEA');
    const first = await startPlatformProcess({ redisUrl: redis.url });
    const source = `GB().foreach(async r => { await execute('HINCRBY', 'seen', r.key, 1); }).register({ prefix: 'user:*', mode: '${mode}', readValue: false, onFailedPolicy: 'retry' });`;
    await first.door.call('RG.FUNCTION', 'LOAD', 'seen', source);
    await waitFor(() => isHeard(client, 'user:probe-1'), { deadlineMs: 60_000, what: 'the first node listens' });
    await using second = await startPlatformProcess({ redisUrl: redis.url });
    const before = await written(client);
    const pipeline = client.pipeline();
    for (let n = 0; n < TOTAL; n += 1) pipeline.set(`user:${n}`, '1');
    await pipeline.exec();
    await waitForCount(() => written(client), before + TOTAL, { what: 'all writes are seen' });
    await first.kill();
    await waitForCount(() => ranAmong(client), TOTAL, { what: 'every event has run' });
    await waitFor(() => isHeard(client, 'user:probe-2'), { deadlineMs: 60_000, what: 'the second node listens' });
    expect(await second.door.set('user:door', '1')).toBe('OK');
    if (mode === 'sync') expect(await client.hget('seen', 'user:door')).toBe('1');
    await first[Symbol.asyncDispose]();
  },
);

test('writes through a door are taken while the server sends no events', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  await platform.door.call(
    'RG.FUNCTION',
    'LOAD',
    'seen',
    "GB().foreach(async r => { await execute('HINCRBY', 'seen', r.key, 1); }).register({ prefix: 'user:*', mode: 'sync' });",
  );
  await Promise.all(Array.from({ length: 500 }, (_, n) => platform.door.set(`user:${n % 50}`, String(n))));
  const counts = await client.hvals('seen');
  expect(counts).toEqual(Array.from({ length: 50 }, () => '10'));
  const report = JSON.stringify(await platform.door.call('RG.DOCTOR'));
  expect(report).toContain('CONFIG SET notify-keyspace-events KEA');
});

type Client = ReturnType<Awaited<ReturnType<typeof startRedis>>['client']>;

/** Events that have ever been written for the registration. */
async function written(client: Client): Promise<number> {
  const info = (await client.xinfo('STREAM', STREAM)) as unknown[];
  return Number(info[info.indexOf('entries-added') + 1]);
}

async function ranAmong(client: Client): Promise<number> {
  const keys = await client.hkeys('seen');
  return keys.filter((key) => /^user:\d+$/.test(key)).length;
}

async function isHeard(client: Client, key: string): Promise<boolean> {
  await client.set(key, '1');
  return (await client.hexists('seen', key)) === 1;
}
