import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import type { QuarantineEvent, SandboxInfo } from '#runtime';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { invocationOf } from '../scripted/invocations.ts';
import { SCRIPTED_CHILD, startRuntime, type TestRuntime } from '../scripted/runtime.ts';

const start = (sandbox = {}, sandboxes = 1) => startRuntime({ childEntry: SCRIPTED_CHILD, sandbox, sandboxes });

/** The pid of a warm spare. */
async function spareIsReady(world: TestRuntime): Promise<number> {
  const isWarm = ({ role, residentBytes }: SandboxInfo): boolean => role === 'spare' && residentBytes > 30e6;
  return await waitFor(() => world.runtime.inspectPool().find(isWarm)?.pid, {
    what: 'a warm spare',
  });
}

describe('a process that dies', () => {
  test('by itself is a crash of the batch it was at work with', async () => {
    await using world = await start();
    const { invocation, ends } = invocationOf({ code: 'exit', entries: 2 });
    expect(await world.runtime.execute(invocation)).toMatchObject({ failed: 2 });
    expect(ends.failed[0]).toMatchObject({ kind: 'crash', error: { code: 'SANDBOX_DIED' } });
    expect(ends.failed[0]?.error.message).toContain('code 7');
  });

  test('interrupts batches that only waited, and the warm spare goes on', async () => {
    await using world = await start();
    const spare = await spareIsReady(world);
    const waiting = invocationOf({ code: 'wait', name: 'patient' });
    const patient = world.runtime.execute(waiting.invocation);
    const culprit = invocationOf({ code: 'exit', name: 'culprit' });
    await world.runtime.execute(culprit.invocation);
    await patient;
    expect(waiting.ends.failed[0]).toMatchObject({ kind: 'interrupted', error: { code: 'SANDBOX_DIED' } });
    expect(await world.runtime.execute(invocationOf({ code: 'done', name: 'next' }).invocation)).toMatchObject({
      done: 1,
    });
    const home = world.runtime.inspectPool().find(({ versions }) => versions.some((v) => v.functionName === 'next'));
    expect(home).toMatchObject({ pid: spare, role: 'shared' });
  });

  test("killed from outside is nobody's fault", async () => {
    await using world = await start({ quarantineAfterCrashes: 1 });
    const events: QuarantineEvent[] = [];
    world.runtime.onQuarantine((event) => events.push(event));
    for (let kill = 0; kill < 3; kill += 1) {
      const { invocation, ends } = invocationOf({ code: 'spin', limits: { callMs: 60_000 } });
      const running = world.runtime.execute(invocation);
      const pid = await waitFor(() => world.runtime.inspectPool().find((info) => info.versions.length > 0)?.pid, {
        what: 'the version is loaded',
      });
      process.kill(pid, 'SIGKILL');
      await running;
      expect(ends.failed[0]?.kind).toBe('interrupted');
    }
    expect(events).toEqual([]);
  });

  test('over a call that does not end is killed, with limit and setting named', async () => {
    await using world = await start({ graceMs: 50 });
    const { invocation, ends } = invocationOf({ code: 'spin', limits: { callMs: 100 } });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]).toMatchObject({ kind: 'crash', error: { code: 'LIMIT_CALL_TIME' } });
    expect(ends.failed[0]?.error.message).toContain('100 ms (limit-call-ms)');
  });

  test('over its memory is killed long before the machine suffers', async () => {
    await using world = await start({ residentBytes: 300 * 1024 * 1024 });
    const { invocation, ends } = invocationOf({ code: 'grow', limits: { callMs: 20_000 } });
    await world.runtime.execute(invocation);
    expect(ends.failed[0]).toMatchObject({ kind: 'crash', error: { code: 'LIMIT_MEMORY' } });
    expect(ends.failed[0]?.error.message).toContain('more than 300 MiB');
  });

  test('while a version is loaded fails that version, and is tried again for the others', async () => {
    await using world = await start({ graceMs: 50 });
    const culprit = invocationOf({ code: 'load-exit', name: 'culprit' });
    const bystander = invocationOf({ code: 'done', name: 'bystander' });
    await Promise.all([world.runtime.execute(culprit.invocation), world.runtime.execute(bystander.invocation)]);
    expect(culprit.ends.failed[0]).toMatchObject({ kind: 'crash', error: { code: 'SANDBOX_DIED' } });
    expect(bystander.ends.done).toEqual([0]);
  });

  test('over an inspected source harms no running version', async () => {
    await using world = await start({ graceMs: 50 });
    await spareIsReady(world);
    const waiting = invocationOf({ code: 'wait', limits: { executionMs: 600 } });
    const patient = world.runtime.execute(waiting.invocation);
    const { invocation } = invocationOf({ code: 'load-exit' });
    await expect(world.runtime.inspect(invocation.target)).rejects.toMatchObject({ code: 'SANDBOX_DIED' });
    await patient;
    expect(waiting.ends.failed[0]?.error.code).toBe('LIMIT_EXECUTION_TIME');
  });
});

