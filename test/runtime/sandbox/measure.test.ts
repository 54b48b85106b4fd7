import { expect, test } from 'vitest';
import type { SandboxUsage } from '#runtime';
import { waitFor } from '../../support/wait.ts';
import { invocationOf } from '../scripted/invocations.ts';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';

const SOURCE = `const kept = [];
  new GearsBuilder('StreamReader').foreach(() => { kept.push(new Array(1_000).fill(kept.length)); }).register({ prefix: 's' });`;
const LOOP = `new GearsBuilder('StreamReader').foreach(() => { for (;;); }).register({ prefix: 's' });`;

async function versionOf(world: TestRuntime, name: string): Promise<SandboxUsage['versions'][number] | undefined> {
  const pool = await world.runtime.measurePool();
  return pool.flatMap(({ versions }) => versions).find(({ functionName }) => functionName === name);
}

test('memory, time, batches and entries of every version are told', async () => {
  await using world = await startRuntime();
  await world.runtime.execute(invocationOf({ code: SOURCE, entries: 3, name: 'grows' }).invocation);
  const before = (await versionOf(world, 'grows'))?.usage;
  expect(before).toMatchObject({ batches: 1, entries: 3 });
  await world.runtime.execute(invocationOf({ code: SOURCE, entries: 1_000, name: 'grows' }).invocation);
  const after = (await versionOf(world, 'grows'))?.usage;
  expect(after).toMatchObject({ batches: 2, entries: 1_003 });
  // A thousand lists of a thousand numbers, of 4 bytes at least.
  expect((after?.heapBytes ?? 0) - (before?.heapBytes ?? 0)).toBeGreaterThan(4_000_000);
  expect(after?.cpuMs).toBeGreaterThan(0);
});

test('a process at work in an endless loop tells nothing, and nobody waits for it', async () => {
  await using world = await startRuntime();
  const controller = new AbortController();
  const { invocation } = invocationOf({
    ...{ code: LOOP, name: 'loops', limits: { callMs: 60_000, executionMs: 60_000 } },
    signal: controller.signal,
  });
  const running = world.runtime.execute(invocation);
  await waitFor(() => world.runtime.inspectPool().some(({ versions }) => versions.length > 0), {
    what: 'it is loaded',
  });
  const loops = await versionOf(world, 'loops');
  expect(loops).toEqual({ functionName: 'loops', version: 1, usage: null });
  controller.abort();
  await running;
});
