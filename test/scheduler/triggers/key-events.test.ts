import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandsRaising, eventsOf, looksMissing } from '../../../scheduler/triggers/key-events.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { command, type RawClient, rawClient } from '../gateway/support/raw-client.ts';

let redis: TestRedis;
let writer: RawClient;
let listener: RawClient;

beforeAll(async () => {
  redis = await startRedis();
  await redis.client().config('SET', 'notify-keyspace-events', 'EA');
  const port = Number(new URL(redis.url).port);
  writer = await rawClient(port);
  listener = await rawClient(port);
  listener.send(command('PSUBSCRIBE', '__keyevent@0__:*'));
  await listener.replies(1);
});
afterAll(async () => {
  writer[Symbol.dispose]();
  listener[Symbol.dispose]();
  await redis[Symbol.asyncDispose]();
});

/** What Redis has published since the last call, as `event key`. */
async function published(): Promise<string[]> {
  writer.send(command('SET', 'fence', '1'));
  await writer.replies(1);
  const events: string[] = [];
  for (;;) {
    const [message = ''] = await listener.replies(1);
    const [, channel = '', key = ''] = [...message.matchAll(/\$\d+\r\n(.*)\r\n/g)].slice(1).map(([, text]) => text);
    const event = channel.slice(channel.indexOf('__:') + 3);
    if (key === 'fence') return events;
    events.push(`${event} ${key}`);
  }
}

/** Each line runs on what the lines before it have left. */
const COMMANDS = `
SET s 1|SET s 2 NX|SET s 2 XX|SET none 1 XX|SET s 3 EX 100|SET s 4 GET|SET s 5 NX GET|SET fresh 1 NX GET|SET absent 1 XX GET
SETNX s 1|SETNX s2 1|SETEX s3 100 v|PSETEX s3 100000 v|GETSET s 9|GETDEL s3|GETDEL s3|GETEX s EX 100|GETEX none EX 5|GETEX s PERSIST
MSET a 1 b 2|MSETNX a 1 c 2|MSETNX c 1 d 2|APPEND a x|SETRANGE a 0 zz|SETRANGE none 0 |SETBIT bits 1 1|BITOP NOT bits2 bits|BITOP NOT bits2 none
INCR n|DECR n|INCRBY n 5|DECRBY n 2|INCRBYFLOAT n 1.5|PFADD hll a|PFADD hll a|PFMERGE hll2 hll
DEL a|DEL a|DEL b c|UNLINK d nothing none|RENAME s s9|RENAMENX s9 s2|RENAMENX s9 s10|COPY s10 s11|COPY s10 s11
EXPIRE s10 100|EXPIRE none 100|PEXPIRE s10 100000|EXPIREAT s10 9999999999|EXPIRE s11 -1|PERSIST s10|PERSIST s10
LPUSH l a b c|RPUSH l d|LPUSHX none a|RPUSHX l e|LPOP l|LPOP none|RPOP l|LSET l 0 q|LREM l 0 nope|LREM l 1 q|LINSERT l BEFORE nope x|LINSERT l BEFORE b x
LPUSH from 1 2 3 4 5|RPOPLPUSH from to|LMOVE from to LEFT RIGHT|LMOVE none to LEFT RIGHT|LTRIM from 0 1|BLPOP to 1|BRPOP from 1
HSET h f 1 g 2|HSET h f 1|HMSET h x 1|HSETNX h x 1|HSETNX h y 1|HINCRBY h n 1|HINCRBYFLOAT h n 1.5|HDEL h nope|HDEL h f
SADD set a b c|SADD set a|SREM set nope|SREM set a|SADD set2 q|SMOVE set set2 b|SMOVE set set2 nope|SPOP none|SPOP set2
SUNIONSTORE u set set2|SINTERSTORE i none none|SDIFFSTORE df set none
ZADD z 1 a 2 b|ZADD z NX 1 a|ZADD z CH 5 a|ZADD z INCR 1 a|ZADD z NX INCR 1 a|ZINCRBY z 1 a|ZREM z nope|ZREM z b
ZADD z 1 b 2 c 3 d 4 e|ZREMRANGEBYSCORE z 90 99|ZREMRANGEBYRANK z 0 0|ZPOPMIN z|ZPOPMAX z|ZPOPMIN none|ZUNIONSTORE zu 1 z|ZRANGESTORE zr z 0 -1
XADD x 1-1 f v|XADD nox NOMKSTREAM 1-1 f v|XADD x 2-1 f v|XDEL x 9-9|XDEL x 1-1|XTRIM x MAXLEN 5|XSETID x 5-1
GET s10|HGET h g|TYPE z`
  .split(/[|\n]/)
  .filter(Boolean);

test('the events of commands are those that Redis publishes', async () => {
  const wrong: string[] = [];
  for (const line of COMMANDS) {
    const args = line.split(' ');
    writer.send(command(...args));
    const [reply = ''] = await writer.replies(1);
    const expected = (await published()).sort();
    const events = eventsOf(args, reply);
    const certain = events.filter((one) => one.certain).map(({ event, key }) => `${event} ${key}`);
    const all = events.map(({ event, key }) => `${event} ${key}`);
    const missed = expected.filter((one) => !all.includes(one));
    const invented = certain.filter((one) => !expected.includes(one));
    if (missed.length + invented.length > 0)
      wrong.push(`${line} → ${reply.trim()}: missed ${missed}, invented ${invented}`);
  }
  expect(wrong).toEqual([]);
});

test('errors and queued commands raise nothing', () => {
  expect(eventsOf(['SET', 'k', 'v'], '-OOM no\r\n')).toEqual([]);
  expect(eventsOf(['SET', 'k', 'v'], '+QUEUED\r\n')).toEqual([]);
  expect(eventsOf(['SET', 'k', 'v'], '_\r\n')).toEqual([]);
});

test('commands are found by the events they may raise', () => {
  expect(commandsRaising(new Set(['hset'])).toSorted()).toEqual(['hmset', 'hset', 'hsetnx']);
  expect(commandsRaising(new Set(['expired']))).toEqual([]);
  expect(commandsRaising(new Set(['lpop']))).toEqual(expect.arrayContaining(['lpop', 'blpop', 'lmove', 'blmove']));
});

test('replies of missing keys are told from others', () => {
  expect(['$-1\r\n', ':0\r\n', '*0\r\n', '*2\r\n$-1\r\n$-1\r\n', '+none\r\n', '_\r\n'].every(looksMissing)).toBe(true);
  expect(['$1\r\na\r\n', ':1\r\n', '*2\r\n$1\r\na\r\n$-1\r\n', '-ERR no\r\n'].some(looksMissing)).toBe(false);
});
