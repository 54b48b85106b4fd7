import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitForCount } from '../support/wait.ts';
import { endsOf, loadFlow, produce, SEEN, settled, sumOf } from './flow.ts';

const TOTAL = 100_000;
/** How long Redis stays away: the subject of the test, not a wait for something. */
const OUTAGE_MS = 30_000;

test.each([
  { what: 'restarted with its append-only file', outageMs: 0 },
  { what: 'gone for 30 s', outageMs: OUTAGE_MS },
])('every entry has an end when Redis is $what in full flow', { timeout: 400_000 }, async ({ outageMs }) => {
  await using redis = await startRedis({ aof: true, args: ['--appendfsync', 'always'] });
  const client = redis.client();
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  const group = await loadFlow(platform.door, { mode: 'async_local' });
  const producing = produce(client, TOTAL);
  await waitForCount(() => client.hlen(SEEN), 20_000, { what: 'the flow is on' });
  await redis.kill();
  await pause(outageMs);
  await redis.restart();
  const ids = await producing;
  await settled(client, group);
  const written = await client.xlen('flow:in');
  expect(written).toBeGreaterThanOrEqual(ids.length);
  expect(sumOf(await endsOf(platform.door, group))).toBe(written);
  expect(await client.hlen(SEEN)).toBe(written);
});
