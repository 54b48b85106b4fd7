import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { type Cluster, Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, test } from 'vitest';
import { endsOf, loadFlow, produce, SEEN, STREAM, settled, sumOf } from '../recovery/flow.ts';
import { freePort } from '../support/free-port.ts';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startSentinel } from '../support/redis-sentinel.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

interface User {
  readonly name?: string;
  readonly password: string;
}

/** GET and SET through the door with three clients that people use; with a user they have to AUTH first. */
async function expectDoorToWork(platform: PlatformProcess, user?: User): Promise<void> {
  const port = platform.respPort;
  const cli = async (...args: string[]): Promise<string> => {
    const auth = user
      ? [...(user.name ? ['--user', user.name] : []), '--pass', user.password, '--no-auth-warning']
      : [];
    return (await promisify(execFile)('redis-cli', ['-p', String(port), ...auth, ...args])).stdout.trim();
  };
  expect(await cli('SET', 'seen:cli', '1')).toBe('OK');
  expect(await cli('GET', 'seen:cli')).toBe('1');
  const credentials = user ? { password: user.password, ...(user.name ? { username: user.name } : {}) } : {};
  const ioredis = new Redis({ port, ...credentials });
  expect(await ioredis.set('seen:ioredis', '2')).toBe('OK');
  expect(await ioredis.get('seen:ioredis')).toBe('2');
  ioredis.disconnect();
  for (const RESP of [2, 3] as const) {
    const nodeRedis = createClient({ url: `redis://127.0.0.1:${port}`, RESP, ...credentials });
    await nodeRedis.connect();
    expect(await nodeRedis.set('seen:node', '3')).toBe('OK');
    expect(await nodeRedis.get('seen:node')).toBe('3');
    nodeRedis.destroy();
  }
  if (!user) return;
  const stranger = new Redis({ port, protocol: 2, enableReadyCheck: false });
  stranger.on('error', () => {});
  await expect(stranger.get('seen:cli')).rejects.toThrow(/NOAUTH/);
  await expect(stranger.call('AUTH', ...(user.name ? [user.name] : []), 'wrong')).rejects.toThrow(/WRONGPASS/);
  expect(await stranger.call('AUTH', ...(user.name ? [user.name] : []), user.password)).toBe('OK');
  expect(await stranger.get('seen:cli')).toBe('1');
  stranger.disconnect();
}

const MODES = ['sync', 'async_local', 'async'];
const SOURCE = MODES.map(
  (mode) => `GB('StreamReader').foreach(async (r) => { await execute('INCR', 'seen:${mode}'); })
    .register({ prefix: 'orders:*', mode: '${mode}', onFailedPolicy: 'retry', trimStream: false });
  GB('CommandReader').map(async (a) => (await execute('INCR', 'seen:' + a[1])) + ' ' +
    (await atomic(async (tx) => { await tx.execute('GET', 'seen:tx'); tx.execute('INCR', 'seen:tx'); })).length)
    .register({ trigger: 'ask.${mode}', mode: '${mode}' });`,
).join('\n');

/** Streams and commands in every mode, through a client of the door and one of Redis. */
async function expectFunctionsToWork(door: Redis, redis: Redis | Cluster): Promise<void> {
  await loadFunction(door, 'all', SOURCE);
  for (let n = 0; n < 20; n += 1) await redis.xadd(`orders:${n % 4}`, '*', 'n', String(n));
  for (const mode of MODES) {
    await waitFor(async () => (await redis.get(`seen:${mode}`)) === '20', { what: `mode ${mode}` });
    expect(await door.call('RG.TRIGGER', `ask.${mode}`, `by-${mode}`)).toEqual(['1 1']);
  }
}

const MORE = `GB().foreach((r) => execute('SADD', 'seen:keys', r.key)).register({ prefix: 'orders:key:*', readValue: false, quiet: true });
  GB('ScheduleReader').foreach((r) => execute('INCR', 'seen:ticks')).register({ every: '200ms' });
  GB('ListReader').foreach((r) => execute('SADD', 'seen:items', r.value)).register({ lists: ['orders:list'] });
  GB('PubSubReader').foreach((r) => execute('SADD', 'seen:news', r.message)).register({ channels: ['news'], durable: true });
  GB('CommandReader').map((a) => callNext(...a.slice(1))).register({ hook: 'append', mode: 'sync' });`;

/** Every other kind of trigger, and a batch run over the keys. */
async function expectTheRestToWork(door: Redis, redis: Redis | Cluster): Promise<void> {
  await loadFunction(door, 'more', MORE);
  await redis.set('orders:key:heard', '1');
  await door.set('orders:key:taken', '1');
  expect(await door.append('orders:key:taken', '2')).toBe('2');
  await redis.lpush('orders:list', 'item');
  await redis.publish('news', 'hello');
  const seen = async (): Promise<readonly number[]> => [
    await redis.scard('seen:keys'),
    Math.min(1, Number(await redis.get('seen:ticks'))),
    await redis.scard('seen:items'),
    await redis.scard('seen:news'),
  ];
  await waitFor(async () => (await seen()).join() === '2,1,1,1', { what: 'all have run' });
  const run = "GB('KeysReader').map((r) => r.key).distinct().count().run('orders:key:*')";
  expect(await door.call('RG.JSEXECUTE', run)).toEqual([['2'], []]);
  const id = (await door.call('RG.JSEXECUTE', run, 'UNBLOCKING')) as string;
  expect(await door.call('RG.GETRESULTSBLOCKING', id)).toEqual([['2'], []]);
}

