import { expect, test } from 'vitest';
import { startRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { openDoor } from '../support/door.ts';
import { command, rawClient } from '../support/raw-client.ts';

test('while Redis is gone commands answer an error, and the connection goes on with its state when it is back', async () => {
  await using redis = await startRedis();
  await using door = await openDoor(redis.port);
  using client = await rawClient(door.port);
  client.send(command('HELLO', '3') + command('SELECT', '3') + command('RG.TRIGGER', 'f'));
  await client.replies(3);
  client.send(command('BLPOP', 'nothing', '0') + command('PING'));
  await waitFor(async () => String(await redis.client().call('CLIENT', 'LIST')).includes('cmd=blpop'), {
    what: 'BLPOP',
  });
  await redis.kill();
  expect(await client.replies(2)).toEqual(['-ERR upstream connection lost\r\n', '-ERR upstream connection lost\r\n']);
  client.send(command('GET', 'a') + command('RG.TRIGGER', 'f'));
  const gone = await client.replies(2);
  expect(gone.map((reply) => reply.split(' ')[0])).toEqual(['-LOADING', '-LOADING']);
  await redis.restart();
  client.send(command('SET', 'a', '1') + command('HGETALL', 'h') + command('RG.TRIGGER', 'f'));
  expect(await client.replies(3)).toEqual(['+OK\r\n', '%0\r\n', '*1\r\n$1\r\nf\r\n']);
  expect(await redis.client({ db: 3 }).get('a')).toBe('1');
});

test.each([
  ['a transaction', [command('MULTI')]],
  ['a watched key', [command('WATCH', 'k')]],
  ['a subscription', [command('SUBSCRIBE', 'c')]],
  ['half a request', [command('PING'), '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nhalf']],
])('a client with %s is disconnected when Redis goes: its state cannot be had again', async (_, writes) => {
  await using redis = await startRedis();
  await using door = await openDoor(redis.port);
  using client = await rawClient(door.port);
  for (const text of writes) client.send(text);
  await client.replies(1);
  await redis.kill();
  await client.closed();
});

test('draining lets calls in work answer and takes no new clients', async () => {
  await using redis = await startRedis();
  await using door = await openDoor(redis.port);
  using idle = await rawClient(door.port);
  using busy = await rawClient(door.port);
  busy.send(command('PING'));
  await busy.replies(1);
  busy.send(command('BLPOP', 'q', '0'));
  await waitFor(async () => String(await redis.client().call('CLIENT', 'LIST')).includes('cmd=blpop'), {
    what: 'BLPOP',
  });
  const drained = door.server.drain(3_000);
  await idle.closed();
  await expect(rawClient(door.port).then((late) => late.replies(1))).rejects.toThrow();
  await redis.client().rpush('q', 'x');
  expect(await busy.closed()).toBe('*2\r\n$1\r\nq\r\n$1\r\nx\r\n');
  await drained;
});
