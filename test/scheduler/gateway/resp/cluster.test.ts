import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisAccess } from '#functions';
import { startCluster, type TestCluster } from '../../../support/redis-cluster.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Door, openDoor } from '../support/door.ts';
import { command, type RawClient, rawClient } from '../support/raw-client.ts';

let cluster: TestCluster;
let access: RedisAccess;
let door: Door;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
  access = await connectRedis({ url: cluster.url });
  door = await openDoor(0, { access });
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await access?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const KEYS = Array.from({ length: 40 }, (_, n) => `key:${n}`);

test('each command goes to the shard of its key, and a pipeline is answered in order', async () => {
  using client = await rawClient(door.port);
  client.send(KEYS.map((key) => command('SET', key, key)).join(''));
  expect(new Set(await client.replies(40))).toEqual(new Set(['+OK\r\n']));
  client.send(KEYS.map((key) => command('GET', key) + command('RG.TRIGGER', key)).join('') + command('PING'));
  const replies = await client.replies(81);
  expect(replies.filter((_, n) => n % 2 === 0).slice(0, 40)).toEqual(KEYS.map((key) => `$${key.length}\r\n${key}\r\n`));
  expect(replies[79]).toBe('*1\r\n$6\r\nkey:39\r\n');
  expect(replies[80]).toBe('+PONG\r\n');
});

