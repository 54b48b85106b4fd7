import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { type Door, openDoor } from '../support/door.ts';
import { command, rawClient } from '../support/raw-client.ts';

const BINARY = String.fromCharCode(...Array.from({ length: 256 }, (_, n) => n));

/** Commands whose replies do not depend on time or connection. */
const COMMANDS: readonly (readonly string[])[] = [
  ['PING'],
  ['PING', 'hello'],
  ['ECHO', BINARY],
  ['SET', 'a', BINARY],
  ['get', 'a'],
  ['GET', 'missing'],
  ['GETRANGE', 'a', '0', '-1'],
  ['APPEND', 'a', '\r\n$3\r\nfoo\r\n'],
  ['INCR', 'n'],
  ['INCRBYFLOAT', 'n', '0.5'],
  ['MSET', 'x', '', 'y', '2'],
  ['MGET', 'x', 'y', 'z'],
  ['HSET', 'h', 'f', '1', 'g', '2'],
  ['HGETALL', 'h'],
  ['HGETALL', 'none'],
  ['RPUSH', 'l', 'a', 'b', 'c'],
  ['LRANGE', 'l', '0', '-1'],
  ['LPOP', 'none', '2'],
  ['SADD', 's', 'one'],
  ['SMEMBERS', 's'],
  ['SISMEMBER', 's', 'one'],
  ['ZADD', 'z', '1.5', 'a', 'inf', 'b'],
  ['ZRANGE', 'z', '0', '-1', 'WITHSCORES'],
  ['ZSCORE', 'z', 'a'],
  ['ZSCORE', 'z', 'none'],
  ['XADD', 'st', '1-1', 'f', 'v'],
  ['XRANGE', 'st', '-', '+'],
  ['XREAD', 'COUNT', '1', 'STREAMS', 'st', '0'],
  ['XREAD', 'COUNT', '1', 'STREAMS', 'st', '9'],
  ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo'],
  ['GEOPOS', 'geo', 'Palermo', 'none'],
  ['EVAL', 'return {1,2,{"a",false,true}}', '0'],
  ['EVAL', 'redis.setresp(3); return {double=1.5}', '0'],
  ['EVAL', 'redis.setresp(3); return {map={a=1}}', '0'],
  ['EVAL', 'return redis.error_reply("MYERR no")', '0'],
  ['EVAL', 'return redis.call("GET", KEYS[1])', '1', 'x'],
  ['CONFIG', 'GET', 'maxmemory-policy'],
  ['COMMAND', 'INFO', 'get', 'nope'],
  ['OBJECT', 'ENCODING', 'n'],
  ['DEBUG', 'PROTOCOL', 'attrib'],
  ['INCR', 'h'],
  ['NOSUCH', 'a', 'b'],
  ['GET'],
  ['CLIENT', 'GETNAME'],
  ['CLIENT', 'SETNAME', 'me'],
  ['CLIENT', 'GETNAME'],
  ['SELECT', '1'],
  ['DBSIZE'],
  ['SELECT', '99'],
  ['SELECT', '0'],
  ['WATCH', 'n'],
  ['MULTI'],
  ['INCRBY', 'c', '5'],
  ['NOSUCH'],
  ['EXEC'],
  ['MULTI'],
  ['MULTI'],
  ['SET', 'c', '1'],
  ['INCR', 'c'],
  ['EXEC'],
  ['EXEC'],
  ['DISCARD'],
  ['MULTI'],
  ['DISCARD'],
  ['BLPOP', 'l', '1'],
  ['BLPOP', 'empty', '0.01'],
  ['SUBSCRIBE', 'ch1', 'ch2'],
  ['UNSUBSCRIBE'],
  ['UNSUBSCRIBE'],
  ['PSUBSCRIBE', 'p*'],
  ['PUNSUBSCRIBE', 'p*', 'q*'],
  ['SSUBSCRIBE', 'sh'],
  ['SUNSUBSCRIBE', 'sh'],
  ['SET', 'big', 'x'.repeat(300_000)],
  ['GET', 'big'],
  ['RESET'],
  ['PING', 'after'],
  ['QUIT'],
];

let redis: TestRedis;
let door: Door;
let admin: Redis;

beforeAll(async () => {
  redis = await startRedis({ args: ['--enable-debug-command', 'yes'] });
  admin = redis.client();
  door = await openDoor(redis.port);
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});
beforeEach(() => admin.flushall());

