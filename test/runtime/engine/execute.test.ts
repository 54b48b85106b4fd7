import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, encodeCommand } from '#functions';
import { createRuntime } from '#runtime';
import { withoutLeaks } from '../../support/leaks.ts';
import { startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { invocationOf } from '../scripted/invocations.ts';
import { SCRIPTED_CHILD, startRuntime, type TestRuntime } from '../scripted/runtime.ts';

const start = (sandbox = {}) => startRuntime({ childEntry: SCRIPTED_CHILD, sandbox });

describe('execute', () => {
  test('reports every entry once and resolves after the last one', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'done', entries: 100 });
    const outcome = await world.runtime.execute(invocation);
    expect(ends.done).toHaveLength(100);
    expect(outcome).toMatchObject({ done: 100, filtered: 0, failed: 0, executions: 100, commands: 0 });
    const filtered = invocationOf({ code: 'filtered', entries: 3 });
    expect(await world.runtime.execute(filtered.invocation)).toMatchObject({ done: 0, filtered: 3 });
    const none = invocationOf({ code: 'done', entries: 0 });
    expect(await world.runtime.execute(none.invocation)).toMatchObject({ done: 0, executions: 0 });
  });

  test('sends the commands of a round and gives the replies back', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'count:h', entries: 50 });
    expect(await world.runtime.execute(invocation)).toMatchObject({ done: 50, commands: 50 });
    expect(ends.reports).toBe(1);
    expect(await world.access.client.hget('h', 'n')).toBe('50');
  });

  test('an entry that awaited nothing ends when its commands have happened', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'unawaited:h', entries: 50 });
    await world.runtime.execute(invocation);
    expect(ends.done).toHaveLength(50);
    expect(await world.access.client.hget('h', 'n')).toBe('50');
  });

  test.each([
    ['GUEST_ERROR', 'guest', 'GUEST_ERROR'],
    ['LIMIT_CALL_TIME', 'limit', 'LIMIT_CALL_TIME'],
    ['ISOLATE_LOST', 'interrupted', 'SANDBOX_DIED'],
    ['MADE_UP', 'guest', 'GUEST_ERROR'],
  ])('a guest that reports %s fails as %s', async (code, kind, shown) => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: `failed:${code}`, entries: 2 });
    expect(await world.runtime.execute(invocation)).toMatchObject({ failed: 2 });
    expect(ends.failed.map((entry) => [entry.index, entry.kind, entry.error.code])).toEqual([
      [0, kind, shown],
      [1, kind, shown],
    ]);
  });

  test('results come as one RESP value per entry', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({
      code: 'results:*1\r\n$2\r\nhi\r\n',
      entries: 2,
      fields: { shape: 'command', wantResults: true },
    });
    await world.runtime.execute(invocation);
    expect(ends.results).toEqual(['*1\r\n$2\r\nhi\r\n', '*1\r\n$2\r\nhi\r\n']);
  });

  test('an execution that waits too long fails with limit, value and setting', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'wait', entries: 3, limits: { executionMs: 60 } });
    expect(await world.runtime.execute(invocation)).toMatchObject({ failed: 3 });
    expect(ends.failed[0]).toMatchObject({ kind: 'limit', error: { code: 'LIMIT_EXECUTION_TIME' } });
    expect(ends.failed[0]?.error.message).toContain('60 ms (limit-execution-ms)');
  });

  test('an aborted invocation ends its entries as interrupted', async () => {
    await using world = await start();
    const controller = new AbortController();
    const { invocation, ends } = invocationOf({ code: 'wait', entries: 2, signal: controller.signal });
    const running = world.runtime.execute(invocation);
    controller.abort(new Error('the claim was lost'));
    expect(await running).toMatchObject({ failed: 2 });
    expect(ends.failed[0]).toMatchObject({ kind: 'interrupted', error: { message: 'the claim was lost' } });
  });

  test('a closing runtime ends what still runs as interrupted and takes nothing more', async () => {
    const world = await start();
    const { invocation, ends } = invocationOf({ code: 'wait' });
    const running = world.runtime.execute(invocation);
    await waitFor(() => world.runtime.inspectPool().some((info) => info.versions.length > 0), { what: 'the load' });
    await world[Symbol.asyncDispose]();
    await running;
    expect(ends.failed[0]).toMatchObject({ kind: 'interrupted', error: { code: 'RUNTIME_CLOSED' } });
    await expect(world.runtime.execute(invocation)).rejects.toMatchObject({ code: 'RUNTIME_CLOSED' });
  });

  test('commands beyond the concurrency of a version are refused, streams wait their turn', async () => {
    await using world = await start();
    const limits = { concurrency: 1, executionMs: 100 };
    const first = invocationOf({ code: 'wait', limits });
    const command = invocationOf({ code: 'wait', limits, fields: { shape: 'command' } });
    const stream = invocationOf({ code: 'wait', limits });
    const running = [first, command, stream].map(({ invocation }) => world.runtime.execute(invocation));
    await running[1];
    expect(command.ends.failed[0]).toMatchObject({ kind: 'limit', error: { code: 'LIMIT_CONCURRENCY' } });
    expect(first.ends.failed).toHaveLength(0);
    await Promise.all(running);
    expect(stream.ends.failed[0]?.error.code).toBe('LIMIT_EXECUTION_TIME');
  });

  test('what a guest logs reaches the listeners with function and version', async () => {
    await using world = await start();
    const heard: unknown[] = [];
    world.runtime.onLog((line) => heard.push(line));
    await world.runtime.execute(invocationOf({ code: 'log:careful' }).invocation);
    expect(heard).toContainEqual({ functionName: 'f', version: 1, level: 'warning', message: 'careful' });
    expect(heard).toContainEqual({ functionName: 'f', version: 1, level: 'notice', message: 'loading', atLoad: true });
  });

  test("a version that does not load fails its entries with the author's line", async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'load-fails' });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]).toMatchObject({ kind: 'guest', error: { code: 'GUEST_SYNTAX', stack: 'at f.js:2:3' } });
    await expect(world.runtime.inspect(invocation.target)).rejects.toMatchObject({ code: 'GUEST_SYNTAX' });
  });

  test('a forbidden command is answered with an error and never sent', async () => {
    await using world = await start();
    await world.access.client.set('k', 'kept');
    const { invocation, ends } = invocationOf({ code: `send:${encodeCommand(['FLUSHALL'])}` });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]?.error.message).toContain('COMMAND_FORBIDDEN FLUSHALL');
    expect(await world.access.client.get('k')).toBe('kept');
  });
});

