import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  commandCall,
  expectRetrySafe,
  loadFunction,
  openRedis,
  startRedis,
  streamEntries,
  type TestRedis,
} from '../../../scheduler/testing/index.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

/** A function whose one callback is this text. */
function withBody(body: string, register = `{ prefix: 'events', mode: 'sync' }`) {
  const source = `GB('StreamReader')\n.foreach(async (r) => {\n${body}\n}).register(${register});`;
  return loadFunction({ source, name: 'handler', redis });
}

const event = streamEntries('events', ['5-0', { user: 'ann', points: 3 }]);

/** The complaint about a body; '' when there is none. */
async function complaint(body: string, options: Parameters<typeof expectRetrySafe>[2] = {}): Promise<string> {
  await using fn = await withBody(body);
  try {
    await expectRetrySafe(fn, event, options);
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'NOT_RETRY_SAFE' });
    return (error as Error).message;
  }
}

describe('a function is safe to retry', () => {
  test.each([
    ['that writes the same values', `await execute('SET', 'a', r.value.user); await execute('HSET', 'h', 'f', 1);`],
    ['that writes sets', `await execute('SADD', 's', r.value.user); await execute('ZADD', 'z', 3, r.value.user);`],
    [
      'that notes what it has done in the same transaction',
      `await atomic(async (tx) => {
         if (await tx.execute('SISMEMBER', 'done', r.id)) return;
         tx.execute('SADD', 'done', r.id);
         tx.execute('INCRBY', 'points', r.value.points);
       });`,
    ],
    ['that writes the time, which stands still by default', `await execute('SET', 'at', Date.now());`],
    ['that writes nothing', `await execute('GET', 'a');`],
  ])('%s', async (_what, body) => {
    expect(await complaint(body)).toBe('');
  });

  test('with a report of what was tried', async () => {
    await using fn = await withBody(
      `for (let i = 0; i < 4; i++) await execute('SET', 'k' + i, 1); await execute('GET', 'k0');`,
    );
    const report = await expectRetrySafe(fn, [event, event]);
    // Per event: behind each write but the last, before the acknowledgement, and twice.
    expect(report.trials).toBe(2 * (3 + 1 + 1));
    expect(report.commands).toHaveLength(10);
    expect((await expectRetrySafe(fn, event, { maxCrashes: 2 })).trials).toBe(3);
  });
});

describe('a function is not safe to retry', () => {
  test('that counts: the message has the key, the command and its line', async () => {
    const message = await complaint(
      `await execute('SET', 'a', 1);\nawait execute('INCR', 'n');\nawait execute('SET', 'b', 1);`,
    );
    expect(message).toBe(
      [
        'handler is not safe to retry: killed after command 2 and run again, it leaves something else in Redis than a clean run',
        '  n: is 2, after a clean run 1',
        '  because of INCR n (handler.ts:4:7), which happened 2 times instead of 1',
        "    3 | await execute('SET', 'a', 1);",
        "  > 4 | await execute('INCR', 'n');",
        '      |       ^',
        "    5 | await execute('SET', 'b', 1);",
      ].join('\n'),
    );
  });

  test('whose guard is not in the same transaction', async () => {
    const body = `if (await execute('SADD', 'done', r.id)) await execute('INCR', 'n');`;
    const message = await complaint(body);
    expect(message).toContain('killed after command 1');
    expect(message).toContain('n: the string of a clean run is missing');
    expect(message).toContain('INCR n (handler.ts:3:');
  });

  test('that appends', async () => {
    expect(await complaint(`await execute('RPUSH', 'list', r.value.user);`)).toContain(
      'list: element 1 of the list is ann, after a clean run it is not there',
    );
    expect(await complaint(`await execute('XADD', 'out', '*', 'user', r.value.user);`)).toMatch(
      /out: entry 1 of the stream is "user ann"/,
    );
  });

  test('that makes names or values by chance', async () => {
    expect(await complaint(`await execute('SET', 'order:' + Math.random(), 1);`)).toMatch(
      /order:0\.\d+: there is a string, after a clean run there is nothing[\s\S]*which a clean run does not send/,
    );
  });

  test('that writes the time, where it moves on until the retry', async () => {
    const body = `await execute('SET', 'at', Date.now());`;
    expect(await complaint(body, { retryAfterMs: 1000 })).toMatch(/at: is \d+, after a clean run \d+/);
    expect(await complaint(body, { retryAfterMs: 1000, ignore: ['a?'] })).toBe('');
  });

  test('that keeps in memory what it should have written', async () => {
    const source = `let known = false;
      GB('StreamReader').foreach(async () => {
        if (!known) await execute('INCR', 'users');
        known = true;
      }).register({ prefix: 'events', mode: 'sync' });`;
    await using fn = await loadFunction({ source, name: 'memory', redis });
    await expect(expectRetrySafe(fn, event)).rejects.toThrow('killed between its last effect and the acknowledgement');
  });

  test('that fails the second time', async () => {
    const body = `if (!(await execute('SETNX', 'lock', 1))) throw new Error('locked');`;
    const message = await complaint(body);
    expect(message).toContain('it fails when it runs again: Error: locked');
    expect(message).toMatch(/> 3 \| if \(!\(await execute\('SETNX'/);
  });

  test('that sets an expiry only once', async () => {
    const body = `if (await execute('SETNX', 'k', 1)) await execute('EXPIRE', 'k', 100);`;
    expect(await complaint(body)).toContain('k: it does not expire, after a clean run it does');
  });
});

test('what the function finds is put there before each trial', async () => {
  await using fn = await withBody(`await execute('SET', 'copy', Number(await execute('GET', 'given')) + 1);`);
  await expectRetrySafe(fn, event, { setup: (server) => server.call('SET', 'given', 7) });
  expect(await redis.call('GET', 'copy')).toBe('8');
});

test('a function that fails undisturbed is told of as such', async () => {
  await using fn = await withBody(`throw new Error('no');`);
  await expect(expectRetrySafe(fn, event)).rejects.toMatchObject({ code: 'DELIVERY_FAILED', message: /Error: no/ });
});

test('clock and dice of the function are what they were before', async () => {
  await using fn = await withBody(`await execute('SET', 'at', Date.now());`);
  fn.clock.set(5_000);
  await expectRetrySafe(fn, event);
  expect(fn.clock.now).toBe(5_000);
  expect(fn.random.source).toBe(null);
});

test('a Redis is needed that may be emptied', async () => {
  await using recorded = await loadFunction({ source: `GB('CommandReader').register({ trigger: 'x' });`, replies: {} });
  await expect(expectRetrySafe(recorded, commandCall('x'))).rejects.toThrow('recorded replies remember nothing');
  await using others = await openRedis(redis.url);
  await using fn = await loadFunction({ source: `GB('CommandReader').register({ trigger: 'x' });`, redis: others });
  await expect(expectRetrySafe(fn, commandCall('x'))).rejects.toThrow('mayClear');
});
