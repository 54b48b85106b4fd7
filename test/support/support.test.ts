import { expect, test } from 'vitest';
import { startFaultProxy } from './fault-proxy.ts';
import { clientNames, withoutLeaks } from './leaks.ts';
import { startRedis } from './redis.ts';
import { startCluster } from './redis-cluster.ts';
import { startSentinel } from './redis-sentinel.ts';
import { waitFor } from './wait.ts';

test('a private server keeps its data over kill and restart with an append-only file', async () => {
  await using redis = await startRedis({ aof: true, password: 'p@ss' });
  const client = redis.client();
  await client.set('k', 'v');
  await redis.kill();
  await redis.restart();
  expect(await client.get('k')).toBe('v');
});

test('TLS, unix socket and ACL users are available', async () => {
  await using redis = await startRedis({ tls: true, unixSocket: true, aclUsers: ['app on >secret ~* &* +@all'] });
  expect(await redis.client().ping()).toBe('PONG');
  expect(await redis.client({ username: 'app', password: 'secret' }).acl('WHOAMI')).toBe('app');
  expect(redis.socketUrl).toMatch(/^unix:\/\/\//);
});

test('a cluster is ok on every node and can move a slot', async () => {
  await using cluster = await startCluster({ primaries: 3 });
  const client = cluster.client();
  await client.set('a', '1');
  const [first, second] = cluster.primaries;
  if (!first || !second) throw new Error('no primaries');
  await cluster.moveSlot(15495, first);
  expect(await first.client.get('a')).toBe('1');
  expect(await client.get('a')).toBe('1');
});

test('a sentinel promotes the replica', async () => {
  await using sentinel = await startSentinel();
  expect(await sentinel.primaryPort()).toBe(sentinel.primary.port);
  await sentinel.failover();
  expect(await sentinel.primaryPort()).toBe(sentinel.replica.port);
});

test('the proxy cuts in the middle of a reply, falls silent and heals', async () => {
  await using redis = await startRedis();
  await using proxy = await startFaultProxy(redis);
  const watcher = redis.client();
  await withoutLeaks(async () => {
    const client = redis.client({ port: proxy.port, maxRetriesPerRequest: 0, connectionName: 'proxied' });
    expect(await client.ping()).toBe('PONG');
    expect(await clientNames(watcher, 'proxied')).toHaveLength(1);
    proxy.cutAfter(3);
    await expect(client.ping()).rejects.toThrow();
    await waitFor(() => proxy.accepted === 2, { what: 'the client has come back' });
    proxy.silence();
    client.disconnect();
    proxy.heal();
  }, watcher);
});
