import { expect, test } from 'vitest';
import { connectRedis, decodeReplies, encodeCommand, type ReplyValue } from '#functions';
import { createSinglePipe } from '../../../functions/redis/single-pipe.ts';
import { startRedis } from '../../support/redis.ts';

const text = (...commands: string[]): string => commands.map((command) => encodeCommand(command.split(' '))).join('');

test('groups run as one transaction and every command has one reply', async () => {
  await using redis = await startRedis();
  await using access = await connectRedis({ url: redis.url });
  await using pipe = access.openPipe('pipe');
  const send = async (commands: string[], groups?: [number, number][]): Promise<ReplyValue[]> =>
    decodeReplies(await pipe.send(text(...commands), commands.length, groups));
  expect(await send(['SET a 1', 'GET a'])).toEqual(['OK', '1']);
  const commands = ['INCR a', 'INCR a', 'LPUSH l x y', 'LRANGE l 0 -1', 'GET a', 'GET none'];
  expect(
    await send(commands, [
      [1, 3],
      [4, 4],
    ]),
  ).toEqual([2, 3, 2, ['y', 'x'], '3', null]);
  expect(await send(['INCR a', 'INCR a'], [[0, 1]])).toEqual([4, 5]);
  expect(await send(['PING', 'LPUSH a x', 'INCR a'], [[1, 2]])).toMatchObject(['PONG', { code: 'WRONGTYPE' }, 6]);
  const info = await redis.client().info('commandstats');
  expect(info).toMatch(/cmdstat_exec:calls=4,/);
});

test('a refused transaction gives each command its error', async () => {
  await using redis = await startRedis();
  await using access = await connectRedis({ url: redis.url });
  await using pipe = access.openPipe('pipe');
  const replies = decodeReplies(await pipe.send(text('SET b 1', 'NOSUCH x', 'INCR b', 'EXISTS b'), 4, [[0, 2]]));
  expect(replies).toMatchObject([{ code: 'EXECABORT' }, { code: 'ERR' }, { code: 'EXECABORT' }, 0]);
});

test('wrong groups and counts are refused before anything is sent', async () => {
  const pipe = createSinglePipe({
    send: () => Promise.reject(new Error('was sent')),
    read: () => Promise.reject(new Error('was sent')),
    connected: true,
    onReady: () => () => {},
    reset: () => {},
    [Symbol.asyncDispose]: async () => {},
  });
  await expect(pipe.send(text('PING'), 1, [[0, 1]])).rejects.toThrow('groups must ascend');
  await expect(
    pipe.send(text('PING', 'PING', 'PING'), 3, [
      [1, 2],
      [0, 0],
    ]),
  ).rejects.toThrow('groups must ascend');
  await expect(pipe.send(text('PING', 'PING'), 1, [[0, 0]])).rejects.toThrow('exactly 1 commands');
  await expect(pipe.send(text('PING'), 2, [[0, 0]])).rejects.toThrow('exactly 2 commands');
});
