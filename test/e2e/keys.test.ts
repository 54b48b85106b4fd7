import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { configureAll, loadFunction, registrationRow, TOPOLOGIES, type Topology } from './topology.ts';

describe.each(Object.entries(TOPOLOGIES))('functions on keys on %s', (_, start) => {
  let topology: Topology;
  let platform: PlatformProcess;

  beforeAll(async () => {
    topology = await start();
    await configureAll(topology, 'notify-keyspace-events', 'KEA');
    platform = await startPlatformProcess({ redisUrl: topology.url });
  });
  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
    await topology?.[Symbol.asyncDispose]();
  });

  const door = (...args: (string | number)[]): Promise<unknown> =>
    platform.door.call(args[0] as string, ...args.slice(1));
  const load = (name: string, source: string): Promise<unknown> => loadFunction(platform.door, name, source);
  const unload = (name: string): Promise<unknown> => door('RG.FUNCTION', 'DELETE', name);

  test('example 16: each written key expires', async () => {
    await load(
      'expire',
      "GB().foreach(r => execute('EXPIRE', r.key, 3600)).register({ prefix: 'ttl:*', mode: 'sync', readValue: false, quiet: true });",
    );
    await door('SET', 'ttl:a', '1');
    expect(Number(await door('TTL', 'ttl:a'))).toBeGreaterThan(3_590);
    await topology.client().set('ttl:b', '1');
    await waitFor(async () => (await topology.client().ttl('ttl:b')) > 3_590, { what: 'a write elsewhere is heard' });
    const row = await registrationRow(platform.door, 'expire/keys/ttl:*');
    expect(row.get('args')).toEqual(['regex', 'ttl:*', 'eventTypes', null, 'keyTypes', null, 'hookCommands', null]);
    await unload('expire');
  });

  test('example 17: a stream is logged into hashes named by its ids', async () => {
    await load(
      'logger',
      "GB('StreamReader').foreach(r => execute('HSET', r.id, ...Object.entries(r.value).flat())).register({ prefix: 'mystream' });",
    );
    const id = (await door('XADD', 'mystream', '*', 'f', 'v')) as string;
    await waitFor(async () => (await topology.client().hget(id, 'f')) === 'v', { what: 'the hash' });
    await unload('logger');
  });

  test('example 18: expired keys go through a stream', async () => {
    const capture = `GB().foreach(r => execute('XADD', \`expired:\${hashtag()}\`, '*', 'key', r.key)).register({ prefix: 'gone:*', eventTypes: ['expired'], readValue: false, mode: 'sync' });`;
    const process =
      "GB('StreamReader').foreach(r => execute('SADD', 'expired-keys', r.value.key)).register({ prefix: 'expired:*', batch: 100, duration: 1 });";
    await load('expiry', capture + process);
    await door('SET', 'gone:k', '1', 'PX', '10');
    await waitFor(
      async () => {
        await topology.client().get('gone:k');
        return (await topology.client().sismember('expired-keys', 'gone:k')) === 1;
      },
      { what: 'the expired key is processed' },
    );
    await unload('expiry');
  });

  test('example 19: one stream entry per change, by whatever way it came', async () => {
    await load(
      'notify',
      "GB().foreach(r => execute('XADD', 'notifications-stream', '*', 'key', r.key, 'event', r.event)).register({ prefix: 'person:*', eventTypes: ['hset', 'hmset'], mode: 'sync' });",
    );
    await door('HSET', 'person:9', 'a', 'b');
    expect(await topology.client().xlen('notifications-stream')).toBe(1);
    for (let n = 0; n < 20; n += 1) await door('HSET', 'person:9', 'a', String(n));
    for (let n = 0; n < 20; n += 1) await topology.client().hset(`person:${n}`, 'a', 'c');
    await waitFor(async () => (await topology.client().xlen('notifications-stream')) >= 41, { what: '41 entries' });
    await door('DEL', 'person:none');
    await door('SET', 'person:other', '1');
    // In the slot of the last one, so heard on the same way: once it is here, nothing is coming any more.
    await topology.client().hset('person:{person:other}', 'a', 'd');
    const keysOf = async (): Promise<readonly (string | undefined)[]> =>
      (await topology.client().xrange('notifications-stream', '-', '+')).map(([, fields]) => fields[1]);
    await waitFor(async () => (await keysOf()).includes('person:{person:other}'), { what: 'the last change' });
    const seen = await keysOf();
    expect(seen).toHaveLength(42);
    expect(seen).not.toContain('person:none');
    expect(seen).not.toContain('person:other');
    await unload('notify');
  });

  test('example 21: the maximum is there when HSET is answered', async () => {
    await load(
      'maximum',
      `GB().map(r => +r.value.age).foreach(async x => { if (x > +(await execute('GET', 'age:maximum') ?? 0)) await execute('SET', 'age:maximum', x); })
        .register({ prefix: 'human:*', mode: 'sync' });`,
    );
    await door('HSET', 'human:6', 'age', '90');
    expect(await topology.client().get('age:maximum')).toBe('90');
    await door('HSET', 'human:7', 'age', '12');
    expect(await topology.client().get('age:maximum')).toBe('90');
    await unload('maximum');
  });

  test('examples 24 and 25: commands', async () => {
    await load(
      'commands',
      `GB('CommandReader').map(a => \`\${a[0]} got \${a.length - 1} arguments\`).register({ trigger: 'CountVonCount' });` +
        "GB('CommandReader').map(a => execute('SET', a[1], a[2])).register({ trigger: 'my_set', mode: 'sync' });",
    );
    expect(await door('RG.TRIGGER', 'CountVonCount', 'bat', 'bat')).toEqual(['CountVonCount got 2 arguments']);
    expect(await door('RG.TRIGGERONKEY', 'my_set', 'foo', 'bar')).toEqual(['OK']);
    expect(await topology.client().get('foo')).toBe('bar');
  });

  const stamp = `GB('CommandReader').map(async a => callNext(...a.slice(1), '_last_modified_', String((await execute('TIME'))[0])))`;

  test('example 26: a hook adds a field', async () => {
    await load('stamp', `${stamp}.register({ hook: 'hset', mode: 'sync' });`);
    expect(await door('HSET', 'k1', 'foo', 'bar')).toBe('2');
    expect(Object.keys(await topology.client().hgetall('k1'))).toEqual(['foo', '_last_modified_']);
    await unload('stamp');
    expect(await door('HSET', 'k1', 'more', 'bar')).toBe(1);
  });

  test('examples 27 and 28: a hook with a prefix, and another before it', async () => {
    await load('stamp', `${stamp}.register({ hook: 'HSET', keyprefix: 'pers', mode: 'sync' });`);
    expect(await door('HSET', 'pers:1', 'foo', 'bar')).toBe('2');
    expect(await door('HSET', 'k2', 'foo', 'bar')).toBe(1);
    await load(
      'times',
      "GB('CommandReader').map(async a => { await execute('HINCRBY', a[1], '_times_modified_', 1); return callNext(...a.slice(1)); }).register({ hook: 'hset', mode: 'sync' });",
    );
    expect(await door('HSET', 'pers:2', 'foo', 'bar')).toBe('2');
    expect(Object.keys(await topology.client().hgetall('pers:2')).sort()).toEqual([
      '_last_modified_',
      '_times_modified_',
      'foo',
    ]);
    expect(await door('HSET', 'k3', 'foo', 'bar')).toBe('1');
    expect(Object.keys(await topology.client().hgetall('k3')).sort()).toEqual(['_times_modified_', 'foo']);
    await unload('times');
    await unload('stamp');
  });

  test('a hook that calls nothing suppresses its command, one that gives no result is an error', async () => {
    await load('mute', "GB('CommandReader').map(() => 'no').register({ hook: 'append', mode: 'async_local' });");
    expect(await door('APPEND', 'mute:1', 'x')).toBe('no');
    expect(await topology.client().exists('mute:1')).toBe(0);
    await unload('mute');
    await load('none', "GB('CommandReader').filter(() => false).register({ hook: 'append', mode: 'sync' });");
    await expect(door('APPEND', 'mute:1', 'x')).rejects.toThrow('Command hook must return exactly one result');
    await unload('none');
  });

  test('example 29: a read that misses is answered from elsewhere', async () => {
    const source = (commands: string): string =>
      `GB().foreach(async r => { const v = await execute('GET', 'store:' + r.key); await execute('SET', r.key, v); ${commands === '' ? '' : "overrideReply(v + ' by ' + getCommand().join(' '));"} })
        .register({ prefix: 'cache:*', eventTypes: ['keymiss'], ${commands} mode: 'async_local', readValue: false });`;
    await topology.client().set('store:cache:x', '1');
    await load('through', source("commands: ['get'],"));
    expect(await door('GET', 'cache:x')).toBe('1 by GET cache:x');
    expect(await door('GET', 'cache:x')).toBe('1');
    await topology.client().del('cache:x');
    await load('through', source(''));
    expect(await door('GET', 'cache:x')).toBe(null);
    await waitFor(async () => (await door('GET', 'cache:x')) === '1', { what: 'the second read finds it' });
    await unload('through');
  });

  test('records carry value and type; keys that are gone are empty', async () => {
    await load(
      'shape',
      "GB().foreach(r => execute('RPUSH', 'shapes', JSON.stringify(r))).register({ prefix: 'shape:*', mode: 'sync' });",
    );
    await door('SET', 'shape:s', 'grün');
    await door('RPUSH', 'shape:l', 'a', 'b');
    await door('HSET', 'shape:h', 'f', 'v');
    await door('SADD', 'shape:set', 'm');
    await door('DEL', 'shape:s');
    expect((await topology.client().lrange('shapes', 0, -1)).map((text) => JSON.parse(text))).toEqual([
      { key: 'shape:s', value: 'grün', type: 'string', event: 'set' },
      { key: 'shape:l', value: ['a', 'b'], type: 'list', event: 'rpush' },
      { key: 'shape:h', value: { f: 'v' }, type: 'hash', event: 'hset' },
      { key: 'shape:set', value: null, type: 'set', event: 'sadd' },
      { key: 'shape:s', value: null, type: 'empty', event: 'del' },
    ]);
    await unload('shape');
  });

  test('keyTypes narrow, a failing function leaves the reply alone', async () => {
    await load(
      'narrow',
      "GB().foreach(r => { execute('INCR', 'narrow-runs'); throw new Error('no'); }).register({ prefix: 'narrow:*', keyTypes: ['hash'], mode: 'sync' });",
    );
    expect(await door('SET', 'narrow:s', '1')).toBe('OK');
    expect(await door('HSET', 'narrow:h', 'f', '1')).toBe(1);
    expect(await topology.client().get('narrow-runs')).toBe('1');
    const row = await registrationRow(platform.door, 'narrow/keys/narrow:*');
    expect([row.get('dead'), row.get('filtered')]).toEqual([1, 1]);
    await unload('narrow');
  });

  test('what a hook has changed of a command is checked like its own commands, what it hands on as it is is not', async () => {
    const strict = `configure({ commands: ['get'], keys: ['mine:*'] }); GB('CommandReader')`;
    await load('guard', `${strict}.map(a => callNext(...a.slice(1))).register({ hook: 'set', mode: 'sync' });`);
    expect(await door('SET', 'hooked:k', 'v')).toBe('OK');
    await load('guard', `${strict}.map(a => callNext(a[1], 'other')).register({ hook: 'set', mode: 'sync' });`);
    await expect(door('SET', 'hooked:k', 'w')).rejects.toThrow(/COMMAND_FORBIDDEN SET.*allows only get/);
    await load(
      'guard',
      "GB('CommandReader').map(a => callNext('rg:stolen', 'x')).register({ hook: 'set', mode: 'sync' });",
    );
    await expect(door('SET', 'hooked:k', 'w')).rejects.toThrow(/COMMAND_FORBIDDEN SET.*belong to the platform/);
    expect(await topology.client().get('hooked:k')).toBe('v');
    await unload('guard');
  });

  test('what cannot be hooked is refused in the words of RedisGears', async () => {
    const hook = (options: string): Promise<unknown> =>
      load('bad', `GB('CommandReader').map(a => a).register({ ${options}, mode: 'sync' });`);
    const keys = (options: string): Promise<unknown> => load('bad', `GB().map(a => a).register({ ${options} });`);
    await expect(hook("hook: 'nothing'")).rejects.toThrow('Can not override an unexisting command');
    await expect(hook("hook: 'multi'")).rejects.toThrow('which are not allowed inside a script');
    await expect(hook("hook: 'eval_ro', keyprefix: 'a'")).rejects.toThrow(/moveable keys|inside a script/);
    await expect(hook("hook: 'ping', keyprefix: 'a'")).rejects.toThrow('none positive first key');
    await expect(hook("hook: 'set', trigger: 'x'")).rejects.toThrow(
      'trigger argument can not be given with keyprefix or hook',
    );
    await expect(keys("commands: ['nothing']")).rejects.toThrow('bad reply on COMMAND command');
    await expect(keys('eventTypes: 1')).rejects.toThrow('given eventTypes is not iterable');
    await expect(keys("keyTypes: ['tree']")).rejects.toThrow('unknown key type');
  });
});
