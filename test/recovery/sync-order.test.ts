import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitForCount } from '../support/wait.ts';

const STREAMS = 8;
const PER_STREAM = 2_000;

const SOURCE = `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('RPUSH', 'order:' + r.key, r.value.n); })
  .register({ prefix: 'in:*', mode: 'sync', batch: 50, onFailedPolicy: 'retry' });`;

/** First occurrences only: a take-over may repeat the batch that was under way, in order. */
function firstOccurrences(values: readonly string[]): number[] {
  return [...new Set(values)].map(Number);
}

test('sync keeps the order of every stream over two nodes and the death of one', { timeout: 300_000 }, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using first = await startPlatformProcess({ redisUrl: redis.url });
  await using second = await startPlatformProcess({ redisUrl: redis.url });
  await first.door.call('RG.FUNCTION', 'LOAD', 'order', SOURCE);
  const expected = Array.from({ length: PER_STREAM }, (_, n) => n);
  const done = async (): Promise<number> => {
    let sum = 0;
    for (let s = 0; s < STREAMS; s += 1) sum += new Set(await client.lrange(`order:in:${s}`, 0, -1)).size;
    return sum;
  };
  for (let n = 0; n < PER_STREAM; n += 1) {
    const pipeline = client.pipeline();
    for (let s = 0; s < STREAMS; s += 1) pipeline.xadd(`in:${s}`, '*', 'n', String(n));
    await pipeline.exec();
    if (n === PER_STREAM / 4) await first.kill();
  }
  await waitForCount(done, STREAMS * PER_STREAM, { what: 'all entries have run' });
  for (let s = 0; s < STREAMS; s += 1) {
    const values = await client.lrange(`order:in:${s}`, 0, -1);
    expect(firstOccurrences(values)).toEqual(expected);
    const backwards = values.filter((value, n) => n > 0 && Number(value) < Number(values[n - 1]));
    expect(backwards.length, 'only the take-over may go back, once').toBeLessThanOrEqual(1);
  }
  expect(second.log()).not.toContain('"level":60');
});
