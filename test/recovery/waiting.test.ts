import process from 'node:process';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe.each(Object.entries(TOPOLOGIES))('what waits is killed, on %s', (_, start) => {
  let topology: Topology;
  let client: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    client = topology.client();
  });
  afterAll(async () => await topology?.[Symbol.asyncDispose]());

  /** What one test has for itself, since they wait together: nodes under a prefix of their own, and keys. */
  const worldOf = async (name: string) => {
    const key = (which: string): string => `${name}:${which}`;
    const prefix = `${name}-rg:`;
    for (let n = 0; n < ITEMS; n += 1) await client.set(key(`item:${n}`), 'x');
    const rows = async (door: Redis): Promise<readonly string[][]> =>
      ((await door.call('RG.DUMPEXECUTIONS')) as string[][]).filter((row) => Number(row[5]) === 0);
    return {
      key,
      startNode: (flags: readonly string[] = []): Promise<PlatformProcess> =>
        startPlatformProcess({ redisUrl: topology.url, flags: [...FLAGS, '--prefix', prefix, ...flags] }),
      /** The run of the first attempt takes longer than anybody waits. */
      async begin({ door }: PlatformProcess): Promise<void> {
        const source = `GB('StreamReader').foreach(async (r) => {
          const attempt = await execute('INCR', '${key('attempts')}');
          const [[count]] = await GB('KeysOnlyReader')
            .foreach(() => (attempt === 1 ? sleep(250) : undefined)).countby(() => 'all').count().run('${key('item:*')}');
          await execute('SET', '${key('result')}', count);
        }).register({ prefix: '${key('orders')}', mode: 'async_local', onFailedPolicy: 'retry' });`;
        await loadFunction(door, 'counts', source);
        await client.xadd(key('orders'), '*', 'n', '1');
        await waitFor(async () => (await rows(door)).some(([, , , status]) => status === 'running'), {
          what: 'the handler waits for its run',
        });
      },
      result: (): Promise<string> =>
        waitFor(() => client.get(key('result')), { what: 'the handler has its results', deadlineMs: 120_000 }),
      attempts: (): Promise<string | null> => client.get(key('attempts')),
      async nothingLeft(door: Redis): Promise<void> {
        await waitFor(async () => (await rows(door)).length === 0, {
          what: 'no execution is left',
          deadlineMs: 60_000,
        });
        const nodes = 'nodes' in client ? client.nodes('master') : [client];
        expect((await Promise.all(nodes.map((node) => node.keys(`${prefix}*pieces*`)))).flat()).toEqual([]);
      },
    };
  };

  test.concurrent('a sandbox: the event runs again with a run of its own', { timeout: 180_000 }, async () => {
    const world = await worldOf('sandbox');
    await using platform = await world.startNode();
    await world.begin(platform);
    for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
    expect(await world.result()).toBe('1');
    expect(await world.attempts()).toBe('2');
    await world.nothingLeft(platform.door);
  });

  test.concurrent('a node: another one runs the event, and removes what the dead one left', {
    timeout: 180_000,
  }, async () => {
    const world = await worldOf('node');
    await using first = await world.startNode();
    await world.begin(first);
    await using second = await world.startNode();
    await first.kill();
    expect(await world.result()).toBe('1');
    expect(await world.attempts()).toBe('2');
    await world.nothingLeft(second.door);
  });

  test.concurrent('a node that stops gives the event to another one', { timeout: 180_000 }, async () => {
    const world = await worldOf('stop');
    const flags = ['--drain-timeout', '500ms'];
    await using first = await world.startNode(flags);
    await world.begin(first);
    await using second = await world.startNode(flags);
    expect(await first.stop()).toBe(0);
    expect(await world.result()).toBe('1');
    expect(await world.attempts()).toBe('2');
    await world.nothingLeft(second.door);
  });

  test.concurrent('nothing: an entry that sleeps keeps its claim, whoever else is there', {
    timeout: 180_000,
  }, async () => {
    const world = await worldOf('sleep');
    const orders = world.key('orders');
    await using first = await world.startNode();
    await using _second = await world.startNode();
    const { ids } = await loadFunction(
      first.door,
      'sleeper',
      `GB('StreamReader').foreach(async () => {
        await execute('INCR', '${world.key('attempts')}');
        await sleep(5);
        await execute('SET', '${world.key('result')}', 'slept');
      }).register({ prefix: '${orders}', mode: 'async_local', onFailedPolicy: 'retry' });`,
    );
    await client.xadd(orders, '*', 'n', '1');
    let longestIdleMs = 0;
    await waitFor(
      async () => {
        const pending = (await client.xpending(orders, ids[0] ?? '', '-', '+', 10)) as [string, string, number][];
        for (const [, , idleMs] of pending) longestIdleMs = Math.max(longestIdleMs, idleMs);
        return (await client.get(world.key('result'))) === 'slept';
      },
      { what: 'it has slept', deadlineMs: 60_000 },
    );
    expect(longestIdleMs).toBeGreaterThan(0);
    expect(longestIdleMs).toBeLessThan(4_500);
    expect(await world.attempts()).toBe('1');
  });
});