describe('quarantine', () => {
  test('a version that goes on killing runs alone, then not at all', async () => {
    await using world = await start({ quarantineAfterCrashes: 2 });
    const events: QuarantineEvent[] = [];
    world.runtime.onQuarantine((event) => events.push(event));
    const kinds: unknown[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const { invocation, ends } = invocationOf({ code: 'exit', name: 'bad' });
      await world.runtime.execute(invocation);
      kinds.push([ends.failed[0]?.kind, ends.failed[0]?.error.code]);
    }
    expect(events.map(({ functionName, version, verdict }) => [functionName, version, verdict])).toEqual([
      ['bad', 1, 'alone'],
      ['bad', 1, 'stopped'],
    ]);
    expect(kinds.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => ['crash', 'SANDBOX_DIED']));
    expect(kinds[4]).toEqual(['limit', 'SANDBOX_QUARANTINED']);
    const other = invocationOf({ code: 'done', name: 'good' });
    expect(await world.runtime.execute(other.invocation)).toMatchObject({ done: 1 });
  });

  test('a version that is pardoned runs again, alone, until it has killed as often once more', async () => {
    await using world = await start({ quarantineAfterCrashes: 1 });
    const events: string[] = [];
    world.runtime.onQuarantine(({ verdict }) => events.push(verdict));
    const codeOf = async (): Promise<string | undefined> => {
      const { invocation, ends } = invocationOf({ code: 'exit', name: 'bad' });
      await world.runtime.execute(invocation);
      return ends.failed[0]?.error.code;
    };
    expect([await codeOf(), await codeOf(), await codeOf()]).toEqual([
      ...['SANDBOX_DIED', 'SANDBOX_DIED', 'SANDBOX_QUARANTINED'],
    ]);
    world.runtime.pardon({ functionName: 'other', version: 1 });
    expect(await codeOf()).toBe('SANDBOX_QUARANTINED');
    world.runtime.pardon({ functionName: 'bad', version: 1 });
    expect([await codeOf(), await codeOf()]).toEqual(['SANDBOX_DIED', 'SANDBOX_QUARANTINED']);
    expect(events).toEqual(['alone', 'stopped', 'stopped']);
  });

  test('a version in quarantine dies alone', async () => {
    await using world = await start({ quarantineAfterCrashes: 1 });
    await world.runtime.execute(invocationOf({ code: 'exit', name: 'bad' }).invocation);
    const waiting = invocationOf({ code: 'wait', name: 'good', limits: { executionMs: 500 } });
    const patient = world.runtime.execute(waiting.invocation);
    await world.runtime.execute(invocationOf({ code: 'exit', name: 'bad' }).invocation);
    await patient;
    expect(waiting.ends.failed[0]?.error.code).toBe('LIMIT_EXECUTION_TIME');
  });
});