test('a closed runtime leaves no process, timer or connection behind', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await withoutLeaks(async () => {
    await using access = await connectRedis({ url: redis.url });
    const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    await using runtime = await createRuntime({
      access,
      sandboxes: 2,
      prefix: 'rg:',
      log: quiet,
      childEntry: SCRIPTED_CHILD,
    });
    await runtime.execute(invocationOf({ code: 'count:h', entries: 10 }).invocation);
  }, client);
});

describe('a sandbox that lies is killed', () => {
  let world: TestRuntime;
  beforeAll(async () => {
    world = await start({ quarantineAfterCrashes: 1000 });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ['a position that is none', 'forged-position'],
    ['an end twice in one frame', 'doubled-end'],
    ['an end twice in two frames', 'doubled-later'],
    ['commands of an entry that is none', 'forged-owner'],
    ['an answer to nothing', 'forged-answer'],
    ['a failure of an entry that is none', 'forged-failure'],
    ['bytes that are no frame', 'garbage'],
    ['a frame of no known type', 'unknown-frame'],
    ['commands that are not RESP', 'send:FLUSHALL\r\n'],
    ['more commands than announced', `send:${encodeCommand(['PING'])}${encodeCommand(['FLUSHALL'])}`],
    ['a request that is not RESP', 'ask:SLEEP 1'],
    ['a request of no known kind', `ask:${encodeCommand(['EXEC', 'ls'])}`],
    ['a timer of no length', `ask:${encodeCommand(['SLEEP', 'long'])}`],
    ['a future of another function', `ask:${encodeCommand(['WAIT', '../other:id'])}`],
    ['a run that is none', `ask:${encodeCommand(['RUN', '{'])}`],
    ['results that are not RESP', 'results:nonsense'],
    ['two results in one', 'results:+a\r\n+b\r\n'],
  ])('%s', async (_, code) => {
    const { invocation, ends } = invocationOf({ code, entries: 3, fields: { wantResults: true } });
    const outcome = await world.runtime.execute(invocation);
    expect(outcome.done + outcome.filtered + outcome.failed).toBe(3);
    expect([...ends.done, ...ends.failed.map(({ index }) => index)].sort()).toEqual([0, 1, 2]);
    expect(ends.failed.some(({ kind }) => kind === 'crash')).toBe(true);
    expect(ends.failed.find(({ kind }) => kind === 'crash')?.error.code).toBe('SANDBOX_PROTOCOL');
    const honest = invocationOf({ code: 'done', name: 'honest' });
    expect(await world.runtime.execute(honest.invocation)).toMatchObject({ done: 1 });
  });

  test('progress of a batch that has ended is not listened to', async () => {
    const first = invocationOf({ code: 'done', name: 'first' });
    await world.runtime.execute(first.invocation);
    const second = invocationOf({ code: 'other-batch', name: 'g' });
    expect(await world.runtime.execute(second.invocation)).toMatchObject({ done: 1 });
    expect(first.ends.done).toEqual([0]);
  });
});
