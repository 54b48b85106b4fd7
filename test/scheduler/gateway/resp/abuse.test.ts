import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Door, openDoor } from '../support/door.ts';
import { command, type RawClient, rawClient } from '../support/raw-client.ts';

let redis: TestRedis;
let door: Door;
let neighbour: Redis;

beforeAll(async () => {
  redis = await startRedis();
  door = await openDoor(redis.port, {
    settings: { maxOutputBytes: 1024 * 1024, maxBulkBytes: 64 * 1024 * 1024, maxConnections: 2_500 },
  });
  neighbour = door.client();
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

test.each([
  ['a huge bulk length', '*2\r\n$3\r\nGET\r\n$99999999999\r\n', /invalid bulk length/],
  ['a bulk beyond the limit', `*2\r\n$3\r\nGET\r\n$${65 * 1024 * 1024}\r\n`, /invalid bulk length/],
  ['a negative bulk length', '*1\r\n$-5\r\n', /invalid bulk length/],
  ['an endless array', '*2147483647\r\n', /invalid multibulk length/],
  ['no number', '*x\r\n', /invalid multibulk length/],
  ['a number without end', `*${'1'.repeat(100)}`, /invalid multibulk length/],
  ['something else than a bulk', '*1\r\n:5\r\n', /expected '\$', got ':'/],
  ['an endless inline request', 'x'.repeat(70_000), /too big inline request/],
  [
    'a large request of ours',
    `*3\r\n$10\r\nRG.TRIGGER\r\n$1\r\nf\r\n$9000000\r\n${'x'.repeat(1_500_000)}`,
    /too big request/,
  ],
])('%s ends that connection with an error, after the replies before it', async (_, text, error) => {
  using client = await rawClient(door.port);
  client.send(command('PING') + command('RG.TRIGGER', 'f') + text);
  const said = await client.closed();
  expect(said).toMatch(/^\+PONG\r\n\*1\r\n\$1\r\nf\r\n-ERR Protocol error: .*\r\n$/);
  expect(said).toMatch(error);
  expect(await neighbour.ping()).toBe('PONG');
});

test('half a frame waits without harm and can be completed', async () => {
  using client = await rawClient(door.port);
  client.send('*3\r\n$10\r\nRG.TRIG');
  await neighbour.call('RG.TRIGGER', 'f');
  client.send('GER\r\n$1\r\nf\r\n$1\r\n');
  await neighbour.ping();
  client.send('x\r\n');
  expect(await client.replies(1)).toEqual(['*2\r\n$1\r\nf\r\n$1\r\nx\r\n']);
});

test('a client that does not read holds up only itself', async () => {
  await redis.client().set('megabyte', 'x'.repeat(1_000_000));
  using slow = await rawClient(door.port);
  slow.socket.pause();
  slow.send(command('GET', 'megabyte').repeat(100));
  for (let n = 0; n < 20; n += 1) expect(await neighbour.call('RG.TRIGGER', 'f', 'x')).toEqual(['f', 'x']);
  slow.socket.resume();
  expect(await slow.replies(100)).toHaveLength(100);
});

test('a client that calls functions and never reads is waited for, and gets everything once it reads', async () => {
  using slow = await rawClient(door.port);
  slow.socket.pause();
  const argument = 'x'.repeat(10_000);
  slow.send(command('RG.TRIGGER', 'f', argument).repeat(2_000));
  for (let n = 0; n < 20; n += 1) expect(await neighbour.ping()).toBe('PONG');
  slow.socket.resume();
  expect(await slow.replies(2_000)).toHaveLength(2_000);
});

test('long calls of one client are in work only as far as their answers fit, however slowly they come', async () => {
  using client = await rawClient(door.port);
  const argument = 'x'.repeat(10_000);
  const held = door.calls.hold();
  client.send(command('RG.TRIGGER', 'f', argument).repeat(500));
  await waitFor(() => held.size >= 20, { what: 'calls are in work' });
  for (let n = 0; n < 20; n += 1) expect(await neighbour.ping()).toBe('PONG');
  expect(held.size).toBeLessThan(40);
  held.release();
  expect(await client.replies(500)).toHaveLength(500);
});

test('2,000 idle connections cost Redis nothing, and more than allowed are refused', async () => {
  const admin = redis.client();
  const upstreams = async (): Promise<number> =>
    String(await admin.call('CLIENT', 'LIST'))
      .trim()
      .split('\n').length;
  const before = await upstreams();
  const idle: RawClient[] = [];
  try {
    for (let n = 0; n < 2_000; n += 100) {
      idle.push(...(await Promise.all(Array.from({ length: 100 }, () => rawClient(door.port)))));
    }
    await waitFor(() => door.server.connections() > 2_000, { what: 'all connections' });
    expect(await upstreams()).toBe(before);
    expect(await neighbour.call('RG.TRIGGER', 'f')).toEqual(['f']);
    for (let n = 0; n < 510; n += 1) idle.push(await rawClient(door.port));
    const last = idle.at(-1) as RawClient;
    expect(await last.closed()).toBe('-ERR max number of clients reached\r\n');
  } finally {
    for (const client of idle) client.socket.destroy();
  }
  await waitFor(() => door.server.connections() === 1, { what: 'all gone' });
});
