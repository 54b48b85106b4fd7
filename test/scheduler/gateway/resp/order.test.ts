import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { type Door, openDoor } from '../support/door.ts';
import { command, rawClient } from '../support/raw-client.ts';

let redis: TestRedis;
let door: Door;
let admin: Redis;

beforeAll(async () => {
  redis = await startRedis();
  admin = redis.client();
  door = await openDoor(redis.port, { answers: { nothing: '*2\r\n$-1\r\n*-1\r\n', wrong: '-ERR no\r\n' } });
});
afterAll(async () => {
  await door?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe('a pipeline of commands for Redis and for functions', () => {
  test('is answered in the order it was sent, wherever it is cut', async () => {
    const requests: string[] = [];
    const expected: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      const text = String(n);
      if (n % 3 === 0) {
        requests.push(command('ECHO', text));
        expected.push(bulk(text));
      } else if (n % 7 === 0) {
        requests.push(command('rg.function', 'x', text));
        expected.push(`*2\r\n${bulk('x')}${bulk(text)}`);
      } else {
        requests.push(command('RG.TRIGGER', 'f', text));
        expected.push(`*2\r\n${bulk('f')}${bulk(text)}`);
      }
    }
    const text = requests.join('');
    for (const step of [text.length, 1, 13]) {
      using client = await rawClient(door.port);
      for (let at = 0; at < text.length; at += step) client.send(text.slice(at, at + step));
      expect(await client.replies(60)).toEqual(expected);
    }
  });

  test('a function starts after the commands before it have been done, and before those behind it', async () => {
    using client = await rawClient(door.port);
    const seen = door.calls.seen.length;
    client.send(command('BLPOP', 'gate', '0') + command('RG.TRIGGER', 'late') + command('SET', 'behind', '1'));
    await admin.ping();
    expect(door.calls.seen.length).toBe(seen);
    expect(await admin.exists('behind')).toBe(0);
    await admin.rpush('gate', 'open');
    expect(await client.replies(3)).toEqual([
      `*2\r\n${bulk('gate')}${bulk('open')}`,
      `*1\r\n${bulk('late')}`,
      '+OK\r\n',
    ]);
  });

  test('thousands of calls in one pipeline are all answered', async () => {
    using client = await rawClient(door.port);
    client.send(command('RG.TRIGGER', 'f', 'x').repeat(5_000) + command('PING'));
    const replies = await client.replies(5_001);
    expect(replies[5_000]).toBe('+PONG\r\n');
  });
});

describe('commands of ours', () => {
  test('are refused inside MULTI with the words of RedisGears, and spoil the transaction', async () => {
    using client = await rawClient(door.port);
    const lines = [['MULTI'], ['SET', 'in-multi', '1'], ['RG.TRIGGER', 'f'], ['EXEC'], ['RG.TRIGGER', 'f']];
    client.send(lines.map((args) => command(...args)).join(''));
    const replies = await client.replies(5);
    expect(replies[2]).toMatch(/^-ERR can not run a non-sync execution inside a MULTI\/LUA/);
    expect(replies[3]).toMatch(/^-EXECABORT/);
    expect(replies[4]).toBe(`*1\r\n${bulk('f')}`);
    expect(await admin.exists('in-multi')).toBe(0);
  });

  test.each([
    ['RG.FUNCTION', /^-ERR RG.FUNCTION is answered by the platform/],
    ['RG.NOTHING', /^-ERR unknown command/],
  ])('each says inside MULTI why it is not there: %s', async (name, words) => {
    using client = await rawClient(door.port);
    client.send(command('MULTI') + command(name, '1') + command('EXEC'));
    const [, refusal, end] = await client.replies(3);
    expect(refusal).toMatch(words);
    expect(end).toMatch(/^-EXECABORT/);
  });

  test.each([
    ['RG.PYEXECUTE', 'functions are JavaScript here; RG.JSEXECUTE takes the same options'],
    ['rg.pydumpsessions', 'see RG.JSDUMPSESSIONS'],
  ])('of RedisGears that are not here say where to go: %s', async (name, advice) => {
    using client = await rawClient(door.port);
    client.send(command(name, 'GB().run()'));
    expect(await client.replies(1)).toEqual([`-ERR unknown command '${name}': ${advice}\r\n`]);
  });

  test('are refused in RESP2 subscribed mode as other commands are', async () => {
    using client = await rawClient(door.port);
    client.send(command('SUBSCRIBE', 'c') + command('RG.TRIGGER', 'f'));
    expect((await client.replies(2))[1]).toMatch(/^-ERR Can't execute 'rg.trigger': only/);
  });

  test('have the nulls of the protocol that the client speaks', async () => {
    using client = await rawClient(door.port);
    client.send(command('RG.TRIGGER', 'nothing') + command('HELLO', '3') + command('RG.TRIGGER', 'nothing'));
    const replies = await client.replies(3);
    expect([replies[0], replies[2]]).toEqual(['*2\r\n$-1\r\n*-1\r\n', '*2\r\n_\r\n_\r\n']);
  });

  test('take binary and empty arguments, also inline', async () => {
    using client = await rawClient(door.port);
    const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, n) => n));
    client.send(command('RG.TRIGGER', 'f', binary, ''));
    client.send('rg.trigger "f" "\\x00\\r\\n" \'\'\r\n');
    expect(await client.replies(2)).toEqual([
      `*3\r\n${bulk('f')}${bulk(binary)}${bulk('')}`,
      `*3\r\n${bulk('f')}${bulk('\0\r\n')}${bulk('')}`,
    ]);
  });

  test('that do not exist or have the wrong number of arguments get the errors Redis would give', async () => {
    using client = await rawClient(door.port);
    const lines = [
      ['RG.NOPE', 'a'],
      ['RG.TRIGGER'],
      ['RG.TRIGGERONKEY', 'f'],
      ['RG.TRIGGERONKEY', 'f', 'k'],
      ['RG.TRIGGER', 'wrong'],
    ];
    client.send(lines.map((args) => command(...args)).join(''));
    expect(await client.replies(5)).toEqual([
      "-ERR unknown command 'RG.NOPE', with args beginning with: 'a' \r\n",
      "-ERR wrong number of arguments for 'rg.trigger' command\r\n",
      "-ERR wrong number of arguments for 'rg.triggeronkey' command\r\n",
      `*2\r\n${bulk('f')}${bulk('k')}`,
      '-ERR no\r\n',
    ]);
  });
});

test('WATCH sees what others change between it and EXEC', async () => {
  using client = await rawClient(door.port);
  client.send(command('WATCH', 'w'));
  await client.replies(1);
  await admin.set('w', 'changed');
  client.send(command('MULTI') + command('SET', 'w', 'mine') + command('EXEC'));
  expect((await client.replies(3))[2]).toBe('*-1\r\n');
});

test('a value that comes in pieces is passed on in pieces', async () => {
  using client = await rawClient(door.port);
  const value = 'v'.repeat(3_000_000);
  const text = command('SET', 'large', value) + command('RG.TRIGGER', 'f') + command('STRLEN', 'large');
  for (let at = 0; at < text.length; at += 100_000) {
    client.send(text.slice(at, at + 100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.replies(3)).toEqual(['+OK\r\n', `*1\r\n${bulk('f')}`, ':3000000\r\n']);
});

test('a client that closes its sending side still gets its replies', async () => {
  using client = await rawClient(door.port);
  client.send(command('PING') + command('RG.TRIGGER', 'f') + command('GET', 'nothing'));
  client.socket.end();
  expect(await client.closed()).toBe(`+PONG\r\n*1\r\n${bulk('f')}$-1\r\n`);
});