describe('isolates', () => {
  const loaded = (world: TestRuntime): string[] =>
    world.runtime.inspectPool().flatMap((info) => info.versions.map((version) => version.functionName));

  test('are spread over the processes and kept', async () => {
    await using world = await start({}, 2);
    for (const name of ['a', 'b', 'c', 'd']) {
      await world.runtime.execute(invocationOf({ code: 'done', name }).invocation);
    }
    const shared = world.runtime.inspectPool().filter((info) => info.role === 'shared');
    expect(shared.map((info) => info.versions.length)).toEqual([2, 2]);
    expect(world.runtime.inspectPool().filter((info) => info.role === 'spare')).toHaveLength(1);
  });

  test('loads at the same time are one load', async () => {
    await using world = await start();
    const heard: string[] = [];
    world.runtime.onLog((line) => heard.push(line.message));
    const runs = Array.from({ length: 20 }, () => world.runtime.execute(invocationOf({ code: 'done' }).invocation));
    await Promise.all(runs);
    expect(heard).toEqual(['loading']);
  });

  test('beyond the cap the one longest unused goes', async () => {
    await using world = await start({ isolatesPerProcess: 2 });
    for (const name of ['a', 'b', 'a', 'c']) {
      await world.runtime.execute(invocationOf({ code: 'done', name }).invocation);
    }
    expect(loaded(world).sort()).toEqual(['a', 'c']);
  });

  test('that nothing routes to any more are dropped', async () => {
    await using world = await start();
    for (const name of ['a', 'b']) await world.runtime.execute(invocationOf({ code: 'done', name }).invocation);
    world.runtime.retain([{ functionName: 'b', version: 1 }]);
    expect(loaded(world)).toEqual(['b']);
    expect(await world.runtime.execute(invocationOf({ code: 'done', name: 'a' }).invocation)).toMatchObject({
      done: 1,
    });
  });

  test('that are idle are dropped', async () => {
    await using world = await start({ idleMs: 1 });
    await world.runtime.execute(invocationOf({ code: 'done' }).invocation);
    await waitFor(() => loaded(world).length === 0, { what: 'the isolate is dropped' });
  });
});

test('a lost connection interrupts who waits for it, and the next batch runs', async () => {
  await using redis = await startRedis();
  await using proxy = await startFaultProxy({ port: redis.port });
  await using world = await startRuntime({ childEntry: SCRIPTED_CHILD, redisUrl: proxy.url });
  await world.runtime.execute(invocationOf({ code: 'count:h' }).invocation);
  proxy.delay(60_000);
  const { invocation, ends } = invocationOf({ code: 'count:h', entries: 3 });
  const running = world.runtime.execute(invocation);
  await waitFor(async () => (await redis.client().hget('h', 'n')) === '4', { what: 'Redis has run the commands' });
  proxy.drop();
  proxy.heal();
  await running;
  expect(ends.failed.map(({ kind, error }) => [kind, error.code])).toEqual(
    Array.from({ length: 3 }, () => ['interrupted', 'REDIS_LINK_LOST']),
  );
  const again = invocationOf({ code: 'count:h' });
  expect(await world.runtime.execute(again.invocation)).toMatchObject({ done: 1 });
});

/** Sandbox processes of this one, however little they have come to. */
async function startedChildren(): Promise<readonly number[]> {
  const text = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  const pids = text.split(' ').filter(Boolean).map(Number);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, n) => commands[n]?.includes(SCRIPTED_CHILD));
}

test('processes lost before they have booted are replaced, and the start goes on', async () => {
  const starting = start();
  const lost = await waitFor(
    async () => {
      const pids = await startedChildren();
      return pids.length === 2 ? pids : null;
    },
    { what: 'both are started', intervalMs: 1 },
  );
  for (const pid of lost) process.kill(pid, 'SIGKILL');
  await using world = await starting;
  expect(await world.runtime.execute(invocationOf({ code: 'done' }).invocation)).toMatchObject({ done: 1 });
  expect(world.runtime.inspectPool().filter(({ pid }) => lost.includes(pid))).toEqual([]);
});

test('a child program that never comes up is told with what it printed', async () => {
  await expect(startRuntime({ childEntry: '/no/such/program.ts' })).rejects.toMatchObject({ code: 'SANDBOX_DIED' });
});
