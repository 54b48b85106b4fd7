import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const FLAGS = ['--heartbeat', '100ms', '--heartbeat-timeout', '1s', '--block', '500ms', '--execution-idle', '30s'];

test('an execution on which nobody works is aborted after the idle time', { timeout: 120_000 }, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  await client.set('k', '1');
  const script =
    "GB().map(async (r) => { for (let n = 0; n < 9_000; n += 1) await execute('PING'); return r.key; }).run('k')";
  const first = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
  const id = (await first.door.call('RG.JSEXECUTE', script, 'UNBLOCKING')) as string;
  const statusAt = async (door: typeof first.door): Promise<unknown> =>
    ((await door.call('RG.GETEXECUTION', id, 'SHARD')) as [[string, string, string, unknown[]]])[0][3][1];
  await waitFor(async () => (await statusAt(first.door)) === 'running', { what: 'it runs' });
  await first[Symbol.asyncDispose]();
  // Without its job no other node begins it anew.
  await client.del(await client.keys('rg:{queue}*'));
  await using second = await startPlatformProcess({ redisUrl: redis.url, flags: FLAGS });
  expect(await second.door.call('RG.CONFIGSET', 'ExecutionMaxIdleTime', 1_000)).toEqual(['OK']);
  await waitFor(async () => (await statusAt(second.door)) === 'aborted', {
    what: 'it is aborted',
    deadlineMs: 20_000,
  });
  expect(await second.door.call('RG.GETRESULTSBLOCKING', id)).toEqual([[], ['Execution max idle reached']]);
  expect(await second.door.call('RG.DROPEXECUTION', id)).toBe('OK');
});
