import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction } from './topology.ts';

let redis: TestRedis;
let platform: PlatformProcess;
beforeAll(async () => {
  redis = await startRedis();
  const flags = [
    '--function-setting',
    'region=us',
    '--function-setting',
    'zone=b',
    '--limit-commands',
    '10000000',
    '--limit-call-ms',
    '20s',
  ];
  platform = await startPlatformProcess({ redisUrl: redis.url, flags });
});
afterAll(async () => {
  await platform?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const door = (): Redis => platform.door;
const trigger = (...args: string[]): Promise<unknown> => door().call('RG.TRIGGER', ...args);

/** A function that answers `RG.TRIGGER <name>`. */
function load(name: string, configuration: string, body: string): Promise<unknown> {
  const source = `configure(${configuration});
    GB('CommandReader').map(async (a) => { ${body} }).register({ trigger: '${name}', mode: 'async_local' });`;
  return loadFunction(door(), name, source);
}

describe('a version that lowers a limit', () => {
  test.each([
    [
      'memory',
      "{ memory: '16mb' }",
      'const all = []; for (;;) all.push(new Array(20000).fill(1.5));',
      /LIMIT_MEMORY.*16777216 bytes.*limit-memory/,
    ],
    ['time per call', "{ call: '50ms' }", 'for (;;);', /LIMIT_CALL_TIME.*50 ?ms.*limit-call-ms/],
    [
      'time per execution',
      "{ execution: '100ms' }",
      'await new Promise(() => {});',
      /LIMIT_EXECUTION_TIME.*100 ?ms.*limit-execution-ms/,
    ],
    ['output', "{ output: '1kb' }", 'return "x".repeat(5000);', /LIMIT_OUTPUT.*(1024|1 ?kb).*limit-output/],
    [
      'commands',
      '{ commands: 3 }',
      'for (let i = 0; i < 9; i++) await execute("INCR", "sent");',
      /LIMIT_COMMANDS.* 3 .*limit-commands/,
    ],
    [
      'bytes of commands',
      "{ commandBytes: '2kb' }",
      'await execute("SET", "big", "x".repeat(5000));',
      /LIMIT_COMMANDS.*(2048|2 ?kb).*limit-command-bytes/,
    ],
  ])('is held to it: %s', async (...[what, limits, body, message]) => {
    const name = `limit.${what.replaceAll(' ', '-')}`;
    await load(name, `{ limits: ${limits} }`, `if (a[1]) return 'fine'; ${body}`);
    await expect(trigger(name)).rejects.toThrow(message);
    expect(await trigger(name, 'again')).toEqual(['fine']);
  });

  test('is held to it: executions at once', async () => {
    await load(
      'limit.concurrency',
      '{ limits: { concurrency: 2 } }',
      "await execute('INCR', 'running'); while (!(await execute('EXISTS', 'go'))); return 'ran';",
    );
    const client = redis.client();
    const running = Promise.all([trigger('limit.concurrency'), trigger('limit.concurrency')]);
    await waitFor(async () => (await client.get('running')) === '2', { what: 'two executions' });
    // Replies of one connection come in order.
    const other = new Redis({ port: platform.respPort });
    const refused = await other.call('RG.TRIGGER', 'limit.concurrency').catch((error: Error) => error.message);
    other.disconnect();
    await client.set('go', '1');
    expect(refused).toMatch(/LIMIT_CONCURRENCY.* 2 .*limit-concurrency/);
    expect(await running).toEqual([['ran'], ['ran']]);
  });

  test('leaves the other functions theirs', async () => {
    await load(
      'spin.short',
      "{ limits: { call: '50ms' } }",
      'const end = Date.now() + 200; while (Date.now() < end); return 1;',
    );
    await load('spin.long', '{}', 'const end = Date.now() + 200; while (Date.now() < end); return 1;');
    await expect(trigger('spin.short')).rejects.toThrow('LIMIT_CALL_TIME');
    expect(await trigger('spin.long')).toEqual(['1']);
  });

  test('cannot raise it above the node, and is not stored', async () => {
    await expect(load('greedy', "{ limits: { call: '21s' } }", '')).rejects.toThrow(
      'limits.call is 21s; this platform allows at most 20s (setting limit-call-ms)',
    );
    await expect(door().call('RG.FUNCTION', 'GET', 'greedy')).rejects.toThrow('FUNCTION_NOT_FOUND');
  });

  test('is told what is wrong with its arguments, and where', async () => {
    await expect(load('wrong', "{ limits: { memry: '64mb' } }", '')).rejects.toThrow(
      /GUEST_ARGUMENT.*unknown argument "memry"\. Did you mean memory\?.*wrong\.js:1/,
    );
  });
});

/** The commands on keys of this end that reached Redis while `work` went on. */
async function reached(work: () => Promise<unknown>, key: string): Promise<readonly string[]> {
  const watcher = new Redis({ port: redis.port });
  const monitor = await watcher.monitor();
  const seen: string[] = [];
  monitor.on('monitor', (_time: string, args: string[]) => {
    if (args[1]?.endsWith(key) === true) seen.push(args.join(' '));
  });
  try {
    await work();
    const end = Promise.withResolvers<void>();
    monitor.on('monitor', (_time: string, args: string[]) => void (args[1] === 'end of work' && end.resolve()));
    await redis.client().echo('end of work');
    await end.promise;
    return seen;
  } finally {
    monitor.disconnect();
    watcher.disconnect();
  }
}

describe('a version that keeps to some commands and keys', () => {
  const RULES = "{ commands: ['INCR', 'get', 'HSET'], keys: ['own:*'] }";

  test('is refused the others, which never reach Redis', async () => {
    await load('narrow', RULES, 'return await execute(...a.slice(1));');
    const seen = await reached(async () => {
      expect(await trigger('narrow', 'INCR', 'own:narrow')).toEqual(['1']);
      await expect(trigger('narrow', 'SET', 'own:narrow', '5')).rejects.toThrow(
        '[COMMAND_FORBIDDEN] Error: COMMAND_FORBIDDEN SET may not be sent by a function: configure({ commands }) of the function allows only incr, get, hset',
      );
      await expect(trigger('narrow', 'INCR', 'their:narrow')).rejects.toThrow(
        'it touches the key "their:narrow"; configure({ keys }) of the function allows only own:*',
      );
    }, ':narrow');
    expect(seen).toEqual(['INCR own:narrow']);
  });

  test('is refused them in groups, of which then nothing happens', async () => {
    await load(
      'narrow.group',
      RULES,
      "await atomic(() => { execute('INCR', 'own:group'); execute('INCR', 'their:group'); });",
    );
    const seen = await reached(() => expect(trigger('narrow.group')).rejects.toThrow('COMMAND_FORBIDDEN'), ':group');
    expect(seen).toEqual([]);
  });

  test('is refused them in transactions, of which then nothing happens', async () => {
    await load(
      'narrow.tx',
      RULES,
      "await atomic(async (tx) => { await tx.execute('GET', 'own:tx'); tx.execute('HSET', 'own:tx', 'a', 1); tx.execute('DEL', 'own:tx'); });",
    );
    const seen = await reached(() => expect(trigger('narrow.tx')).rejects.toThrow('COMMAND_FORBIDDEN'), 'own:tx');
    expect(seen.filter((line) => /^(HSET|DEL)/i.test(line))).toEqual([]);
  });

  test('shows them', async () => {
    const shown = (await door().call('RG.FUNCTION', 'GET', 'narrow')) as unknown[];
    const field = (name: string): unknown => shown[shown.indexOf(name) + 1];
    expect([field('commands'), field('keys'), field('limits')]).toEqual([['INCR', 'GET', 'HSET'], ['own:*'], null]);
  });
});

test('configGet answers settings of the node, else the defaults of the version', async () => {
  await load(
    'settings',
    "{ settings: { region: 'eu', tier: 'free' } }",
    "return ['region', 'zone', 'tier', 'x'].map(configGet);",
  );
  expect(await trigger('settings')).toEqual(['["us","b","free",null]']);
  expect(await door().call('RG.CONFIGGET', 'region', 'zone')).toEqual(['us', 'b']);
});
