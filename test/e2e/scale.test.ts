import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow } from './topology.ts';

const STREAMS = 10_000;
const PER_STREAM = 3;
const REGISTRATIONS = 100;
/** Far above what one node needs on one server, far below one per stream or registration. */
const MOST_CONNECTIONS = 48;

const WIDE = `new GB('StreamReader').foreach(async (r) => { await execute('INCR', 'wide'); })
  .register({ prefix: 'w:*', mode: 'async_local' });`;

/** A hundred registrations of one function, in all modes, half of them on one stream, half on a prefix. */
const MANY = `for (let n = 0; n < ${REGISTRATIONS}; n++) {
  const mode = ['sync', 'async_local', 'async'][n % 3];
  new GB('StreamReader').foreach(async (r) => { await execute('HINCRBY', 'many', String(n), 1); })
    .register({ prefix: n % 2 ? 'm:' + n + ':*' : 'm:' + n, mode });
}`;

async function fill(redis: Redis, names: readonly string[]): Promise<void> {
  for (let at = 0; at < names.length; at += 500) {
    const pipeline = redis.pipeline();
    for (const name of names.slice(at, at + 500)) {
      for (let n = 0; n < PER_STREAM; n += 1) pipeline.xadd(name, '*', 'n', String(n));
    }
    await pipeline.exec();
  }
}

async function connections(redis: Redis): Promise<number> {
  const list = String(await redis.client('LIST'));
  return list.split('\n').filter((row) => row !== '' && !row.includes('name=observer')).length;
}

test('ten thousand streams and a hundred registrations run over a bounded number of connections', async () => {
  await using redis = await startRedis();
  const client = redis.client({ connectionName: 'observer' });
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  const idle = await connections(client);
  const wide = Array.from({ length: STREAMS }, (_, n) => `w:${n}`);
  await fill(client, wide.slice(0, STREAMS / 2));
  const { ids } = await loadFunction(platform.door, 'wide', WIDE);
  await fill(client, wide.slice(STREAMS / 2));
  const many = await loadFunction(platform.door, 'many', MANY);
  expect(many.ids).toHaveLength(REGISTRATIONS);
  const streams = Array.from({ length: REGISTRATIONS }, (_, n) =>
    n % 2 === 0 ? [`m:${n}`] : [`m:${n}:a`, `m:${n}:b`],
  );
  await fill(client, streams.flat());

  let most = 0;
  const total = STREAMS * PER_STREAM;
  await waitFor(
    async () => {
      most = Math.max(most, await connections(client));
      return Number((await registrationRow(platform.door, ids[0] ?? '')).get('done')) === total;
    },
    { intervalMs: 250, what: `${total} entries of ${STREAMS} streams have an end` },
  );
  expect(await client.get('wide')).toBe(String(total));
  await waitFor(
    async () => {
      const counts = await client.hgetall('many');
      return streams.every((names, n) => Number(counts[n]) === names.length * PER_STREAM);
    },
    { intervalMs: 100, what: 'every registration has run all of its entries' },
  );
  // News of a stream that has long been quiet still comes.
  await fill(client, ['w:17', 'w:9017']);
  await waitFor(async () => Number(await client.get('wide')) === total + 2 * PER_STREAM, { what: 'late entries run' });
  most = Math.max(most, await connections(client));
  process.stdout.write(`connections: ${idle} with nothing registered, at most ${most} with everything\n`);
  expect(most).toBeLessThanOrEqual(MOST_CONNECTIONS);
  expect(platform.log()).not.toContain('"level":50');
});
