import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

const source = (tag: string, prefix: string): string => `new GB('StreamReader')
  .foreach(async (r) => { await execute('HINCRBY', 'ran', '${tag}', 1); })
  .register({ prefix: '${prefix}', mode: 'async_local' });
  new GB('CommandReader').map(() => '${tag}').register({ trigger: 'who', mode: 'async_local' });`;

test('after FLUSHALL nothing of before runs, every node lives on and says so, and new deploys run', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using first = await startPlatformProcess({ redisUrl: redis.url });
  await using second = await startPlatformProcess({ redisUrl: redis.url });
  const nodes = [first, second];
  await loadFunction(first.door, 'flushed', source('before', 'in:*'));
  await client.xadd('in:1', '*', 'f', 'v');
  await waitFor(async () => (await client.hget('ran', 'before')) === '1', { what: 'the first entry has run' });

  await client.flushall();
  for (const node of nodes) {
    await waitFor(() => node.log().includes('the registry has vanished'), { what: 'the node says what happened' });
    await waitFor(async () => ((await node.door.call('RG.DUMPREGISTRATIONS')) as unknown[]).length === 0, {
      what: 'no registration is left',
    });
    await expect(node.door.call('RG.TRIGGER', 'who')).rejects.toThrow();
  }
  await client.xadd('in:1', '*', 'f', 'v');
  const { version } = await loadFunction(second.door, 'flushed', source('after', 'new:*'));
  expect(version).toBe(1);
  for (let n = 0; n < 20; n += 1) await client.xadd('new:1', '*', 'n', String(n));
  await waitFor(async () => (await client.hget('ran', 'after')) === '20', { what: 'the new version has run' });
  for (const node of nodes) expect(await node.door.call('RG.TRIGGER', 'who')).toEqual(['after']);
  expect(await client.hget('ran', 'before'), 'what was registered before is no zombie').toBeNull();
  expect(await client.xinfo('GROUPS', 'in:1')).toEqual([]);
  for (const node of nodes) expect(node.log()).not.toContain('"level":60');
});

test('a function deployed again in the moment after FLUSHALL is the new one, on every node', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await using first = await startPlatformProcess({ redisUrl: redis.url });
  await using second = await startPlatformProcess({ redisUrl: redis.url });
  for (const tag of ['one', 'two', 'three']) {
    // The same name, the same version number, the same revision of the registry, other content.
    await loadFunction(first.door, 'again', source(tag, 'in:*'));
    for (const node of [first, second]) {
      await waitFor(async () => String(await node.door.call('RG.TRIGGER', 'who')) === tag, { what: `${tag} answers` });
    }
    await client.xadd('in:1', '*', 'f', 'v');
    await waitFor(async () => (await client.hget('ran', tag)) === '1', { what: `${tag} has run` });
    await client.flushall();
  }
});
