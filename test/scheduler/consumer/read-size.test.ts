import { expect, test } from 'vitest';
import { sharedRedis } from '../../support/shared-redis.ts';
import { recorder, registration, startNode, untilEnded } from './harness.ts';

const redis = sharedRedis();

test('of large entries a read asks for some megabytes, of small ones for all that it may', async () => {
  const sizes = recorder();
  await using node = await startNode({ url: redis.url, execute: sizes.execute });
  const add = async (entries: number, bytes: number): Promise<void> => {
    for (let n = 0; n < entries; n += 100) {
      const pipeline = node.access.client.pipeline();
      for (let i = 0; i < 100; i += 1) pipeline.xadd('s', '*', 'text', 'x'.repeat(bytes));
      await pipeline.exec();
    }
  };
  await add(1_200, 64 * 1024);
  await add(4_000, 10);
  await node.trigger.apply([registration({ batch: 1 })]);
  expect(await untilEnded(node, 5_200)).toMatchObject({ done: 5_200 });
  const counts = sizes.batches.map(({ entryCount }) => entryCount);
  // Some reads are under way before it is known what they bring.
  const unaware = counts.findIndex((count) => count !== 100);
  expect(unaware).toBeGreaterThan(0);
  expect(unaware).toBeLessThanOrEqual(4);
  expect(counts[unaware]).toBeLessThanOrEqual(256);
  expect(Math.max(...counts)).toBe(1_000);
});
