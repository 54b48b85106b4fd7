import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CommandRules,
  type CommandTable,
  createCommandTable,
  DEFAULT_LIMITS,
  encodeCommand,
  type LoadableVersion,
} from '#functions';
import type { CommandPolicy, Effects } from '../../../runtime/bindings/binding.ts';
import { keyMatcher } from '../../../runtime/bindings/key-patterns.ts';
import { createNarrow } from '../../../runtime/bindings/narrowing.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let table: CommandTable;
beforeAll(async () => {
  redis = await startRedis();
  table = createCommandTable(await redis.client().call('COMMAND'));
});
afterAll(() => redis[Symbol.asyncDispose]());

function version(rules?: CommandRules): LoadableVersion {
  const artifact = { sha256: 'x', language: 'js', source: '', code: '', sourceMap: null } as const;
  const plain = { functionName: 'f', version: 1, artifact, limits: DEFAULT_LIMITS, settings: {} };
  return rules === undefined ? plain : { ...plain, rules };
}

/** The policies with which rounds and sessions of a version are sent. */
function policiesOf(target: LoadableVersion): readonly (CommandPolicy | undefined)[] {
  const used: (CommandPolicy | undefined)[] = [];
  const effects = { send: async (_: unknown, policy?: CommandPolicy) => void used.push(policy) };
  const sessions = { open: (policy?: CommandPolicy) => void used.push(policy) };
  const ways = { effects, sessions, policy: null } as unknown as Parameters<ReturnType<typeof createNarrow>>[1];
  const narrowed = createNarrow({ table, prefix: 'rg:' })(target, ways);
  void narrowed.effects.send({} as Parameters<Effects['send']>[0]);
  narrowed.sessions.open();
  return used;
}

function verdicts(rules: CommandRules): (...args: string[]) => string | null {
  const [policy] = policiesOf(version(rules));
  return (...args) => policy?.checkOne(encodeCommand(args))?.reply ?? null;
}

test('a version without rules goes the general way', () => {
  expect(policiesOf(version())).toEqual([undefined, undefined]);
});

test('rounds and transactions of a version with rules share one stricter policy', () => {
  const [round, session] = policiesOf(version({ commands: ['get'], keys: null }));
  expect(round).toBeDefined();
  expect(session).toBe(round);
});

describe('a version that keeps to some commands', () => {
  test('sends those, in any case, and no others', () => {
    const verdict = verdicts({ commands: ['hincrby', 'get'], keys: null });
    expect(verdict('GET', 'a')).toBeNull();
    expect(verdict('hIncrBy', 'h', 'f', '1')).toBeNull();
    expect(verdict('SET', 'a', '1')).toBe(
      '-COMMAND_FORBIDDEN SET may not be sent by a function: configure({ commands }) of the function allows only hincrby, get\r\n',
    );
  });

  test('cannot allow itself what no function may send', () => {
    const verdict = verdicts({ commands: ['flushall', 'get'], keys: ['*'] });
    expect(verdict('FLUSHALL')).toContain('removes or moves data of everybody');
    expect(verdict('GET', 'rg:x')).toContain('belong to the platform');
  });

  test('may keep to none', () => {
    expect(verdicts({ commands: [], keys: null })('PING')).toContain('allows none');
  });
});

describe('a version that keeps to some keys', () => {
  const KEYS = ['clicks:*', 'total', 'größe:*'];

  test.each([
    ['GET', 'total'],
    ['HINCRBY', 'clicks:ann', 'f', '1'],
    ['MSET', 'clicks:a', 'other', 'clicks:b', 'x'],
    ['ZUNIONSTORE', 'clicks:d', '2', 'clicks:a', 'total'],
    ['XREAD', 'COUNT', '1', 'STREAMS', 'clicks:s', '0'],
    ['XGROUP', 'CREATE', 'clicks:s', 'g', '0'],
    ['OBJECT', 'ENCODING', 'total'],
    ['SORT', 'clicks:l', 'BY', 'nosort', 'GET', '#'],
    ['GET', Buffer.from('größe:1').toString('latin1')],
    ['PUBLISH', 'news', 'hello'],
    ['PING'],
    ['TIME'],
  ])('sends %s %s %s', (...args) => {
    expect(verdicts({ commands: null, keys: KEYS })(...args.filter((arg) => arg !== undefined))).toBeNull();
  });

  test.each([
    ['GET', 'totals'],
    ['SET', 'click', '1'],
    ['MSET', 'clicks:a', '1', 'other', '2'],
    ['RENAME', 'clicks:a', 'other'],
    ['ZUNIONSTORE', 'clicks:d', '2', 'clicks:a', 'other'],
    ['XREAD', 'STREAMS', 'clicks:s', 'other', '0', '0'],
    ['XGROUP', 'CREATE', 'other', 'g', '0'],
    ['OBJECT', 'ENCODING', 'other'],
    ['SORT', 'clicks:l', 'BY', 'clicks:*'],
    ['SORT', 'clicks:l', 'GET', 'other_*'],
    ['SORT', 'clicks:l', 'STORE', 'other'],
    ['SCAN', '0', 'MATCH', 'clicks:*'],
    ['KEYS', 'clicks:*'],
    ['RANDOMKEY'],
  ])('does not send %s %s %s', (...args) => {
    const verdict = verdicts({ commands: null, keys: KEYS })(...args.filter((arg) => arg !== undefined));
    expect(verdict).toMatch(
      /^-COMMAND_FORBIDDEN .*configure\(\{ keys \}\) of the function allows only clicks:\*, total/,
    );
  });
});

describe('key patterns', () => {
  test.each([
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a[bd]c', 'abc', true],
    ['a[^bd]c', 'abc', false],
    ['a[b-d]c', 'acc', true],
    ['*:x:*', 'a:x:b', true],
    ['*:x:*', 'a:y:b', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['user:?:*:end', 'user:1:2:3:end', true],
  ])('%s and %s: %s', (pattern, key, matches) => {
    expect(keyMatcher([pattern])(key)).toBe(matches);
  });

  test('mean what they mean in KEYS', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '*', '?', '[', ']', '^', '-', '\\'),
      minLength: 1,
      maxLength: 8,
    });
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '*', ']', '-'), minLength: 1, maxLength: 6 });
    const client = redis.client();
    await fc.assert(
      fc.asyncProperty(text, key, async (pattern, name) => {
        await client.flushall();
        await client.set(name, '1');
        const found = (await client.keys(pattern)).length === 1;
        expect({ pattern, name, matches: keyMatcher([pattern])(name) }).toEqual({ pattern, name, matches: found });
      }),
      { numRuns: 2000, examples: [['[\\a-]a', 'a']] },
    );
  });

  test('cost no time that a key could choose', () => {
    const startedMs = performance.now();
    expect(keyMatcher(['*a*a*a*a*a*a*a*a*a*a*b'])('a'.repeat(4_000))).toBe(false);
    expect(keyMatcher(['*a*'])('a'.repeat(1_000_000))).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
