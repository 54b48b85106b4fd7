import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const KEYS = 40;
const PER_KEY = 120;

const sourceIn = (mode: string): string => `new GearsBuilder('StreamReader')
  .foreach(async (r) => { await execute('RPUSH', 'order:' + r.value.k, r.value.n); })
  .register({ prefix: 'mixed', mode: '${mode}', key: (r) => r.value.k, onFailedPolicy: 'retry' });`;

/** First occurrences only: a take-over may repeat what was under way, in order. */
function firstOccurrences(values: readonly string[]): number[] {
  return [...new Set(values)].map(Number);
}

const TITLE = 'the order of every key of a stream survives the death of the node that runs it (mode %s)';

test.each(['sync', 'async'])(TITLE, { timeout: 180_000 }, async (mode) => {
  await using redis = await startRedis();
  const client = redis.client();
  await using first = await startPlatformProcess({ redisUrl: redis.url });
  await using second = await startPlatformProcess({ redisUrl: redis.url });
  await first.door.call('RG.FUNCTION', 'LOAD', 'order', sourceIn(mode));
  const done = async (): Promise<number> => {
    const lists = await Promise.all(Array.from({ length: KEYS }, (_, k) => client.lrange(`order:${k}`, 0, -1)));
    return lists.reduce((sum, values) => sum + new Set(values).size, 0);
  };
  const holder = async (): Promise<string> => {
    const [lease = ''] = await client.keys('rg:*:lease:order/stream/mixed');
    return (await client.hget(lease, 'mixed')) ?? '';
  };
  for (let n = 0; n < PER_KEY; n += 1) {
    const pipeline = client.pipeline();
    for (let k = 0; k < KEYS; k += 1) pipeline.xadd('mixed', '*', 'k', String(k), 'n', String(n));
    await pipeline.exec();
    // The node that has the stream's lease: slots are given in the order in which nodes start.
    if (n === PER_KEY / 4) await ((await holder()).startsWith('n0:') ? first : second).kill();
  }
  await waitFor(async () => (await done()) === KEYS * PER_KEY, { deadlineMs: 90_000, what: 'all entries have run' });
  const expected = Array.from({ length: PER_KEY }, (_, n) => n);
  for (let k = 0; k < KEYS; k += 1) {
    const values = await client.lrange(`order:${k}`, 0, -1);
    expect(firstOccurrences(values)).toEqual(expected);
    const backwards = values.filter((value, n) => n > 0 && Number(value) < Number(values[n - 1]));
    expect(backwards.length, 'only the take-over may go back, once').toBeLessThanOrEqual(1);
  }
  expect(first.log() + second.log()).not.toContain('"level":60');
});
