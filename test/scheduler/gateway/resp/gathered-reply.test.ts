import { expect, test } from 'vitest';
import { anyPresent, gatherOf } from '../../../../scheduler/gateway/resp/gathered-reply.ts';
import { asClientScan, parseShardCursor } from '../../../../scheduler/gateway/resp/shard-scan.ts';

function gathered(policy: string | null, ...replies: readonly string[]): string | undefined {
  return gatherOf(policy)?.(replies.map((reply) => Buffer.from(reply))).toString();
}

test.each([
  ['agg_sum', [':1\r\n', ':20\r\n', ':0\r\n'], ':21\r\n'],
  ['agg_sum', ['*2\r\n:1\r\n:2\r\n', '*2\r\n:10\r\n:20\r\n'], '*2\r\n:11\r\n:22\r\n'],
  ['agg_min', [':4\r\n', ':-2\r\n', ':3\r\n'], ':-2\r\n'],
  ['agg_max', [':4\r\n', ':-2\r\n'], ':4\r\n'],
  ['agg_logical_and', ['*2\r\n:1\r\n:1\r\n', '*2\r\n:1\r\n:0\r\n'], '*2\r\n:1\r\n:0\r\n'],
  ['agg_logical_or', [':0\r\n', ':1\r\n'], ':1\r\n'],
  ['all_succeeded', ['+OK\r\n', '+OK\r\n'], '+OK\r\n'],
  ['all_succeeded', ['+OK\r\n', '-ERR no\r\n'], '-ERR no\r\n'],
  ['one_succeeded', ['-NOTBUSY\r\n', '+OK\r\n'], '+OK\r\n'],
  ['one_succeeded', ['-NOTBUSY 1\r\n', '-NOTBUSY 2\r\n'], '-NOTBUSY 1\r\n'],
  [null, ['*1\r\n$1\r\na\r\n', '*0\r\n', '*2\r\n$1\r\nb\r\n*0\r\n'], '*3\r\n$1\r\na\r\n$1\r\nb\r\n*0\r\n'],
  [null, ['*0\r\n', '-LOADING\r\n'], '-LOADING\r\n'],
] as const)('replies of several shards are one by %s: %j', (policy, replies, whole) => {
  expect(gathered(policy, ...replies)).toBe(whole);
});

test('there is no rule for replies that Redis calls special, or names in a way that is not known', () => {
  expect(gatherOf('special')).toBeUndefined();
  expect(gatherOf('agg_median')).toBeUndefined();
});

test('of keys at random one that is there is taken', () => {
  const replies = ['$-1\r\n', '_\r\n', '$1\r\na\r\n'].map((text) => Buffer.from(text));
  expect(anyPresent(replies).toString()).toBe('$1\r\na\r\n');
  expect(anyPresent(replies.slice(0, 1)).toString()).toBe('$-1\r\n');
});

test('a cursor over shards tells the shard and its own cursor, and the last shard ends it', () => {
  const reply = (cursor: string): Buffer => Buffer.from(`*2\r\n$${cursor.length}\r\n${cursor}\r\n*1\r\n$1\r\nk\r\n`);
  const cursorOf = (scanned: Buffer): string => scanned.toString().split('\r\n')[2] ?? '';
  const middle = asClientScan(reply('281474976710655'), 2, 3);
  expect(parseShardCursor(cursorOf(middle))).toEqual({ shard: 2, cursor: '281474976710655' });
  expect(parseShardCursor(cursorOf(asClientScan(reply('0'), 0, 3)))).toEqual({ shard: 1, cursor: '0' });
  expect(asClientScan(reply('0'), 2, 3)).toEqual(reply('0'));
  expect(parseShardCursor('0')).toEqual({ shard: 0, cursor: '0' });
  expect(parseShardCursor('-1')).toBeNull();
  expect(asClientScan(Buffer.from('-ERR\r\n'), 0, 3).toString()).toBe('-ERR\r\n');
});
