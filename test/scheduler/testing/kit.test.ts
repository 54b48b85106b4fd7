import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectRetrySafe, loadFunction, startRedis, streamEntries, type TestRedis } from '../../../scheduler/testing/index.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

test('clicks', async () => {
  await using clicks = await loadFunction({ file: 'functions/examples/clicks.ts', redis });
  const got = await clicks.deliver(streamEntries('events:web', { user: 'ann', page: '/home' }, { user: 'bob' }));
  console.log(JSON.stringify(got, null, 1));
  console.log(await redis.call('HGETALL', 'clicks:ann'));
  const t = performance.now();
  const e = await expectRetrySafe(clicks, streamEntries('events:web', { user: 'ann', page: '/home' })).catch((x) => x);
  console.log(String(e), performance.now() - t);
});
test('orders', async () => {
  await using clicks = await loadFunction({ file: 'functions/examples/orders.ts', redis });
  const e = await expectRetrySafe(clicks, streamEntries('orders:shop', { item: 'tea', count: 2 }), {setup: (r) => r.call('SET', 'stock:{tea}', 5)}).catch((x) => x);
  console.log(String(e));
});
