import { describe, expect, test } from 'vitest';
import {
  connectRedis,
  decodeReplies,
  decodeReply,
  encodeCommand,
  PlatformError,
  type RawLink,
  type RedisAccess,
} from '#functions';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { clientNames, withoutLeaks } from '../../support/leaks.ts';
import { startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';

const command = (text: string): string => encodeCommand(text.split(' '));
const PING = command('PING');

async function openRaw(access: RedisAccess, name = 'raw'): Promise<RawLink> {
  const [shard] = access.shards();
  if (!shard) throw new Error('no shard');
  const link = access.openRaw(shard, name);
  await link.send(PING, 1);
  return link;
}

describe('a raw link', () => {
  test('moves text of many replies, binary and large ones too, and leaves nothing behind', async () => {
    await using redis = await startRedis();
    const watcher = redis.client();
    await watcher.ping();
    await withoutLeaks(async () => {
      await using access = await connectRedis({ url: redis.url });
      await using link = await openRaw(access, 'my link');
      expect(await clientNames(watcher, 'my-link')).toHaveLength(1);
      const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)).repeat(20_000);
      const set = encodeCommand(['SET', 'k', bytes]);
      const [a, b, c] = await Promise.all([
        link.send(set + command('GET k'), 2),
        link.send(command('NOSUCH') + command('LRANGE l 0 -1'), 2),
        link.send('', 0),
      ]);
      expect(decodeReplies(a)).toEqual(['OK', bytes]);
      expect(decodeReplies(b)).toMatchObject([{ code: 'ERR' }, []]);
      expect(c).toBe('');
    }, watcher);
  });

  test('calls are answered in the order they were made, each with its own replies', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using link = await openRaw(access);
    const calls = Array.from({ length: 3_000 }, (_, i) =>
      link.send(command(`ECHO ${i}`).repeat(1 + (i % 3)), 1 + (i % 3)),
    );
    const answers = await Promise.all(calls);
    answers.forEach((answer, i) => {
      expect(decodeReplies(answer)).toEqual(new Array(1 + (i % 3)).fill(String(i)));
    });
  });

  test('a reply cut in the middle rejects what was written and keeps what was not', async () => {
    await using redis = await startRedis();
    await using proxy = await startFaultProxy(redis);
    await using access = await connectRedis({ url: proxy.url });
    await using link = await openRaw(access);
    await redis.client().set('k', 'x'.repeat(100_000));
    let ready = 0;
    link.onReady(() => ready++);
    proxy.cutAfter(50_000);
    const inFlight = link.send(command('GET k'), 1);
    const lost = inFlight.then(
      () => null,
      (error: unknown) => error,
    );
    await expect(inFlight).rejects.toThrow(PlatformError);
    expect(await lost).toMatchObject({ code: 'REDIS_LINK_LOST', retryable: true, details: { written: true } });
    expect(link.connected).toBe(false);
    expect(decodeReply(await link.send(command('STRLEN k'), 1))).toBe(100_000);
    expect(ready).toBe(1);
  });

  test('calls wait while the server is gone, and what a listener sends goes first', async () => {
    await using redis = await startRedis({ aof: true });
    await using access = await connectRedis({ url: redis.url });
    await using link = await openRaw(access);
    await redis.kill();
    await waitFor(() => !link.connected, { what: 'the link notices' });
    const order: string[] = [];
    link.onReady(() => void link.send(command('RPUSH l first'), 1).then(() => order.push('first')));
    const waiting = link.send(command('RPUSH l second'), 1).then(() => order.push('second'));
    const control = access.client.set('c', '1');
    await redis.restart();
    await waiting;
    expect(order).toEqual(['first', 'second']);
    expect(await control).toBe('OK');
    expect(decodeReply(await link.send(command('LRANGE l 0 -1'), 1))).toEqual(['first', 'second']);
  });

  test('reset ends a blocking read and the link goes on', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using link = await openRaw(access);
    const blocked = link.send(command('BLPOP nothing 0'), 1);
    await waitFor(async () => (await redis.client().info('clients')).includes('blocked_clients:1'), {
      what: 'it blocks',
    });
    link.reset();
    await expect(blocked).rejects.toThrow('was reset');
    expect(await link.send(PING, 1)).toBe('+PONG\r\n');
  });

  test('a half-open connection is left by reset; a pipe notices by itself', async () => {
    await using redis = await startRedis();
    await using proxy = await startFaultProxy(redis);
    await using access = await connectRedis({ url: proxy.url, stallMs: 200, connectTimeoutMs: 500 });
    await using link = await openRaw(access);
    await using pipe = access.openPipe('pipe');
    await pipe.send(PING, 1);
    proxy.silence();
    const stalled = pipe.send(PING, 1);
    const silent = link.send(PING, 1);
    await expect(stalled).rejects.toThrow('nobody knows');
    link.reset();
    await expect(silent).rejects.toThrow('was reset');
    proxy.heal();
    expect(await link.send(PING, 1)).toBe('+PONG\r\n');
    expect(await pipe.send(PING, 1)).toBe('+PONG\r\n');
  });

  test('closing rejects every call and says which were not sent', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    const link = await openRaw(access);
    const blocked = link.send(command('BLPOP nothing 0'), 1).catch((error: PlatformError) => error.details.written);
    await waitFor(async () => (await redis.client().info('clients')).includes('blocked_clients:1'), {
      what: 'it blocks',
    });
    const late = link.send(PING, 1).catch((error: PlatformError) => error.details.written);
    await link[Symbol.asyncDispose]();
    expect(await blocked).toBe(true);
    expect(await late).toBe(false);
    await expect(link.send(PING, 1)).rejects.toThrow('has been closed');
  });

  test('a server that has become a replica is left, other errors are not', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using link = await openRaw(access);
    let ready = 0;
    link.onReady(() => ready++);
    expect(await link.send(encodeCommand(['EVAL', "return redis.error_reply('READONLY forged')", '0']), 1)).toMatch(
      /^-READONLY/,
    );
    expect(await link.send(PING, 1)).toBe('+PONG\r\n');
    expect(ready).toBe(0);
    await redis.client().replicaof('127.0.0.1', '1');
    await waitFor(
      async () => {
        await link.send(command('SET k v'), 1).catch(() => {});
        return ready > 0;
      },
      { what: 'the link to connect anew' },
    );
  });
});