/** All bytes that a connection gives until Redis ends it with QUIT. */
async function transcript(port: number, writes: readonly string[]): Promise<string> {
  using client = await rawClient(port);
  for (const text of writes) {
    client.send(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await client.closed();
}

describe.each(['2', '3'])('in RESP%s', (protocol) => {
  const requests = [['HELLO', protocol], ...COMMANDS].map((args) => command(...args));
  const withoutIds = (text: string): string => text.replace(/\r\nid\r\n:\d+/, '');

  async function both(writes: readonly string[]): Promise<[string, string]> {
    await admin.flushall();
    const direct = await transcript(redis.port, writes);
    await admin.flushall();
    return [withoutIds(direct), withoutIds(await transcript(door.port, writes))];
  }

  test('a pipeline of every kind of command gives the same bytes as Redis itself', async () => {
    const [direct, through] = await both([requests.join('')]);
    expect(through).toBe(direct);
    expect(through.length).toBeGreaterThan(300_000);
  });

  test('the same commands one by one give the same bytes', async () => {
    const [direct, through] = await both(requests);
    expect(through).toBe(direct);
  });

  test('it does not matter where the bytes are cut', async () => {
    const all = [['HELLO', protocol], ...COMMANDS.filter(([name]) => name !== 'SET'), ['QUIT']];
    const text = all.map((args) => command(...args)).join('');
    for (const step of [1, 7, 64]) {
      const cuts = Array.from({ length: Math.ceil(text.length / step) }, (_, n) =>
        text.slice(n * step, (n + 1) * step),
      );
      const [direct, through] = await both(cuts);
      expect(through).toBe(direct);
    }
  });
});

test('inline commands pass through with their quotes', async () => {
  const text = "SET k \"a \\x41\\n\"\r\nget k\nGET  k  \r\n\r\n   \r\nPING\r\nECHO 'it\\'s'\r\n*0\r\nQUIT\r\n";
  expect(await transcript(door.port, [text])).toBe(await transcript(redis.port, [text]));
});

test('a published message arrives between replies, in both protocols', async () => {
  for (const protocol of ['2', '3']) {
    using client = await rawClient(door.port);
    client.send(command('HELLO', protocol) + command('SUBSCRIBE', 'news'));
    await client.replies(2);
    await admin.publish('news', 'one');
    const [message] = await client.replies(1);
    expect(message).toBe(`${protocol === '3' ? '>' : '*'}3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n`);
    client.send(command('PING', 'x') + command('UNSUBSCRIBE', 'news') + command('RG.TRIGGER', 'echo', 'a'));
    const answers = await client.replies(3);
    expect(answers[2]).toBe('*2\r\n$4\r\necho\r\n$1\r\na\r\n');
  }
});

test('MONITOR shows commands and RESET ends it', async () => {
  using client = await rawClient(door.port);
  client.send(command('MONITOR'));
  await client.replies(1);
  await admin.set('watched', '1');
  let line = '';
  while (!line.includes('watched')) [line = ''] = await client.replies(1);
  client.send(command('RESET') + command('RG.TRIGGER', 'echo'));
  const rest = await client.replies(2);
  expect(rest.at(-1)).toBe('*1\r\n$4\r\necho\r\n');
});

test('CLIENT REPLY OFF, SKIP and ON leave out replies, ours too', async () => {
  using client = await rawClient(door.port);
  const lines = [
    ['CLIENT', 'REPLY', 'SKIP'],
    ['PING', 'skipped'],
    ['PING', '1'],
    ['CLIENT', 'REPLY', 'OFF'],
    ['PING', 'unseen'],
    ['RG.TRIGGER', 'unseen'],
    ['SET', 'k', 'v'],
    ['CLIENT', 'REPLY', 'ON'],
    ['CLIENT', 'REPLY', 'SKIP'],
    ['RG.TRIGGER', 'unseen'],
    ['RG.TRIGGER', 'seen'],
    ['GET', 'k'],
  ];
  client.send(lines.map((args) => command(...args)).join(''));
  expect(await client.replies(4)).toEqual(['$1\r\n1\r\n', '+OK\r\n', '*1\r\n$4\r\nseen\r\n', '$1\r\nv\r\n']);
});

test('a stream written through the door rings its bell, also from a transaction', async () => {
  using client = await rawClient(door.port);
  const before = door.rung.length;
  const lines = [
    ['XADD', 'bell', '*', 'f', 'v'],
    ['XADD', 'absent', 'NOMKSTREAM', '*', 'f', 'v'],
    ['XADD', 'wrong'],
    ['MULTI'],
    ['XADD', 'queued', '*', 'f', 'v'],
    ['EXEC'],
    ['MULTI'],
    ['XADD', 'dropped', '*', 'f', 'v'],
    ['DISCARD'],
  ];
  client.send(lines.map((args) => command(...args)).join(''));
  await client.replies(lines.length);
  expect(door.rung.slice(before)).toEqual(['bell', 'queued']);
});

test('a connection that only talks to functions opens one upstream, an idle one none', async () => {
  const clients = async (): Promise<number> => String(await admin.call('CLIENT', 'LIST')).split('\n').length;
  const before = await clients();
  using client = await rawClient(door.port);
  expect(await clients()).toBe(before);
  client.send(command('PING'));
  await client.replies(1);
  expect(await clients()).toBe(before + 1);
});
