import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { type TestRedis, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

const ENTRIES = 200;

let redis: TestRedis;
let platform: PlatformProcess;

beforeAll(async () => {
  redis = await startRedis();
  platform = await startPlatformProcess({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

/** Early entries wait longer than late ones before they write. */
const UNEVEN = `foreach(async (r) => {
    for (let n = Number(r.value.n) % 4; n < 4; n += 1) await execute('PING');
    await execute('RPUSH', 'order:' + r.key, r.value.n);
  })`;

const PLANS = {
  'each entry by itself': `${UNEVEN}`,
  'a batch that is summed up': `${UNEVEN}.accumulate((sum, r) => (sum ?? 0) + 1).foreach(async (sum) => {
    await execute('INCRBY', 'summed', sum);
  })`,
};

test.each(
  Object.entries(PLANS).flatMap(([what, plan]) =>
    (['continue', 'retry'] as const).map((policy) => [policy, what, plan] as const),
  ),
)('effects of sync with %s are in the order of the stream: %s', async (policy, what, plan) => {
  const stream = `${policy}-${what.length}`;
  const client = redis.client();
  for (let n = 0; n < ENTRIES; n += 1) await client.xadd(stream, '*', 'n', String(n));
  const options = `{ prefix: '${stream}', mode: 'sync', batch: 50, onFailedPolicy: '${policy}' }`;
  await loadFunction(platform.door, stream, `new GB('StreamReader').${plan}.register(${options});`);
  await waitFor(async () => (await client.llen(`order:${stream}`)) === ENTRIES, { what: 'all have written' });
  expect((await client.lrange(`order:${stream}`, 0, -1)).map(Number)).toEqual(
    Array.from({ length: ENTRIES }, (_, n) => n),
  );
});
