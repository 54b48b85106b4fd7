import { describe, expect, test } from 'vitest';
import { createHashTags, SLOT_COUNT, slotOfKey } from '../../../functions/redis/hash-tags.ts';
import { createCommandTable } from '../../../functions/redis/server-command-table.ts';
import { freePort } from '../../support/free-port.ts';
import { startRedis } from '../../support/redis.ts';

describe('slots', () => {
  test('they are those of a server, hash tags and bytes included', async () => {
    await using node = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
    });
    const client = node.client();
    const ofServer = (key: string): Promise<unknown> => client.call('CLUSTER', 'KEYSLOT', Buffer.from(key, 'latin1'));
    expect(slotOfKey('06S')).toBe(0);
    for (const key of ['a', '{a}b', 'x{a}y', '{}a', 'a{}{b}', '{a', 'a}b{c}', '{{a}}', '\xff\x00{\xe4}', '']) {
      expect([key, slotOfKey(key)]).toEqual([key, await ofServer(key)]);
    }
  });

  test('every slot has a short tag', () => {
    const tags = createHashTags();
    expect(tags.tagOfSlot(0)).toBe('06S');
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const tag = tags.tagOfSlot(slot);
      expect(slotOfKey(`{${tag}}`)).toBe(slot);
      expect(tag).toMatch(/^[0-9A-Za-z]{1,3}$/);
    }
  });
});

const KEYS: readonly (readonly [command: string, keys: string])[] = [
  ['PING', ''],
  ['get k', 'k'],
  ['MGET a b c', 'a b c'],
  ['MSET a 1 b 2', 'a b'],
  ['BITOP AND d a b', 'd a b'],
  ['DEL a b', 'a b'],
  ['XADD s * f v', 's'],
  ['XGROUP CREATE s g $', 's'],
  ['XINFO STREAM s', 's'],
  ['OBJECT ENCODING k', 'k'],
  ['MEMORY USAGE k', 'k'],
  ['EVAL return 2 a b x', 'a b'],
  ['EVALSHA sha 0 x', ''],
  ['EVALSHA sha many x', ''],
  ['FCALL f 1 k a', 'k'],
  ['XREAD COUNT 1 STREAMS a b 0 0', 'a b'],
  ['XREADGROUP GROUP streams c COUNT 5 NOACK STREAMS a b > >', 'a b'],
  ['SORT l BY w_* GET # GET o_* LIMIT 0 9 STORE d', 'l w_* o_* d'],
  ['SORT l BY nosort', 'l'],
  ['ZUNION 2 a b WEIGHTS 1 2', 'a b'],
  ['ZUNIONSTORE d 2 a b', 'd a b'],
  ['ZDIFFSTORE d 1 a', 'd a'],
  ['SINTERCARD 2 a b LIMIT 1', 'a b'],
  ['LMPOP 1 a LEFT', 'a'],
  ['BZMPOP 0 2 a b MIN', 'a b'],
  ['GEORADIUS g 1 2 3 km STOREDIST d', 'g d'],
  ['GEORADIUSBYMEMBER g m 3 km COUNT 3 STORE d', 'g d'],
  ['MIGRATE h 1 k 0 5', 'k'],
  ['SSUBSCRIBE ch', 'ch'],
  ['BLPOP a b 0', 'a b'],
  ['SET', ''],
  ['NOSUCH k', ''],
  ['constructor k', ''],
];

test('keys are found as the server finds them', async () => {
  await using redis = await startRedis();
  const client = redis.client();
  const table = createCommandTable(await client.call('COMMAND'));
  expect(table.find('Acl', 'DryRun')?.name).toBe('acl|dryrun');
  expect(table.find('get')?.flags.has('readonly')).toBe(true);
  expect(table.find('nosuch')).toBeUndefined();
  expect(table.find('dbsize')).toMatchObject({ requestPolicy: 'all_shards', responsePolicy: 'agg_sum' });
  expect(table.find('keys')).toMatchObject({ requestPolicy: 'all_shards', responsePolicy: null });
  expect(table.find('get')).toMatchObject({ requestPolicy: null, responsePolicy: null });
  for (const [command, keys] of KEYS) {
    const args = command.split(' ');
    expect([command, table.keysOf(args).join(' ')]).toEqual([command, keys]);
    const asked = await client.call('COMMAND', 'GETKEYS', ...args).catch(() => null);
    // The server leaves out the patterns of SORT: they are no keys to it, but they are read all the same.
    if (Array.isArray(asked) && !command.startsWith('SORT'))
      expect([command, asked.join(' ')]).toEqual([command, keys]);
  }
  expect(table.keysOf(['MIGRATE', 'h', '1', '', '0', '5', 'AUTH', 'keys', 'KEYS', 'a', 'b'])).toEqual(['a', 'b']);
  expect(table.keysOf([])).toEqual([]);
});
