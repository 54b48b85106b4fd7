import process from 'node:process';
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitForCount } from '../support/wait.ts';
import { childrenOf, endsOf, loadFlow, produce, runsOf, SEEN, settled, streamsOf, sumOf } from './flow.ts';

const TOTAL = 100_000;
/** In mode `sync` a stream runs one entry after the other: its speed is that of many streams. */
const MODES = [
  { mode: 'async_local', streams: 1 },
  { mode: 'sync', streams: 16 },
  { mode: 'async', streams: 1 },
] as const;
/** Only ends a test that waits for nothing; those that wait fail when nothing moves. */
const TIMEOUT_MS = 600_000;

async function seen(client: Redis, count: number): Promise<void> {
  await waitForCount(() => client.hlen(SEEN), Math.min(count, TOTAL), { what: `${count} entries have run` });
}

/** First runs only: whoever goes on after a kill may repeat, in order, what was under way. */
async function expectOrder(client: Redis, streams: number): Promise<void> {
  for (const stream of streamsOf(streams)) {
    const firsts = [...new Set(await runsOf(client, stream))];
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  }
}

async function expectAllEnded(client: Redis, door: Redis, flow: { group: string; ids: readonly string[] }) {
  const ends = await endsOf(door, flow.group);
  expect(sumOf(ends)).toBe(flow.ids.length);
  expect(ends.dead).toBe(0);
  expect(await client.hlen(SEEN)).toBe(flow.ids.length);
}

test.each(MODES)(
  'every entry of 100,000 has an end when sandbox processes are killed at random points ($mode)',
  { timeout: TIMEOUT_MS },
  async ({ mode, streams }) => {
    await using redis = await startRedis();
    const client = redis.client();
    await using platform = await startPlatformProcess({ redisUrl: redis.url });
    const group = await loadFlow(platform.door, { mode, streams, keepOrder: mode === 'sync' });
    const producing = produce(client, TOTAL, { streams });
    for (let kills = 0; kills < 4; kills += 1) {
      const step = Math.floor(Math.random() * 15_000) + 2_000;
      await seen(client, (await client.hlen(SEEN)) + step);
      for (const pid of await childrenOf(platform.pid)) process.kill(pid, 'SIGKILL');
    }
    const ids = await producing;
    await settled(client, group, streams);
    await expectAllEnded(client, platform.door, { group, ids });
    if (mode === 'sync') await expectOrder(client, streams);
  },
);

test.each(MODES)(
  'a second node takes over and finishes when a node is killed in full flow ($mode)',
  { timeout: TIMEOUT_MS },
  async ({ mode, streams }) => {
    await using redis = await startRedis();
    const client = redis.client();
    const start = () => startPlatformProcess({ redisUrl: redis.url });
    const nodes = await Promise.all([start(), start()]);
    await using first = nodes[0];
    await using second = nodes[1];
    const group = await loadFlow(first.door, { mode, streams, keepOrder: mode === 'sync' });
    const producing = produce(client, TOTAL, { streams });
    await seen(client, Math.floor(Math.random() * 40_000) + 5_000);
    await first.kill();
    const ids = await producing;
    await settled(client, group, streams);
    await expectAllEnded(client, second.door, { group, ids });
    if (mode === 'sync') await expectOrder(client, streams);
    const lengths = await Promise.all(streamsOf(streams).map((stream) => client.xlen(stream)));
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(ids.length);
  },
);
