import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandTable, createCommandTable, encodeCommand } from '#functions';
import type { CommandPolicy } from '../../../runtime/bindings/binding.ts';
import { createCommandPolicy } from '../../../runtime/bindings/command-policy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

const PREFIX = 'rg:';
let redis: TestRedis;
let table: CommandTable;
let policy: CommandPolicy;

beforeAll(async () => {
  redis = await startRedis();
  table = createCommandTable(await redis.client().call('COMMAND'));
  policy = createCommandPolicy({ table, prefix: PREFIX });
});

afterAll(() => redis[Symbol.asyncDispose]());

function verdictOn(...args: string[]): string | null {
  return policy.checkOne(encodeCommand(args))?.reply ?? null;
}

test('a refusal travels as bytes: its words are ASCII, or they would arrive garbled', () => {
  const names = ['AUTH', 'MULTI', 'BLPOP', 'SUBSCRIBE', 'SAVE', 'EVAL', 'FLUSHALL', 'RG.TRIGGER', 'NOSUCH', 'WAIT'];
  for (const name of names) expect(verdictOn(name)).toMatch(/^-COMMAND_FORBIDDEN [\x20-\x7e]+\r\n$/);
});

describe('commands that a function may send', () => {
  test.each([
    ['HINCRBY', 'h', 'f', '1'],
    ['hincrby', 'h', 'f', '1'],
    ['SET', 'k', 'rg:value'],
    ['HSET', 'h', 'rg:field', 'rg:value'],
    ['MSET', 'a', 'rg:1', 'b', 'rg:2'],
    ['SET', 'k', 'FLUSHALL'],
    ['XREAD', 'COUNT', '1', 'STREAMS', 's', '0'],
    ['XREADGROUP', 'GROUP', 'block', 'c', 'STREAMS', 's', '>'],
    ['XREAD', 'STREAMS', 'block', '0'],
    ['SORT', 'l', 'BY', 'weight_*', 'GET', '#'],
    ['SORT', 'l', 'BY', 'nosort'],
    ['KEYS', 'rg:*'],
    ['PUBLISH', 'news', 'rg:hello'],
    ['CLUSTER', 'KEYSLOT', 'k'],
    ['OBJECT', 'ENCODING', 'k'],
    ['MEMORY', 'USAGE', 'k'],
    ['XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM'],
    ['ZUNIONSTORE', 'd', '2', 'a', 'b'],
    ['PING'],
    ['TIME'],
    ['INFO'],
  ])('%s %s %s %s', (...args) => {
    expect(verdictOn(...args.filter((arg) => arg !== undefined))).toBeNull();
  });
});

describe('commands that a function may never send', () => {
  test.each([
    'AUTH x',
    'HELLO 3',
    'SELECT 1',
    'CLIENT KILL TYPE normal',
    'CLIENT REPLY OFF',
    'RESET',
    'QUIT',
    'MULTI',
    'EXEC',
    'DISCARD',
    'WATCH k',
    'UNWATCH',
    'SUBSCRIBE c',
    'PSUBSCRIBE *',
    'SSUBSCRIBE c',
    'MONITOR',
    'SYNC',
    'PSYNC ? -1',
    'REPLICAOF no one',
    'EVAL x 0',
    'eval_ro x 0',
    'EVALSHA x 0',
    'FCALL f 0',
    'FUNCTION LIST',
    'SCRIPT FLUSH',
    'FLUSHALL',
    'flushall async',
    'FLUSHDB',
    'SWAPDB 0 1',
    'MIGRATE h 1 k 0 1',
    'SHUTDOWN',
    'DEBUG SLEEP 10',
    'CONFIG SET dir /',
    'CONFIG GET *',
    'ACL SETUSER x',
    'ACL WHOAMI',
    'MODULE LOAD x',
    'CLUSTER RESET',
    'CLUSTER SLOTS',
    'MEMORY PURGE',
    'LATENCY RESET',
    'SLOWLOG RESET',
    'SAVE',
    'BGSAVE',
    'BGREWRITEAOF',
    'BLPOP k 0',
    'BRPOPLPUSH a b 0',
    'BLMOVE a b LEFT LEFT 0',
    'BZPOPMIN k 0',
    'BLMPOP 0 1 k LEFT',
    'WAIT 1 0',
    'WAITAOF 1 0 0',
    'XREAD BLOCK 0 STREAMS s $',
    'XREAD COUNT 1 block 0 STREAMS s $',
    'XREADGROUP GROUP g c BLOCK 0 STREAMS s >',
    'ASKING',
    'READONLY',
    'RESTORE-ASKING k 0 x',
    'FAILOVER',
    'RG.TRIGGER x',
    'FT.CONFIG SET a b',
    'NOSUCHCOMMAND',
    'HOST: x',
    'POST /',
  ])('%s', (line) => {
    const [name = ''] = line.split(' ');
    expect(verdictOn(...line.split(' '))).toMatch(new RegExp(`^-COMMAND_FORBIDDEN ${name.toUpperCase()} .+\r\n$`));
  });

  test.each([
    'GET rg:x',
    'SET rg:{registry}:revision 1',
    'DEL a b rg:c',
    'MSET a 1 rg:b 2',
    'RENAME a rg:b',
    'COPY a rg:b',
    'BITOP AND rg:d a b',
    'SORT l STORE rg:d',
    'SORT l GET rg:*',
    'SORT l BY r*',
    'SORT l GET *',
    'SORT l BY nosort GET *->field',
    'SORT_RO l GET rg:{registry}:functions',
    'ZUNIONSTORE d 2 a rg:b',
    'ZUNIONSTORE rg:d 1 a',
    'LMPOP 1 rg:l LEFT',
    'XREAD STREAMS rg:s 0',
    'XGROUP DESTROY rg:s g',
    'XINFO STREAM rg:s',
    'OBJECT ENCODING rg:k',
    'MEMORY USAGE rg:k',
    'PUBLISH rg:{registry}:changes x',
    'SPUBLISH rg:c x',
    'GEORADIUS g 0 0 1 m STORE rg:d',
    'XADD rg:s * a b',
    'RESTORE rg:k 0 x',
  ])("%s: the platform's own names", (line) => {
    expect(verdictOn(...line.split(' '))).toMatch(/^-COMMAND_FORBIDDEN .*rg:.*belong to the platform\r\n$/);
  });

  test('stay forbidden when the server tells nothing about its commands', () => {
    const bare = createCommandPolicy({ table: { find: () => undefined, keysOf: () => [] }, prefix: PREFIX });
    expect(bare.checkOne(encodeCommand(['FLUSHALL']))).not.toBeNull();
    expect(bare.checkOne(encodeCommand(['GET', 'k']))?.reply).toContain('the server does not know it');
  });

  test('stay forbidden when the server tells them to be harmless', () => {
    const places = { name: '', firstKey: 0, lastKey: 0, step: 0 };
    const harmless = { ...places, flags: new Set<string>(), requestPolicy: null, responsePolicy: null };
    const naive = createCommandPolicy({ table: { find: () => harmless, keysOf: () => [] }, prefix: PREFIX });
    for (const name of ['FLUSHALL', 'EVAL', 'CONFIG', 'BLPOP', 'SUBSCRIBE', 'SELECT']) {
      expect(naive.checkOne(encodeCommand([name, 'x']))).not.toBeNull();
    }
    expect(naive.checkOne(encodeCommand(['GET', 'rg:x']))).not.toBeNull();
  });

  test('are all others where a manifest narrows', () => {
    const narrow = createCommandPolicy({ table, prefix: PREFIX, allow: new Set(['get']) });
    expect(narrow.checkOne(encodeCommand(['GET', 'k']))).toBeNull();
    expect(narrow.checkOne(encodeCommand(['SET', 'k', 'v']))?.reply).toContain('configure({ commands })');
  });
});

