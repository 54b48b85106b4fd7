import process from 'node:process';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadFunction, TOPOLOGIES, type Topology } from '../e2e/topology.ts';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { childrenOf } from './flow.ts';

const FLAGS = [
  '--heartbeat-timeout',
  '3s',
  '--execution-idle',
  '1s',
  '--renew-after',
  '1s',
  '--sandboxes',
  '1',
  '--limit-execution-ms',
  '5m',
  '--converge-timeout',
  '1m',
];
const ITEMS = 12;
/** The run of the first attempt takes longer than anybody waits. */
const COUNTS = `GB('StreamReader').foreach(async (r) => {
  const attempt = await execute('INCR', 'attempts');
  const [[count]] = await GB('KeysOnlyReader')
    .foreach(() => (attempt === 1 ? sleep(250) : undefined)).countby(() => 'all').count().run('item:*');
  await execute('SET', 'result', count);
}).register({ prefix: 'orders', mode: 'async_local', onFailedPolicy: 'retry' });`;

describe.each(Object.entries(TOPOLOGIES))('what waits is killed, on %s', (_, start) => {
  let topology: Topology;
  let client: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    client = topology.client();
  });
  afterAll(async () => await topology?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await topology.flush();
    for (let n = 0; n < ITEMS; n += 1) await client.set(`item:${n}`, 'x');
  });

  const begin = async ({ door }: PlatformProcess): Promise<void> => {
    await loadFunction(door, 'counts', COUNTS);
    await client.xadd('orders', '*', 'n', '1');
    await waitFor(async () => (await rows(door)).some(([, , , status]) => status === 'running'), {
      what: 'the handler waits for its run',
    });
  };
  const rows = async (door: Redis): Promise<readonly string[][]> =>
    ((await door.call('RG.DUMPEXECUTIONS')) as string[][]).filter((row) => Number(row[5]) === 0);
  const result = (): Promise<string> =>
    waitFor(() => client.get('result'), { what: 'the handler has its results', deadlineMs: 120_000 });
  const nothingLeft = async (door: Redis): Promise<void> => {
    await waitFor(async () => (await rows(door)).length === 0, { what: 'no execution is left', deadlineMs: 60_000 });
    const nodes = 'nodes' in client ? client.nodes('master') : [client];
    expect((await Promise.all(nodes.map((node) => node.keys('rg:*pieces*')))).flat()).toEqual([]);
  };

  test('a sandbox: the event runs again with a run of its own', { timeout: 180_000 }, async () => {
    await using platform = await startPlatformProcess({ redisUrl: topology.url, flags: FLAGS });
    await begin(platform);
    for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
    expect(await result()).toBe('1');
    expect(await client.get('attempts')).toBe('2');
    await nothingLeft(platform.door);
  });

  test('a node: another one runs the event, and removes what the dead one left', { timeout: 180_000 }, async () => {
    await using first = await startPlatformProcess({ redisUrl: topology.url, flags: FLAGS });
    await begin(first);
    await using second = await startPlatformProcess({ redisUrl: topology.url, flags: FLAGS });
    await first.kill();
    expect(await result()).toBe('1');
    expect(await client.get('attempts')).toBe('2');
    await nothingLeft(second.door);
  });

  test('a node that stops gives the event to another one', { timeout: 180_000 }, async () => {
    const flags = [...FLAGS, '--drain-timeout', '500ms'];
    await using first = await startPlatformProcess({ redisUrl: topology.url, flags });
    await begin(first);
    await using second = await startPlatformProcess({ redisUrl: topology.url, flags });
    expect(await first.stop()).toBe(0);
    expect(await result()).toBe('1');
    expect(await client.get('attempts')).toBe('2');
    await nothingLeft(second.door);
  });

  test('nothing: an entry that sleeps keeps its claim, whoever else is there', { timeout: 180_000 }, async () => {
    await using first = await startPlatformProcess({ redisUrl: topology.url, flags: FLAGS });
    await using _second = await startPlatformProcess({ redisUrl: topology.url, flags: FLAGS });
    const { ids } = await loadFunction(
      first.door,
      'sleeper',
      `GB('StreamReader').foreach(async () => {
        await execute('INCR', 'attempts');
        await sleep(5);
        await execute('SET', 'result', 'slept');
      }).register({ prefix: 'orders', mode: 'async_local', onFailedPolicy: 'retry' });`,
    );
    await client.xadd('orders', '*', 'n', '1');
    let longestIdleMs = 0;
    await waitFor(
      async () => {
        const pending = (await client.xpending('orders', ids[0] ?? '', '-', '+', 10)) as [string, string, number][];
        for (const [, , idleMs] of pending) longestIdleMs = Math.max(longestIdleMs, idleMs);
        return (await client.get('result')) === 'slept';
      },
      { what: 'it has slept', deadlineMs: 60_000 },
    );
    expect(longestIdleMs).toBeGreaterThan(0);
    expect(longestIdleMs).toBeLessThan(4_500);
    expect(await client.get('attempts')).toBe('1');
  });
});
