import process from 'node:process';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { childrenOf, endsOf, loadFlow, produce, SEEN, STREAM, settled, sumOf } from './flow.ts';

const TOTAL = 100_000;

test.each(['async_local', 'sync', 'async'] as const)(
  'every entry of 100,000 has an end when sandbox processes are killed at random points (%s)',
  { timeout: 180_000 },
  async (mode) => {
    await using redis = await startRedis({ aof: true });
    const client = redis.client();
    await using platform = await startPlatformProcess({ redisUrl: redis.url });
    const group = await loadFlow(platform.door, { mode });
    const producing = produce(client, TOTAL);
    for (let kills = 0; kills < 4; kills += 1) {
      const before = await client.hlen(SEEN);
      const step = Math.floor(Math.random() * 15_000) + 2_000;
      await waitFor(async () => (await client.hlen(SEEN)) >= Math.min(before + step, TOTAL), {
        deadlineMs: 60_000,
        what: `${step} more entries have run`,
      });
      for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
    }
    const ids = await producing;
    await settled(client, group);
    const ends = await endsOf(platform.door, group);
    expect(sumOf(ends)).toBe(ids.length);
    expect(ends.dead).toBe(0);
    expect(await client.hlen(SEEN)).toBe(ids.length);
  },
);

test.each(['async_local', 'sync', 'async'] as const)(
  'a second node takes over and finishes when a node is killed in full flow (%s)',
  { timeout: 180_000 },
  async (mode) => {
    await using redis = await startRedis({ aof: true });
    const client = redis.client();
    await using first = await startPlatformProcess({ redisUrl: redis.url });
    await using second = await startPlatformProcess({ redisUrl: redis.url });
    const group = await loadFlow(first.door, { mode });
    const producing = produce(client, TOTAL);
    const killAt = Math.floor(Math.random() * 40_000) + 5_000;
    await waitFor(async () => (await client.hlen(SEEN)) >= killAt, { deadlineMs: 60_000, what: 'the flow is on' });
    await first.kill();
    const ids = await producing;
    await settled(client, group);
    expect(sumOf(await endsOf(second.door, group))).toBe(ids.length);
    expect(await client.hlen(SEEN)).toBe(ids.length);
    expect(await client.xlen(STREAM)).toBe(ids.length);
  },
);
