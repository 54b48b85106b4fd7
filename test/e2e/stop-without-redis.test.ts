import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';

test('a node whose Redis is gone for good ends when it is asked to', async () => {
  await using redis = await startRedis();
  await using platform = await startPlatformProcess({ redisUrl: redis.url, flags: ['--drain-timeout', '200ms'] });
  await redis.kill();
  expect([0, 1]).toContain(await platform.stop());
});