test('a transaction goes to the shard of its first key, keyless commands before it included', async () => {
  using client = await rawClient(door.port);
  for (const key of KEYS.slice(0, 6)) {
    const lines = [['WATCH', key], ['MULTI'], ['PING'], ['SET', key, 'in'], ['GET', key], ['EXEC']];
    client.send(lines.map((args) => command(...args)).join(''));
    const replies = await client.replies(6);
    expect(replies.slice(0, 5)).toEqual(['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '+QUEUED\r\n']);
    expect(replies[5]).toBe('*3\r\n+PONG\r\n+OK\r\n$2\r\nin\r\n');
  }
  client.send(
    command('MULTI') + command('RG.TRIGGER', 'f') + command('SET', 'a', '1') + command('EXEC') + command('GET', 'a'),
  );
  const refused = await client.replies(5);
  expect(refused[1]).toMatch(/^-ERR can not run/);
  expect(refused.slice(3)).toEqual([expect.stringMatching(/^-EXECABORT/), '$-1\r\n']);
  client.send(command('MULTI') + command('DISCARD') + command('MULTI') + command('PING') + command('EXEC'));
  expect((await client.replies(5)).at(-1)).toBe('*1\r\n+PONG\r\n');
});

test('keys of different slots are refused, inside a transaction too', async () => {
  using client = await rawClient(door.port);
  client.send(command('MGET', 'key:1', 'key:2'));
  expect((await client.replies(1))[0]).toMatch(/^-CROSSSLOT/);
  client.send(
    command('MULTI') +
      KEYS.slice(0, 10)
        .map((key) => command('GET', key))
        .join('') +
      command('EXEC'),
  );
  const replies = await client.replies(12);
  expect(replies.some((reply) => reply.startsWith('-CROSSSLOT'))).toBe(true);
  expect(replies.some((reply) => reply.startsWith('-MOVED'))).toBe(false);
  expect(replies[11]).toMatch(/^-(EXECABORT|CROSSSLOT)/);
});

test('the state of a connection is the same on every shard', async () => {
  using client = await rawClient(door.port);
  client.send(
    command('HELLO', '3') +
      command('CLIENT', 'SETNAME', 'me') +
      KEYS.slice(0, 9)
        .map((key) => command('HGETALL', `hash:${key}`))
        .join(''),
  );
  const replies = await client.replies(11);
  expect(new Set(replies.slice(2))).toEqual(new Set(['%0\r\n']));
  const names = await Promise.all(cluster.primaries.map((node) => node.client.call('CLIENT', 'LIST')));
  expect(names.filter((list) => String(list).includes('name=me')).length).toBe(3);
});

test('slots that move are followed, without the client seeing MOVED or ASK', async () => {
  using client = await rawClient(door.port);
  const key = 'moving';
  const slot = access.slotOf(key);
  client.send(command('SET', key, '1'));
  await client.replies(1);
  for (const node of cluster.primaries) {
    await cluster.moveSlot(slot, node);
    client.send(command('INCR', key) + command('XADD', `s{${key}}`, '*', 'f', 'v'));
    const [incremented = '', added = ''] = await client.replies(2);
    expect(incremented).toMatch(/^:\d\r\n$/);
    expect(added).toMatch(/^\$/);
  }
  expect(door.rung.filter((each) => each === `s{${key}}`).length).toBe(3);
});

test('subscriptions and blocking reads work', async () => {
  using client = await rawClient(door.port);
  using other = await rawClient(door.port);
  client.send(command('SUBSCRIBE', 'a', 'b'));
  await client.replies(2);
  other.send(command('PUBLISH', 'b', 'hello'));
  expect((await client.replies(1))[0]).toContain('hello');
  client.send(command('UNSUBSCRIBE'));
  await client.replies(2);
  client.send(command('BLPOP', 'queue', '0'));
  await waitFor(() => door.server.connections() === 2, { what: 'both connections' });
  other.send(command('RPUSH', 'queue', 'x'));
  expect((await client.replies(1))[0]).toBe('*2\r\n$5\r\nqueue\r\n$1\r\nx\r\n');
});

describe('commands without keys', () => {
  const ofShard = (): Promise<number[]> => Promise.all(cluster.primaries.map(({ client }) => client.dbsize()));

  async function fill(client: RawClient, begin: string): Promise<readonly string[]> {
    const keys = Array.from({ length: 60 }, (_, n) => `${begin}:${n}`);
    client.send(command('FLUSHALL') + keys.map((key) => command('SET', key, '1')).join(''));
    expect(new Set(await client.replies(61))).toEqual(new Set(['+OK\r\n']));
    return keys;
  }

  test('count, list and delete on all shards, in the order of the pipeline', async () => {
    using client = await rawClient(door.port);
    const keys = await fill(client, 'all');
    expect((await ofShard()).every((size) => size > 0)).toBe(true);
    client.send(command('DBSIZE') + command('KEYS', 'all:*') + command('SET', 'more', '1') + command('dbsize'));
    const [size, listed = '', , after] = await client.replies(4);
    expect(size).toBe(':60\r\n');
    expect(listed.startsWith('*60\r\n')).toBe(true);
    expect([...listed.matchAll(/all:\d+/g)].map(([key]) => key).sort()).toEqual([...keys].sort());
    expect(after).toBe(':61\r\n');
    client.send(command('RANDOMKEY') + command('FLUSHALL') + command('DBSIZE') + command('RANDOMKEY'));
    const [random, ...rest] = await client.replies(4);
    expect(random).toMatch(/all:|more/);
    expect(rest).toEqual(['+OK\r\n', ':0\r\n', '$-1\r\n']);
    expect(await ofShard()).toEqual([0, 0, 0]);
  });

  test('SCAN walks through all shards and ends', async () => {
    using client = await rawClient(door.port);
    const keys = await fill(client, 'walk');
    const seen = new Set<string>();
    let cursor = '0';
    do {
      client.send(command('SCAN', cursor, 'MATCH', 'walk:*', 'COUNT', '7'));
      const [reply = ''] = await client.replies(1);
      for (const [key] of reply.matchAll(/walk:\d+/g)) seen.add(key);
      cursor = /^\*2\r\n\$\d+\r\n(\d+)\r\n/.exec(reply)?.[1] ?? '0';
    } while (cursor !== '0');
    expect([...seen].sort()).toEqual([...keys].sort());
    client.send(command('SCAN', 'x') + command('SCAN', '999'));
    expect(await client.replies(2)).toEqual(['-ERR invalid cursor\r\n', expect.stringMatching(/^\*2/)]);
  });

  test('a script loaded once runs on every shard, and SCRIPT EXISTS is true when all have it', async () => {
    using client = await rawClient(door.port);
    client.send(command('SCRIPT', 'LOAD', "return redis.call('INCR', KEYS[1])"));
    const sha = (await client.replies(1))[0]?.split('\r\n')[1] ?? '';
    client.send(KEYS.map((key) => command('EVALSHA', sha, '1', `counter:${key}`)).join(''));
    expect(new Set(await client.replies(KEYS.length))).toEqual(new Set([':1\r\n']));
    client.send(command('SCRIPT', 'EXISTS', sha));
    expect(await client.replies(1)).toEqual(['*1\r\n:1\r\n']);
    await cluster.primaries[1]?.client.script('FLUSH');
    client.send(command('SCRIPT', 'EXISTS', sha));
    expect(await client.replies(1)).toEqual(['*1\r\n:0\r\n']);
  });

  test('about the connection or one server are answered by the first shard', async () => {
    using client = await rawClient(door.port);
    client.send(
      command('PING') + command('PING', 'hello') + command('INFO', 'server') + command('PUBLISH', 'nobody', 'x'),
    );
    const [pong, hello, info, published] = await client.replies(4);
    expect([pong, hello, published]).toEqual(['+PONG\r\n', '$5\r\nhello\r\n', ':0\r\n']);
    expect(info).toMatch(/^\$\d+\r\n# Server\r\n/);
  });

  test('are left out where CLIENT REPLY says so, and speak of its shard in a transaction', async () => {
    using client = await rawClient(door.port);
    await fill(client, 'quiet');
    client.send(command('CLIENT', 'REPLY', 'SKIP') + command('DBSIZE') + command('PING'));
    expect(await client.replies(1)).toEqual(['+PONG\r\n']);
    client.send(command('MULTI') + command('GET', 'quiet:1') + command('DBSIZE') + command('EXEC'));
    const size = Number(/:(\d+)\r\n$/.exec((await client.replies(4))[3] ?? '')?.[1]);
    expect(await ofShard()).toContain(size);
  });
});
