import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeBulk } from '#functions';
import type { GuestHost, Runtime } from '#runtime';
import { waitFor } from '../../support/wait.ts';
import { type InvocationOptions, invocationOf } from '../scripted/invocations.ts';
import { startRuntime } from '../scripted/runtime.ts';

const commandCode = (callback: string): string =>
  `new GearsBuilder('CommandReader').map(${callback}).register({ trigger: 't', convertToStr: false });`;

async function answerOf(
  runtime: Runtime,
  code: string,
  options: Partial<InvocationOptions> = {},
): Promise<readonly unknown[]> {
  const payload = `*1\r\n*2\r\n${encodeBulk('t')}${encodeBulk('x')}`;
  const fields = { shape: 'command' as const, wantResults: true, payload, ...options.fields };
  // Isolates are told apart by their names.
  const name = `f${createHash('sha1').update(code).digest('hex')}`;
  const { invocation, ends } = invocationOf({ code, name, ...options, fields });
  await runtime.execute(invocation);
  if (ends.failed[0] !== undefined) {
    const { code: failed, message } = ends.failed[0].error;
    return [failed, message];
  }
  return ends.results;
}

/** One bulk string as the only result. */
const text = (value: string): string[] => [`*1\r\n${encodeBulk(value)}`];

describe('timers', () => {
  test('sleeping takes the time that it says, and not one thread', async () => {
    await using world = await startRuntime();
    const code = "new GearsBuilder('StreamReader').foreach(() => sleep(0.2)).register({ prefix: 's' });";
    const { invocation } = invocationOf({ code, entries: 500 });
    const begin = performance.now();
    expect(await world.runtime.execute(invocation)).toMatchObject({ done: 500 });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(200);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test('commands after a sleep belong to the entry that slept', async () => {
    await using world = await startRuntime();
    const code = `new GearsBuilder('StreamReader').foreach(async (r) => {
      await sleep(r.value.user === 'u0' ? 0.05 : 0.01);
      if (r.value.user === 'u0') throw new Error('mine');
      await execute('RPUSH', 'order', r.value.user);
    }).register({ prefix: 's' });`;
    const { invocation, ends } = invocationOf({ code, entries: 3 });
    await world.runtime.execute(invocation);
    expect(ends.failed.map(({ index }) => index)).toEqual([0]);
    expect(await world.access.client.lrange('order', 0, -1)).toEqual(['u1', 'u2']);
  });

  test.each([
    ["sleep('1')", 'sleep: the argument must be a number of seconds from 0 to 86400, not "1".'],
    ['sleep(-1)', 'sleep: the argument must be a number of seconds from 0 to 86400, not -1.'],
    ['sleep(1e9)', 'sleep: the argument must be a number of seconds from 0 to 86400, not 1000000000.'],
    [
      'runCoroutine(7)',
      'runCoroutine: the first argument must be an async function, such as async () => { … }, not 7.',
    ],
    [
      'runCoroutine(() => 1, { dealy: 1 })',
      'runCoroutine: unknown argument "dealy". Did you mean delay? Allowed are future, delay.',
    ],
    ['runCoroutine(() => 1, createFuture())', 'runCoroutine: the future must be one of gearsFuture(), not an object.'],
  ])('%s is refused with what would be right', async (call, message) => {
    await using world = await startRuntime();
    expect(await answerOf(world.runtime, commandCode(`() => ${call}`))).toEqual(['GUEST_ARGUMENT', message]);
  });

  test('outside of events there is nothing to wait for', async () => {
    await using world = await startRuntime();
    const code = commandCode('() => early');
    for (const call of ['sleep(0)', 'runCoroutine(() => 1)', 'setFutureResults(createFuture(), 1)']) {
      const early = `let early = ''; try { ${call}; } catch (error) { early = error.message; } ${code}`;
      const [answer] = await answerOf(world.runtime, early);
      expect(answer).toContain('works only while an event is handled, not while the function is loaded.');
    }
  });

  test('a sleep ends with the time limit of its execution, and with the invocation', async () => {
    await using world = await startRuntime();
    const code = commandCode('() => sleep(3600)');
    const [limit, message] = await answerOf(world.runtime, code, { limits: { executionMs: 80 } });
    expect(limit).toBe('LIMIT_EXECUTION_TIME');
    expect(message).toContain('80 ms (limit-execution-ms)');
    const controller = new AbortController();
    const answer = answerOf(world.runtime, code, { signal: controller.signal });
    controller.abort(new Error('shutdown'));
    expect(await answer).toEqual(['RUNTIME_CLOSED', 'shutdown']);
  });

  test('a million timers are refused, and the sandbox goes on', async () => {
    await using world = await startRuntime();
    const flood = commandCode('() => Promise.all(Array.from({ length: 1_000_000 }, () => sleep(100)))');
    const [limit, message] = await answerOf(world.runtime, flood);
    expect(limit).toBe('LIMIT_COMMANDS');
    expect(message).toContain('limit-commands');
    expect(await answerOf(world.runtime, commandCode("async () => { await sleep(0); return 'well'; }"))).toEqual(
      text('well'),
    );
  });

  test('events of a version wait for no more than a node allows, and again once others have ended', async () => {
    await using world = await startRuntime({ sandbox: { waits: 10 } });
    const code = `new GearsBuilder('StreamReader').foreach(() => sleep(0.1)).register({ prefix: 's' });`;
    const { invocation, ends } = invocationOf({ code, entries: 15 });
    await world.runtime.execute(invocation);
    expect(ends.done).toHaveLength(10);
    expect(ends.failed.map(({ kind, error }) => [kind, error.code])).toEqual(
      Array.from({ length: 5 }, () => ['limit', 'LIMIT_WAITS']),
    );
    expect(ends.failed[0]?.error.message).toContain('sandbox-waits');
    const again = invocationOf({ code, entries: 10 });
    await world.runtime.execute(again.invocation);
    expect(again.ends.done).toHaveLength(10);
  });

  test('what an entry leaves waiting takes no place after its end', async () => {
    await using world = await startRuntime({ sandbox: { waits: 10 } });
    const code = `new GearsBuilder('StreamReader').foreach(() => { sleep(60); runCoroutine(() => log('late'), { delay: 60 }); })
      .register({ prefix: 's' });`;
    for (let round = 0; round < 20; round += 1) {
      const { invocation, ends } = invocationOf({ code, entries: 5 });
      await world.runtime.execute(invocation);
      expect(ends.done).toHaveLength(5);
    }
  });
});

describe('coroutines and futures of a record', () => {
  test('a coroutine answers for its record', async () => {
    await using world = await startRuntime();
    const code = commandCode(`(args) => {
      const future = gearsFuture();
      runCoroutine(async () => { await sleep(0.01); return args[1] + '!'; }, future);
      return future;
    }`);
    expect(await answerOf(world.runtime, code)).toEqual(text('x!'));
    const failing = commandCode(`() => {
      const future = new gearsFuture();
      runCoroutine(async () => { throw new TypeError('no'); }, { future, delay: 0.01 });
      return future;
    }`);
    expect(await answerOf(world.runtime, failing)).toEqual(['GUEST_ERROR', 'no']);
  });

  test('steps take what their futures are continued with', async () => {
    await using world = await startRuntime();
    const later = (value: string): string =>
      `((r) => { const f = gearsFuture(); runCoroutine(() => f.continueRun(${value}), null, 0.01); return f; })`;
    const code = `new GearsBuilder('CommandReader').flatmap(() => [1, 2, 3, 4]).filter${later('r % 2 === 0')}
      .foreach${later("'ignored'")}.map${later('r * 10')}.flatmap${later('[r, r + 1]')}
      .accumulate((sum, r) => { const f = gearsFuture(); runCoroutine(() => f.continueRun((sum ?? 0) + r)); return f; })
      .register({ trigger: 't', convertToStr: false });`;
    expect(await answerOf(world.runtime, code)).toEqual(['*1\r\n:122\r\n']);
  });

  test.each([
    ['gearsFuture(); gearsFuture()', 'Can not create async record twice on the same step'],
    ['const f = gearsFuture(); f.continueRun(1)', 'Can not handle future untill it returned from the callback'],
    ["const f = gearsFuture(); f.continueFailed('x')", 'Can not handle future untill it returned from the callback'],
  ])('%s is an error of the callback', async (body, message) => {
    await using world = await startRuntime();
    expect(await answerOf(world.runtime, commandCode(`() => { ${body}; }`))).toEqual(['GUEST_ERROR', message]);
  });

  test('a future is continued once, a text is all of its error', async () => {
    await using world = await startRuntime();
    const twice = commandCode(`async () => {
      const future = gearsFuture();
      runCoroutine(() => future.continueRun('first'), null, 0.01);
      const first = await future;
      try { future.continueRun('second'); } catch (error) { return first + ', ' + error.message; }
    }`);
    expect(await answerOf(world.runtime, twice)).toEqual(text('first, Can not continue with the same future twice'));
    const failed = commandCode(
      "() => { const f = gearsFuture(); runCoroutine(() => f.continueFailed('just so')); return f; }",
    );
    const { invocation, ends } = invocationOf({
      code: failed,
      name: 'failed',
      fields: { shape: 'command', payload: `*1\r\n*1\r\n${encodeBulk('t')}` },
    });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]?.error).toEqual({ code: 'GUEST_ERROR', name: '', message: 'just so', stack: '' });
  });

  test('a future that is not returned is forgotten; one outside of steps cannot be', async () => {
    await using world = await startRuntime();
    expect(await answerOf(world.runtime, commandCode("() => { gearsFuture(); return 'mine'; }"))).toEqual(text('mine'));
    const early = `let early = ''; try { gearsFuture(); } catch (error) { early = error.message; }`;
    expect(await answerOf(world.runtime, early + commandCode('() => early'))).toEqual(
      text('Future object can only be created inside certain execution steps'),
    );
  });

  test('a future that nobody continues ends with the time limit of its execution', async () => {
    await using world = await startRuntime();
    const code = commandCode('() => gearsFuture()');
    const [limit] = await answerOf(world.runtime, code, { limits: { executionMs: 80 } });
    expect(limit).toBe('LIMIT_EXECUTION_TIME');
  });

  test('whether waiting is possible depends on where the code is', async () => {
    await using world = await startRuntime();
    const code = `const early = isAsyncAllow();
      ${commandCode('async () => { let inside; await atomic(() => { inside = isAsyncAllow(); }); return [early, isAsyncAllow(), inside]; }')}`;
    expect(await answerOf(world.runtime, code)).toEqual(['*1\r\n*3\r\n:0\r\n:1\r\n:0\r\n']);
  });
});

