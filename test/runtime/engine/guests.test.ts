import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { encodeBulk } from '#functions';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { invocationOf } from '../scripted/invocations.ts';
import { startRuntime } from '../scripted/runtime.ts';

function stream(steps: string): string {
  return `new GearsBuilder('StreamReader')${steps}.register({ prefix: 's' });`;
}

function calls(...args: string[][]): string {
  const lists = args.map((list) => `*${list.length}\r\n${list.map(encodeBulk).join('')}`);
  return `*${lists.length}\r\n${lists.join('')}`;
}

describe('real guests', () => {
  test('a thousand entries in one batch count what they should', async () => {
    await using world = await startRuntime();
    const code = stream(".foreach(async (r) => { await execute('HINCRBY', 'users', r.value.user, 1) })");
    const { invocation, ends } = invocationOf({ code, entries: 1000 });
    expect(await world.runtime.execute(invocation)).toMatchObject({ done: 1000, commands: 1000, executions: 1000 });
    expect(new Set(ends.done).size).toBe(1000);
    expect(await world.access.client.hget('users', 'u7')).toBe('10');
  });

  test('filters, failures and successes are told apart entry by entry', async () => {
    await using world = await startRuntime();
    const code = stream(`
      .filter((r) => r.value.user !== 'u1')
      .foreach((r) => { if (r.value.user === 'u2') throw new TypeError('not you'); })`);
    const { invocation, ends } = invocationOf({ code, entries: 4 });
    await world.runtime.execute(invocation);
    expect([...ends.done].sort()).toEqual([0, 3]);
    expect(ends.filtered).toEqual([1]);
    expect(ends.failed).toMatchObject([
      { index: 2, kind: 'guest', error: { code: 'GUEST_ERROR', name: 'TypeError', message: 'not you' } },
    ]);
    expect(ends.failed[0]?.error.stack).toContain('f.js:3:');
  });

  test('in order, an execution begins after the one before has ended', async () => {
    await using world = await startRuntime();
    const code = stream(`.foreach(async (r) => {
      await execute('RPUSH', 'log', 'begin ' + r.id);
      await execute('RPUSH', 'log', 'end ' + r.id);
    })`);
    const { invocation } = invocationOf({ code, entries: 20, fields: { ordered: true } });
    await world.runtime.execute(invocation);
    const log = await world.access.client.lrange('log', 0, -1);
    expect(log).toHaveLength(40);
    expect(log).toEqual(
      Array.from({ length: 20 }, (_, at) => [`begin 1700000000000-${at}`, `end 1700000000000-${at}`]).flat(),
    );
  });

  test('commands nobody awaits happen before their entry ends', async () => {
    await using world = await startRuntime();
    const code = stream(".foreach((r) => { execute('INCR', 'n'); })");
    const { invocation } = invocationOf({ code, entries: 100 });
    await world.runtime.execute(invocation);
    expect(await world.access.client.get('n')).toBe('100');
  });

  test('results go back to the one who asked', async () => {
    await using world = await startRuntime();
    const code = "new GearsBuilder('CommandReader').map((args) => 'hello ' + args[1]).register({ trigger: 'greet' });";
    const { invocation, ends } = invocationOf({
      code,
      entries: 2,
      fields: { shape: 'command', wantResults: true, payload: calls(['greet', 'ann'], ['greet', 'bob']) },
    });
    await world.runtime.execute(invocation);
    expect(ends.results).toEqual(['*1\r\n$9\r\nhello ann\r\n', '*1\r\n$9\r\nhello bob\r\n']);
  });

  test('transactions with reads are tried again until nobody interferes', async () => {
    await using world = await startRuntime();
    const code = stream(`.foreach(async () => {
      await atomic(async (tx) => {
        const n = Number((await tx.execute('GET', 'n')) ?? 0);
        tx.execute('SET', 'n', n + 1);
      });
    })`);
    const { invocation, ends } = invocationOf({ code, entries: 12 });
    await world.runtime.execute(invocation);
    expect(ends.failed).toEqual([]);
    expect(await world.access.client.get('n')).toBe('12');
  });

  test('groups of writes are one transaction each', async () => {
    await using world = await startRuntime();
    const code = stream(".foreach(() => atomic(() => { execute('INCR', 'a'); execute('INCR', 'b'); }))");
    const { invocation, ends } = invocationOf({ code, entries: 10 });
    await world.runtime.execute(invocation);
    expect(ends.failed).toEqual([]);
    expect(await world.access.client.mget('a', 'b')).toEqual(['10', '10']);
    expect(await world.access.client.info('commandstats')).toMatch(/cmdstat_exec:calls=10/);
  });

  test('what a source registers is reported with ids', async () => {
    await using world = await startRuntime();
    const { invocation } = invocationOf({ code: stream('.foreach(() => {})'), name: 'clicks' });
    const manifest = await world.runtime.inspect(invocation.target);
    expect(manifest.registrations.map(({ id }) => id)).toEqual(['clicks/stream/s']);
    const broken = invocationOf({ code: 'const x = ;\n', name: 'broken' });
    await expect(world.runtime.inspect(broken.invocation.target)).rejects.toMatchObject({
      code: 'GUEST_SYNTAX',
      message: expect.stringContaining('broken.js:1'),
    });
    const endless = invocationOf({ code: 'for (;;);', name: 'endless', limits: { callMs: 100 } });
    await expect(world.runtime.inspect(endless.invocation.target)).rejects.toMatchObject({ code: 'LIMIT_CALL_TIME' });
  });
});

describe('recovery', () => {
  test('after a kill the next entry runs in a process that stood ready before', async () => {
    await using world = await startRuntime();
    await waitFor(() => world.runtime.inspectPool().every((info) => info.residentBytes > 30e6), { what: 'warm' });
    const code = stream('.foreach(() => {})');
    await world.runtime.execute(invocationOf({ code }).invocation);
    const before = world.runtime.inspectPool();
    const victim = before.find((info) => info.versions.length > 0);
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await waitFor(
      async () =>
        (await world.runtime.execute(invocationOf({ code }).invocation)).done === 1 && isGone(victim?.pid ?? 0),
      { what: 'the entry runs', intervalMs: 1 },
    );
    const heir = world.runtime.inspectPool().find((info) => info.versions.length > 0);
    expect(before.map(({ pid }) => pid)).toContain(heir?.pid);
    expect(heir?.pid).not.toBe(victim?.pid);
  });

  test('an execution that Redis keeps waiting is interrupted, not failed', async () => {
    await using redis = await startRedis();
    await using proxy = await startFaultProxy({ port: redis.port });
    await using world = await startRuntime({ redisUrl: proxy.url });
    const code = stream(".foreach(async () => { await execute('INCR', 'n'); })");
    await world.runtime.execute(invocationOf({ code }).invocation);
    proxy.silence();
    const { invocation, ends } = invocationOf({ code, limits: { executionMs: 100 } });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]).toMatchObject({ kind: 'interrupted', error: { code: 'LIMIT_EXECUTION_TIME' } });
    proxy.heal();
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
