import { describe, expect, test } from 'vitest';
import { connectRedis, encodeCommand, type RedisAccess } from '#functions';
import { createAtomicSessions } from '../../../runtime/bindings/atomic-session.ts';
import type { AtomicSession, AtomicSessions } from '../../../runtime/bindings/binding.ts';
import { createCommandPolicy } from '../../../runtime/bindings/command-policy.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';

function sessionsOf(access: RedisAccess, cluster = false): AtomicSessions {
  const policy = createCommandPolicy({ table: access.commands, prefix: 'rg:' });
  return createAtomicSessions({ redis: access, policy, cluster, linksPerShard: 2, waitMs: 200 });
}

function run(session: AtomicSession, ...args: string[]): Promise<string> {
  return session.command(encodeCommand(args));
}

describe('atomic sessions', () => {
  test('read at once, queue writes and commit them together', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    await access.client.set('k', '5');
    const session = sessions.open();
    expect(await run(session, 'GET', 'k')).toBe('$1\r\n5\r\n');
    expect(await run(session, 'SET', 'k', '6')).toBe('+QUEUED\r\n');
    expect(await run(session, 'INCR', 'n')).toBe('+QUEUED\r\n');
    expect(await access.client.get('k')).toBe('5');
    expect(await session.commit()).toBe('*2\r\n+OK\r\n:1\r\n');
    expect(await access.client.get('k')).toBe('6');
    expect(await run(session, 'GET', 'k')).toContain('has ended');
  });

  test('a watched key that somebody else changed refuses the commit', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    const session = sessions.open();
    await run(session, 'GET', 'k');
    await run(session, 'SET', 'k', 'mine');
    await access.client.set('k', 'theirs');
    expect(await session.commit()).toBe('*-1\r\n');
    expect(await access.client.get('k')).toBe('theirs');
  });

  test('a discarded session leaves no watch behind on its connection', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    const first = sessions.open();
    await run(first, 'GET', 'k');
    await first.discard();
    await first.discard();
    await access.client.set('k', 'changed');
    const second = sessions.open();
    await run(second, 'GET', 'other');
    await run(second, 'SET', 'other', '1');
    expect(await second.commit()).toBe('*1\r\n+OK\r\n');
  });

  test('a forbidden command is an error reply, and nothing of the transaction happens', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    const session = sessions.open();
    await run(session, 'GET', 'k');
    await run(session, 'SET', 'k', '1');
    expect(await run(session, 'FLUSHALL')).toContain('COMMAND_FORBIDDEN FLUSHALL');
    expect(await run(session, 'GET', 'rg:x')).toContain('COMMAND_FORBIDDEN GET');
    expect(await session.commit()).toContain('COMMAND_FORBIDDEN FLUSHALL');
    expect(await access.client.get('k')).toBeNull();
  });

  test('keys in different slots are named, and nothing of the transaction happens', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access, true);
    const session = sessions.open();
    await run(session, 'SET', 'a', '1');
    expect(await run(session, 'SET', '{a}b', '1')).toBe('+QUEUED\r\n');
    expect(await run(session, 'SET', 'b', '1')).toMatch(/^-CROSS_SLOT .*"a" and "b".*\r\n$/);
    expect(await session.commit()).toContain('CROSS_SLOT');
    expect(await access.client.get('a')).toBeNull();
  });

  test('a command that the server refuses is the answer of the commit', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    const session = sessions.open();
    await run(session, 'SET', 'k');
    expect(await session.commit()).toMatch(/^-ERR wrong number of arguments/);
  });

  test('more sessions than connections wait, and are told when none becomes free', async () => {
    await using redis = await startRedis();
    await using access = await connectRedis({ url: redis.url });
    await using sessions = sessionsOf(access);
    const [one, two, three] = [sessions.open(), sessions.open(), sessions.open()];
    await Promise.all([run(one, 'GET', 'k'), run(two, 'GET', 'k')]);
    await expect(run(three, 'GET', 'k')).rejects.toMatchObject({ code: 'ATOMIC_REFUSED' });
    const fourth = run(sessions.open(), 'GET', 'k');
    await one.discard();
    expect(await fourth).toBe('$-1\r\n');
  });

  test('a connection that was lost in between refuses the commit', async () => {
    await using redis = await startRedis();
    await using proxy = await startFaultProxy({ port: redis.port });
    await using access = await connectRedis({ url: `redis://127.0.0.1:${proxy.port}` });
    await using sessions = sessionsOf(access);
    const session = sessions.open();
    await run(session, 'GET', 'k');
    await run(session, 'SET', 'k', 'mine');
    const client = redis.client();
    proxy.drop();
    await waitFor(() => proxy.open > 0, { what: 'the connections are back' });
    await expect(session.commit()).rejects.toMatchObject({ code: 'REDIS_LINK_LOST' });
    expect(await client.get('k')).toBeNull();
  });
});