/** The command for the platform's user, as the documentation has it. */
function documentedUser(): string {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const line = /^ACL SETUSER (regears .*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error('docs/operations.md names no user.');
  return line;
}

/** What the platform was not allowed to do; whether it may ask about others is a matter of choice. */
function complaintsOf(platform: PlatformProcess): readonly string[] {
  const lines = platform.log().split('\n');
  return lines.filter((line) => line.includes('NOPERM') && !line.includes('DRYRUN'));
}

describe('an external Redis', () => {
  test('with a password serves functions, and clients of the door bring theirs', async () => {
    await using redis = await startRedis({ password: 'p@s/s' });
    await using platform = await startPlatformProcess({ redisUrl: redis.url });
    await expectDoorToWork(platform, { password: 'p@s/s' });
    const door = new Redis({ port: platform.respPort, password: 'p@s/s' });
    await expectFunctionsToWork(door, redis.client());
    door.disconnect();
  });

  test('needs no more rights for the platform than the documented ones', async () => {
    const aclUsers = ['default off', documentedUser(), 'alice on >secret ~* &* +@all'];
    await using redis = await startRedis({ aclUsers, notifications: 'KEA' });
    const url = redis.url.replace('redis://', 'redis://regears:password@');
    await using platform = await startPlatformProcess({ redisUrl: url, flags: ['--manage-users', 'alice'] });
    await expectDoorToWork(platform, { name: 'alice', password: 'secret' });
    const alice = { username: 'alice', password: 'secret' };
    const door = new Redis({ port: platform.respPort, ...alice });
    await expectFunctionsToWork(door, redis.client(alice));
    await expectTheRestToWork(door, redis.client(alice));
    const stray =
      "GB('CommandReader').map(() => execute('SET', 'foreign', '1')).register({ trigger: 'stray', mode: 'async_local' });";
    await loadFunction(door, 'stray', stray);
    await expect(door.call('RG.TRIGGER', 'stray')).rejects.toThrow(/NOPERM/);
    door.disconnect();
    expect(complaintsOf(platform)).toEqual([]);
  });

  test('that is a cluster needs no more rights either', async () => {
    await using cluster = await startCluster({ primaries: 3, notifications: 'KEA' });
    for (const { client } of cluster.primaries) await client.call('ACL', 'SETUSER', ...documentedUser().split(' '));
    const url = cluster.url.replace('redis+cluster://', 'redis+cluster://regears:password@');
    await using platform = await startPlatformProcess({ redisUrl: url });
    await expectFunctionsToWork(platform.door, cluster.client());
    await expectTheRestToWork(platform.door, cluster.client());
    expect(complaintsOf(platform)).toEqual([]);
  });

  test('over TLS has a door that clients reach without', async () => {
    await using redis = await startRedis({ tls: true });
    await using platform = await startPlatformProcess({ redisUrl: redis.url });
    await expectDoorToWork(platform);
    await expectFunctionsToWork(platform.door, redis.client());
  });

  test('on a unix socket, the embedded one too, has a door on a port', async () => {
    await using redis = await startRedis({ unixSocket: true });
    await using platform = await startPlatformProcess({ redisUrl: redis.socketUrl });
    await expectDoorToWork(platform);
    await using embedded = await startPlatformProcess();
    await expectDoorToWork(embedded);
  });
});

test('a failover by Sentinel in full flow leaves every entry with an end, and the door goes on', {
  timeout: 120_000,
}, async () => {
  await using sentinel = await startSentinel();
  await using platform = await startPlatformProcess({ redisUrl: sentinel.url });
  await expectDoorToWork(platform);
  const group = await loadFlow(platform.door, { mode: 'async_local' });
  const through = new Redis({
    sentinels: [{ host: '127.0.0.1', port: sentinel.sentinelPort }],
    name: sentinel.name,
    replyMapping: 'legacy',
  });
  through.on('error', () => {});
  const producing = produce(through, 40_000);
  await waitFor(async () => (await through.hlen(SEEN)) > 5_000, { what: 'the flow is on' });
  await sentinel.failover();
  await producing;
  await settled(through, group);
  expect(await through.xlen(STREAM)).toBeGreaterThan(5_000);
  // What was not replicated is gone, and its ends with it: both are read where the primary is now.
  await waitFor(async () => sumOf(await endsOf(platform.door, group)) === (await through.xlen(STREAM)), {
    what: 'as many ends as entries',
  });
  await expectDoorToWork(platform);
  through.disconnect();
});

/** A server that says it is Redis 6.2 and knows little. */
async function startOldServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const port = await freePort();
  const info = 'redis_version:6.2.14\r\nloading:0\r\n';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of chunk.toString('latin1').split(/(?=^\*\d+\r\n)/m)) {
        const name = command.split('\r\n')[2]?.toUpperCase();
        if (name === 'INFO') socket.write(`$${info.length}\r\n${info}\r\n`);
        else socket.write(name === 'COMMAND' || name === 'CONFIG' ? '*0\r\n' : '+OK\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

describe('a Redis that will not do is refused in a sentence that says what to do:', () => {
  const refusal = async (redisUrl: string): Promise<string> => {
    try {
      await using platform = await startPlatformProcess({ redisUrl });
      return `started as ${platform.pid}`;
    } catch (error) {
      return String(error);
    }
  };

  test('one that may evict keys', async () => {
    await using redis = await startRedis({ args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'] });
    expect(await refusal(redis.url)).toContain('run CONFIG SET maxmemory-policy noeviction');
  });

  test('one older than 7', async () => {
    await using old = await startOldServer();
    expect(await refusal(old.url)).toContain('is Redis 6.2.14: upgrade it to Redis 7 or later, or to Valkey');
  });

  test('one with another password', async () => {
    await using redis = await startRedis({ password: 'right' });
    expect(await refusal(redis.url.replace('right', 'wrong'))).toContain('WRONGPASS');
  });
});