describe('futures of a host', () => {
  /** Keeps outcomes; nobody else completes anything. */
  function memoryHost(): GuestHost & { readonly outcomes: Map<string, string> } {
    const outcomes = new Map<string, string>();
    return {
      outcomes,
      run: () => Promise.reject(new Error('not here')),
      async completeFuture({ functionName, id }, outcome) {
        const name = `${functionName} ${id}`;
        if (outcomes.has(name)) return false;
        outcomes.set(name, outcome);
        return true;
      },
      awaitFuture: ({ functionName, id }) =>
        waitFor(() => outcomes.get(`${functionName} ${id}`), { what: 'an outcome', intervalMs: 1 }),
    };
  }

  test('what it was completed with arrives as it left, however often it is awaited', async () => {
    await using world = await startRuntime();
    world.runtime.serve(memoryHost());
    const code = commandCode(`async () => {
      const future = createFuture();
      runCoroutine(() => setFutureResults(String(future), { list: [1, new Date(5)], none: undefined }), { delay: 0.01 });
      const [a, b] = [await future, await future];
      return [a.list[0], a.list[1].getTime(), 'none' in b, JSON.stringify({ future }).length];
    }`);
    expect(await answerOf(world.runtime, code)).toEqual(['*1\r\n*4\r\n:1\r\n:5\r\n:1\r\n:39\r\n']);
  });

  test('it is completed once, with a result or an error', async () => {
    await using world = await startRuntime();
    world.runtime.serve(memoryHost());
    const twice = commandCode(
      'async () => { const f = createFuture(); await setFutureResults(f, 1); await setFutureException(f, new Error()); }',
    );
    expect(await answerOf(world.runtime, twice)).toEqual([
      'GUEST_ERROR',
      'Can not continue with the same future twice',
    ]);
    const failed = commandCode(`async () => {
      const f = createFuture();
      await setFutureException(f, new RangeError('too far'));
      try { await f; } catch (error) { return error.name + ': ' + error.message; }
    }`);
    expect(await answerOf(world.runtime, failed)).toEqual(text('RangeError: too far'));
  });

  test('an entry goes on in a turn of its own when another one completes its future', async () => {
    await using world = await startRuntime();
    world.runtime.serve(memoryHost());
    const code = `const waiting = [];
      new GearsBuilder('StreamReader').foreach(async (r) => {
        if (r.value.user !== 'u2') {
          const future = createFuture();
          waiting.push(future);
          await execute('RPUSH', 'woken', r.value.user + ' ' + (await future));
          return;
        }
        for (const future of waiting) await setFutureResults(future, r.value.user);
        throw new Error('after that it fails');
      }).register({ prefix: 's' });`;
    const { invocation, ends } = invocationOf({ code, entries: 3 });
    await world.runtime.execute(invocation);
    expect(ends.failed.map(({ index }) => index)).toEqual([2]);
    expect((await world.access.client.lrange('woken', 0, -1)).toSorted()).toEqual(['u0 u2', 'u1 u2']);
  });

  test.each([
    [
      "setFutureResults('Not A Future', 1)",
      /^setFutureResults: the first argument must be a future or its text, not "Not A Future"\.$/,
    ],
    ['setFutureResults({}, 1)', /^setFutureResults: the first argument must be a future or its text, not an object\.$/],
    ['setFutureResults(createFuture(), () => 1)', /function, which cannot go on/],
  ])('%s is refused', async (call, message) => {
    await using world = await startRuntime();
    world.runtime.serve(memoryHost());
    const [, said] = await answerOf(world.runtime, commandCode(`() => ${call}`));
    expect(said).toMatch(message);
  });

  test('before there is a host an event is to run again', async () => {
    await using world = await startRuntime();
    const { invocation, ends } = invocationOf({
      code: "new GearsBuilder('StreamReader').foreach(() => createFuture()).register({ prefix: 's' });",
    });
    await world.runtime.execute(invocation);
    expect(ends.failed).toMatchObject([{ kind: 'interrupted', error: { code: 'RUNTIME_CLOSED' } }]);
  });
});
