import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const STREAMS = 6;
const PER_STREAM = 100;
const RATE = { count: 50, perMs: 500 };
/** Between the moment an event may start and the moment its effect is in Redis, on a busy machine. */
const DELAY_MS = 500;

test.each(['async_local', 'sync', 'async'])(
  'the rate holds while a node is killed and its work is taken over (mode %s)',
  { timeout: 120_000 },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    await using first = await startPlatformProcess({ redisUrl: redis.url });
    await using second = await startPlatformProcess({ redisUrl: redis.url });
    const source = `GB('StreamReader')
      .foreach((r) => execute('XADD', 'marks', '*', 'id', r.key + r.id))
      .register({ prefix: 'in:*', mode: '${mode}', rateLimit: { count: ${RATE.count}, per: ${RATE.perMs} } });`;
    for (let n = 0; n < STREAMS * PER_STREAM; n += 1) await client.xadd(`in:${n % STREAMS}`, '*', 'n', String(n));
    await second.door.call('RG.FUNCTION', 'LOAD', 'rated', source);
    await waitFor(async () => (await client.xlen('marks')) >= 100, { what: 'it is under way' });
    await first.kill();
    const marks = async (): Promise<[string, string[]][]> => client.xrange('marks', '-', '+');
    await waitFor(async () => new Set((await marks()).map(([, [, id]]) => id)).size === STREAMS * PER_STREAM, {
      deadlineMs: 60_000,
      what: 'every entry has run',
    });
    const times = (await marks()).map(([id]) => Number(id.split('-')[0]));
    for (const windowMs of [250, 500, 1_000, 2_000]) {
      const most = RATE.count + (RATE.count * (windowMs + DELAY_MS)) / RATE.perMs;
      for (const from of times) {
        expect(times.filter((at) => at >= from && at < from + windowMs).length).toBeLessThanOrEqual(most);
      }
    }
    expect(second.log()).not.toContain('"level":60');
  },
);
