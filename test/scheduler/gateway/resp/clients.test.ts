import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Door, openDoor } from '../support/door.ts';

const run = promisify(execFile);
let redis: TestRedis;
let door: Door;

beforeAll(async () => {
  redis = await startRedis();
  door = await openDoor(redis.port);
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

test.each([[['-2']], [['-3']]])('redis-cli %s speaks to functions and to Redis', async (protocol) => {
  const cli = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-p', String(door.port), ...protocol, ...args]);
    return stdout.trim();
  };
  expect(await cli('SET', 'cli', 'Grüße')).toBe('OK');
  expect(await cli('--raw', 'GET', 'cli')).toBe('Grüße');
  expect(await cli('RG.TRIGGER', 'hello', 'you')).toBe('hello\nyou');
  expect(await cli('RG.FUNCTION', 'LIST')).toBe('LIST');
});

test('ioredis pipelines, transactions, scripts, blocking reads and subscriptions work', async () => {
  const client = door.client();
  const pipelined = await client.pipeline().set('a', '1').call('RG.TRIGGER', 'f', 'x').incr('a').exec();
  expect(pipelined?.map(([, value]) => value)).toEqual(['OK', ['f', 'x'], 2]);
  const transaction = await client.multi().incr('a').get('a').exec();
  expect(transaction?.map(([, value]) => value)).toEqual([3, '3']);
  client.defineCommand('double', { numberOfKeys: 1, lua: 'return redis.call("GET", KEYS[1]) * 2' });
  expect(await (client as unknown as { double(key: string): Promise<number> }).double('a')).toBe(6);
  const subscriber = door.client();
  const messages: string[] = [];
  subscriber.on('message', (_channel, message) => messages.push(message));
  await subscriber.subscribe('news');
  await client.publish('news', 'hello');
  await waitFor(() => messages.includes('hello'), { what: 'the message' });
  await subscriber.unsubscribe('news');
  expect(await subscriber.call('RG.TRIGGER', 'f')).toEqual(['f']);
  const blocked = subscriber.blpop('jobs', 0);
  await client.rpush('jobs', 'one');
  expect(await blocked).toEqual(['jobs', 'one']);
  expect(await client.callBuffer('RG.TRIGGER', 'f', Buffer.from([0, 255, 13, 10]))).toEqual([
    Buffer.from('f'),
    Buffer.from([0, 255, 13, 10]),
  ]);
});

test.each([2, 3] as const)('node-redis works with RESP%i', async (RESP) => {
  const client = createClient({ url: `redis://127.0.0.1:${door.port}`, RESP });
  client.on('error', () => {});
  await client.connect();
  try {
    expect(await client.set('node', 'redis')).toBe('OK');
    const both = await Promise.all([
      client.get('node'),
      client.sendCommand(['RG.TRIGGER', 'f', 'x']),
      client.get('none'),
    ]);
    expect(both).toEqual(['redis', ['f', 'x'], null]);
    expect({ ...(await client.hGetAll('none')) }).toEqual({});
    expect(await client.multi().incr('count').incr('count').exec()).toHaveLength(2);
    const subscriber = client.duplicate();
    subscriber.on('error', () => {});
    await subscriber.connect();
    const messages: string[] = [];
    await subscriber.subscribe('channel', (message) => void messages.push(message));
    await client.publish('channel', 'hi');
    await waitFor(() => messages.includes('hi'), { what: 'the message' });
    subscriber.destroy();
  } finally {
    client.destroy();
  }
});
