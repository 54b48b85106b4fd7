import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { defineScript, isNoScript } from '../../functions/redis/script.ts';
import { startRedis } from '../support/redis.ts';

test('a script runs by its digest, and by its text where the server does not know it', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  const dir = await mkdtemp(join(tmpdir(), 'regears-script-'));
  await writeFile(join(dir, 'add.lua'), "return { KEYS[1], ARGV[1] + redis.call('INCR', KEYS[1]) }");
  const script = defineScript('add', pathToFileURL(join(dir, 'add.lua')));
  await rm(dir, { recursive: true });
  expect(await script.run(client, ['n'], [10])).toEqual(['n', 11]);
  expect(await client.call('EVALSHA', script.sha, 1, 'n', 10)).toEqual(['n', 12]);
  await client.script('FLUSH');
  const unknown = await client.call('EVALSHA', script.sha, 1, 'n', 10).catch((error: unknown) => error);
  expect(isNoScript(unknown)).toBe(true);
  expect(await script.run(client, ['n'], ['10'])).toEqual(['n', 13]);
  await client.set('n', 'text');
  await expect(script.run(client, ['n'], [1])).rejects.toThrow('not an integer');
  expect(await client.info('commandstats')).toMatch(/cmdstat_evalsha:calls=\d+/);
});