describe('a round of commands', () => {
  test('names the refused ones by position and lets the others pass', () => {
    const commands = [['SET', 'a', '1'], ['FLUSHALL'], ['SET', 'a', '1'], ['GET', 'rg:x'], ['GET', 'x']];
    const refusals = policy.check(commands.map(encodeCommand).join(''), commands.length);
    expect(refusals?.map(({ position }) => position)).toEqual([1, 3]);
  });

  test('RESP inside an argument is an argument', () => {
    const smuggled = encodeCommand(['SET', 'k', `x\r\n${encodeCommand(['FLUSHALL'])}`]);
    expect(policy.check(smuggled, 1)).toBeNull();
    expect(() => policy.check(smuggled, 2)).toThrow();
  });

  test('binary arguments and empty ones are counted by their lengths', () => {
    const commands = [
      ['SET', '\u0000\u00ff\r\n', ''],
      ['SET', '', '*1\r\n$8\r\nFLUSHALL\r\n'],
    ];
    expect(policy.check(commands.map(encodeCommand).join(''), 2)).toBeNull();
  });

  test.each([
    ['one command more than announced', `${encodeCommand(['PING'])}${encodeCommand(['FLUSHALL'])}`, 1],
    ['one command less', encodeCommand(['PING']), 2],
    ['inline text', 'PING\r\n', 1],
    ['a length that is too short', '*2\r\n$3\r\nGET\r\n$1\r\nkey\r\n', 1],
    ['a length that is too long', '*2\r\n$3\r\nGET\r\n$9\r\nkey\r\n', 1],
    ['a sign', '*+1\r\n$4\r\nPING\r\n', 1],
    ['a negative length', '*1\r\n$-1\r\n', 1],
    ['a leading zero', '*01\r\n$4\r\nPING\r\n', 1],
    ['an empty command', '*0\r\n', 1],
    ['line feeds only', '*1\n$4\nPING\n', 1],
    ['spaces', '* 1\r\n$4\r\nPING\r\n', 1],
    ['a huge length', '*1\r\n$99999999999999999999\r\nPING\r\n', 1],
    ['a nested array', '*1\r\n*1\r\n$4\r\nPING\r\n', 1],
  ])('%s breaks the protocol', (_, text, count) => {
    expect(() => policy.check(text, count)).toThrow(expect.objectContaining({ code: 'SANDBOX_PROTOCOL' }));
  });

  test('a name can neither break the error line nor blow it up', () => {
    const reply = verdictOn(`A\r\nB${'x'.repeat(1000)}`) ?? '';
    expect(reply.indexOf('\r\n')).toBe(reply.length - 2);
    expect(reply.length).toBeLessThan(300);
  });
});
