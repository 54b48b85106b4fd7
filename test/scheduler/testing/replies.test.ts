import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  commandCall,
  inTurn,
  loadFunction,
  type ReplyRules,
  readRecording,
  startRedis,
} from '../../../scheduler/testing/index.ts';
import { offlineCommandTable } from '../../../scheduler/testing/replies/command-facts.ts';

const SOURCE = `
GB('CommandReader')
  .map(([, command = '', ...args]: string[]) => execute(command, ...args))
  .register({ trigger: 'run', convertToStr: false });
GB('CommandReader')
  .map(() => atomic(async (tx) => {
    const left = Number(await tx.execute('GET', 'stock'));
    tx.execute('DECRBY', 'stock', left);
    tx.execute('HSET', 'sold', 'n', left);
  }))
  .register({ trigger: 'sell', convertToStr: false });
GB('CommandReader')
  .map(() => atomic(() => { execute('INCR', 'a'); execute('INCR', 'b'); }))
  .register({ trigger: 'both', convertToStr: false });
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regears-replies-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const load = (replies: ReplyRules) => loadFunction({ source: SOURCE, name: 'run', replies });

describe('replies in the place of Redis', () => {
  test('are for a whole command, for a name, or made of the arguments; numbers, lists, bytes and nothing arrive as such', async () => {
    const bytes = new Uint8Array([0xff]);
    await using fn = await load({
      'get user:1': 'Ann',
      GET: null,
      SADD: (args) => args.length - 1,
      'LRANGE list 0 -1': ['a', 1, ['ü', null]],
      'GET bytes': bytes,
    });
    const ask = async (...command: readonly (string | number)[]) =>
      (await fn.deliver(commandCall('run', ...command))).results[0];
    expect(await ask('GET', 'user:1')).toBe('Ann');
    expect(await ask('get', 'user:2')).toBe(null);
    expect(await ask('SADD', 's', 'a', 'b')).toBe(2);
    expect(await ask('LRANGE', 'list', 0, -1)).toEqual(['a', 1, ['ü', null]]);
    expect(await ask('GET', 'bytes')).toEqual(bytes);
  });

  test('come in turn, the last one for ever', async () => {
    await using fn = await load({ GET: inTurn('1', '2') });
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i += 1) seen.push((await fn.deliver(commandCall('run', 'GET', 'n'))).results[0]);
    expect(seen).toEqual(['1', '2', '2']);
  });

  test('are errors where they are errors', async () => {
    await using fn = await load({ INCR: new Error('WRONGTYPE not a number') });
    const { errors } = await fn.deliver(commandCall('run', 'INCR', 'a'));
    expect(errors).toMatchObject([{ code: 'REDIS_REPLY', message: 'WRONGTYPE not a number' }]);
  });

  test('serve transactions, with and without reads', async () => {
    await using fn = await load({ 'GET stock': '3', DECRBY: 0, HSET: 1, INCR: inTurn(1, 2) });
    expect((await fn.deliver(commandCall('sell'))).results).toEqual([[0, 1]]);
    expect((await fn.deliver(commandCall('both'))).results).toEqual([[1, 2]]);
  });

  test('that are missing are an error that names the command, even where the function catches it', async () => {
    const source = `GB('CommandReader').map(async () => { try { await execute('GET', 'user 1'); } catch {} return 1; }).register({ trigger: 'x' });`;
    await using fn = await loadFunction({ source, replies: {} });
    await expect(fn.deliver(commandCall('x'))).rejects.toMatchObject({
      code: 'REPLY_MISSING',
      message: /no reply for GET "user 1"; add one to `replies`/,
    });
  });

  test('do not lift the policy', async () => {
    await using fn = await load(() => 'OK');
    for (const command of ['FLUSHALL', 'CONFIG', 'BLPOP', 'EVAL']) {
      expect((await fn.deliver(commandCall('run', command, 'a', 'b'))).errors).toMatchObject([
        { code: 'COMMAND_FORBIDDEN' },
      ]);
    }
    expect((await fn.deliver(commandCall('run', 'SOME.MODULE', 'a'))).results).toEqual(['OK']);
  });
});

test('a real run is recorded into a file, which answers the same commands in their order', async () => {
  const record = join(folder, 'replies.json');
  await using redis = await startRedis();
  await redis.call('SET', 'bytes', new Uint8Array([0xff, 0x01]));
  const commands = [
    ['INCR', 'n'],
    ['INCR', 'n'],
    ['GET', 'bytes'],
    ['LPUSH', 'n', 'x'],
    ['HGETALL', 'none'],
  ] as const;
  const run = async (fn: Awaited<ReturnType<typeof load>>) => {
    const seen: unknown[] = [];
    for (const command of commands) {
      const { results, errors } = await fn.deliver(commandCall('run', ...command));
      seen.push([results, errors.map(({ message }) => message)]);
    }
    return seen;
  };
  let real: unknown;
  {
    await using fn = await loadFunction({ source: SOURCE, name: 'run', redis, record });
    real = await run(fn);
  }
  expect(JSON.parse(await readFile(record, 'utf8'))).toHaveLength(5);
  await using replayed = await load(await readRecording(record));
  expect(await run(replayed)).toEqual(real);
  await expect(replayed.deliver(commandCall('run', 'INCR', 'n'))).rejects.toMatchObject({ code: 'REPLY_MISSING' });
});

test('a file that is no recording is refused', async () => {
  await expect(readRecording(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  await writeFile(join(folder, 'other.json'), '{"a":1}');
  await expect(readRecording(join(folder, 'other.json'))).rejects.toThrow('is no recording');
});

test('what is known of commands without a server agrees with what a server says', async () => {
  await using redis = await startRedis();
  const offline = offlineCommandTable();
  const replies = (await redis.call('COMMAND')) as readonly (readonly unknown[])[];
  const names = replies.map(([name]) => String(name));
  const wrong = names.filter((name) => {
    const real = redis.access.commands.find(name);
    const known = offline.find(name);
    const isForbidden = ['admin', 'noscript'].some((flag) => real?.flags.has(flag)) || real?.flags.has('blocking');
    if (isForbidden && !name.startsWith('xread')) return false;
    const same = ['firstKey', 'lastKey', 'step'] as const;
    const flags = ['write', 'readonly', 'movablekeys'];
    return (
      same.some((field) => real?.[field] !== known?.[field]) ||
      flags.some((flag) => real?.flags.has(flag) !== known?.flags.has(flag))
    );
  });
  // Those that no function may send are not in the list.
  expect(wrong.filter((name) => !FORBIDDEN.has(name))).toEqual([]);
});

const FORBIDDEN = new Set(
  (
    'acl asking client cluster command config debug discard exec flushall flushdb function hello latency lastsave module multi ' +
    'quit readonly readwrite reset script select slowlog swapdb unwatch auth'
  ).split(' '),
);
