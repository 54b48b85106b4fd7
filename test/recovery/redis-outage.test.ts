import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitForCount } from '../support/wait.ts';
import { endsOf, loadFlow, produce, SEEN, settled, streamsOf, sumOf } from './flow.ts';

const TOTAL = 100_000;
/** In mode `sync` a stream runs one entry after the other, each with writes that go to the disk: fewer of them, on many streams. */
const MODES = [
  { mode: 'async_local', streams: 1, total: TOTAL },
  { mode: 'sync', streams: 16, total: TOTAL / 10 },
  { mode: 'async', streams: 1, total: TOTAL },
] as const;
/** How long Redis stays away: the subject of the test, not a wait for something. */
const OUTAGE_MS = 30_000;

interface Outage {
  readonly mode: (typeof MODES)[number]['mode'];
  readonly streams: number;
  readonly total: number;
  readonly outageMs: number;
}

async function expectEnds({ mode, streams, total, outageMs }: Outage): Promise<void> {
  await using redis = await startRedis({ aof: true, args: ['--appendfsync', 'always'] });
  const client = redis.client();
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  const group = await loadFlow(platform.door, { mode, streams });
  const producing = produce(client, total, { streams });
  await waitForCount(() => client.hlen(SEEN), total / 5, { what: 'the flow is on' });
  await redis.kill();
  await pause(outageMs);
  await redis.restart();
  const ids = await producing;
  await settled(client, group, streams);
  const lengths = await Promise.all(streamsOf(streams).map((stream) => client.xlen(stream)));
  const written = lengths.reduce((sum, length) => sum + length, 0);
  expect(written).toBeGreaterThanOrEqual(ids.length);
  expect(sumOf(await endsOf(platform.door, group))).toBe(written);
  expect(await client.hlen(SEEN)).toBe(written);
}

test.each(MODES)(
  'every entry has an end when Redis is restarted with its append-only file in full flow ($mode)',
  { timeout: 600_000 },
  (run) => expectEnds({ ...run, outageMs: 0 }),
);

// Each on a server of its own: they wait at the same time.
test.concurrent.each(MODES)(
  'every entry has an end when Redis is gone for 30 s in full flow ($mode)',
  { timeout: 600_000 },
  (run) => expectEnds({ ...run, outageMs: OUTAGE_MS }),
);
