import { describe, expect, test } from 'vitest';
import { connectRedis, encodeCommand, type RedisAccess } from '#functions';
import { freePort } from '../../support/free-port.ts';
import { withoutLeaks } from '../../support/leaks.ts';
import { startRedis } from '../../support/redis.ts';
import { startSentinel } from '../../support/redis-sentinel.ts';
import { waitFor } from '../../support/wait.ts';

async function ping(access: RedisAccess): Promise<string> {
  await using pipe = access.openPipe('pipe');
  return await pipe.send(encodeCommand(['PING']), 1);
}

describe('connecting', () => {
  test('a password, an ACL user, TLS and a unix socket', async () => {
    await using redis = await startRedis({ password: 'p@s/s', unixSocket: true, notifications: 'KEA', aof: true });
    await withoutLeaks(async () => {
      await using access = await connectRedis({ url: redis.url });
      expect(access.facts).toMatchObject({
        product: 'redis',
        topology: 'single',
        evictionPolicy: 'noeviction',
        aofEnabled: true,
        rdbEnabled: false,
        aclDryRun: true,
      });
      expect(access.facts.notifications).toContain('E');
      expect(await ping(access)).toBe('+PONG\r\n');
      expect(access.endpointOf(access.shards()[0] as never)).toEqual({ host: '127.0.0.1', port: redis.port });
      await using local = await connectRedis({ url: redis.socketUrl.replace('unix://', 'unix://:p%40s%2Fs@') });
      expect(await ping(local)).toBe('+PONG\r\n');
      expect(local.endpointOf(local.shards()[0] as never)).toHaveProperty('path');
    });
  });

  test('an ACL user over TLS, and a certificate that nobody vouches for is refused', async () => {
    await using redis = await startRedis({ tls: true, aclUsers: ['app on >secret ~* &* +@all'] });
    await using access = await connectRedis({ url: redis.url.replace('rediss://', 'rediss://app:secret@') });
    expect(await access.client.call('ACL', 'WHOAMI')).toBe('app');
    expect(await ping(access)).toBe('+PONG\r\n');
    const url = `rediss://127.0.0.1:${redis.port}`;
    await expect(connectRedis({ url, connectTimeoutMs: 200 })).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await expect(connectRedis({ url: `${url}?ca=/no/such/file` })).rejects.toThrow("'/no/such/file'");
    await using trusting = await connectRedis({ url: `${url}?rejectUnauthorized=false` });
    expect(await ping(trusting)).toBe('+PONG\r\n');
  });

  test('a user without CONFIG gets by with what INFO tells', async () => {
    await using redis = await startRedis({ aclUsers: ['app on >secret ~* &* +@all -config'] });
    await using access = await connectRedis({ url: redis.url.replace('redis://', 'redis://app:secret@') });
    expect(access.facts).toMatchObject({
      evictionPolicy: 'noeviction',
      notifications: null,
      rdbEnabled: null,
      aofEnabled: false,
    });
  });

  test('nobody there, a wrong password, an evicting policy and a cluster node are told in a sentence', async () => {
    await using redis = await startRedis({
      password: 'right',
      args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
    });
    await using node = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    });
    await withoutLeaks(async () => {
      const wrong = redis.url.replace('right', 'wrong');
      await expect(connectRedis({ url: wrong })).rejects.toThrow(/redis:\/\/:\*\*\*@.*WRONGPASS/);
      await expect(connectRedis({ url: redis.url })).rejects.toMatchObject({
        code: 'REDIS_UNSUITABLE',
        message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
      });
      await expect(connectRedis({ url: node.url })).rejects.toThrow('redis+cluster://');
      await expect(
        connectRedis({ url: `redis://127.0.0.1:${await freePort()}`, connectTimeoutMs: 150 }),
      ).rejects.toThrow('ECONNREFUSED');
    });
  });

  test('an evicting policy without a memory limit evicts nothing and is accepted', async () => {
    await using redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    await using access = await connectRedis({ url: redis.url });
    expect(access.facts.evictionPolicy).toBe('allkeys-lru');
  });

  test('tags, slots and own clients of a single server', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    expect(access.tagOf('any')).toBe('06S');
    const [shard] = access.shards();
    expect(shard).toEqual({ id: 'single', host: '127.0.0.1', port: redis.port });
    expect(access.shardOf('any')).toBe(shard);
    const client = access.openClient(shard as never, 'subscriber');
    const queue = access.openQueueClient('queue');
    expect(await client.client('GETNAME')).toBe('subscriber');
    expect(await queue.ping()).toBe('PONG');
    client.disconnect();
    queue.disconnect();
  });
});

test('through sentinels, a failover ends at the new primary', async () => {
  await using sentinel = await startSentinel();
  await using access = await connectRedis({ url: sentinel.url });
  expect(access.facts.topology).toBe('sentinel');
  expect(access.shards()[0]?.port).toBe(sentinel.primary.port);
  let changes = 0;
  access.onTopologyChange(() => changes++);
  await using pipe = access.openPipe('pipe');
  const [shard] = access.shards();
  await using link = access.openRaw(shard as never, 'link');
  const set = encodeCommand(['SET', 'k', 'v']);
  expect(await pipe.send(set, 1)).toBe('+OK\r\n');
  await sentinel.failover();
  const arrived = async (send: () => Promise<string>): Promise<boolean> => (await send()) === '+OK\r\n';
  for (const target of [pipe, link]) {
    await waitFor(() => arrived(() => target.send(set, 1)), { what: 'a write at the new primary' });
  }
  await waitFor(() => access.shards()[0]?.port === sentinel.replica.port, { what: 'the shard to be the new primary' });
  expect(changes).toBeGreaterThan(0);
  expect(await access.client.set('control', '1')).toBe('OK');
});
