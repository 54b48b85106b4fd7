import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChildHarness } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const LONG_NAME = 'a'.repeat(90);

async function registered(code: string): Promise<readonly unknown[]> {
  return (await child.load(code, { inspectOnly: true })).registrations;
}

describe('register', () => {
  test('reports complete arguments with the documented defaults', async () => {
    const [stream, command] = await registered(`
      new GearsBuilder('StreamReader', '*', 'counts').filter(function big() { return true }).limit(3, 1).register();
      GB('CommandReader').map(a => a[1]).register({ trigger: 'greet', mode: 'sync', inorder: true, convertToStr: false, collect: false, id: 'g', description: 'says hello' });`);
    expect(stream).toEqual({
      index: 0,
      id: null,
      reader: 'StreamReader',
      description: 'counts',
      mode: 'async',
      trigger: {
        kind: 'stream',
        prefix: '*',
        batch: 1,
        durationMs: 0,
        fromId: '0',
        trimStream: false,
        onFailedPolicy: 'continue',
        retryIntervalMs: 1000,
        maxAttempts: 5,
        maxInFlight: 10_000,
        maxAgeMs: null,
      },
      steps: [
        { type: 'filter', arg: 'big' },
        { type: 'limit', arg: '3, 1' },
        { type: 'stringify', arg: null },
        { type: 'collect', arg: null },
      ],
      convertToStr: true,
      collect: true,
      hasOnRegistered: false,
    });
    expect(command).toMatchObject({
      index: 1,
      id: 'g',
      description: 'says hello',
      mode: 'sync',
      trigger: { kind: 'command', trigger: 'greet', inorder: true },
      steps: [{ type: 'map', arg: 'a => a[1]' }],
      convertToStr: false,
    });
  });

  test('callbacks that are long to show end in …', async () => {
    const [stream] = await registered(`GB('StreamReader')
      .map((r) => r.aaaaaaaaaaaaaaaaaaaaaaaa + r.bbbbbbbbbbbbbbbbbbbbbbbbbbbb + r.cccccccccccccccccccccccc)
      .filter(${LONG_NAME}).register();
      function ${LONG_NAME}() { return true; }`);
    expect((stream as { steps: readonly { arg: string | null }[] }).steps.slice(0, 2).map(({ arg }) => arg)).toEqual([
      '(r) => r.aaaaaaaaaaaaaaaaaaaaaaaa + r.bbbbbbbbbbbbbbbbbbbbbbbbbbbb + r.cccccccc…',
      `${LONG_NAME.slice(0, 79)}…`,
    ]);
  });

  test.each([
    ["'orders:*'", { prefix: 'orders:*' }],
    ["'orders:*', { batch: 10 }", { prefix: 'orders:*', batch: 10 }],
    ["{ maxAge: '5m' }", { maxAgeMs: 300_000 }],
    ['{ maxAge: 1500 }', { maxAgeMs: 1500 }],
    [
      "{ onFailedPolicy: 'Retry', onFailedRetryInterval: 0.5, maxAttempts: 0 }",
      { onFailedPolicy: 'retry', retryIntervalMs: 500, maxAttempts: 0 },
    ],
    ["{ fromId: '$' }", { fromId: '$' }],
    ["{ fromId: '1526919030474-55' }", { fromId: '1526919030474-55' }],
    ['{ fromId: new Date(1700000000000) }', { fromId: '1700000000000' }],
    ['{ fromId: 1700000000000 }', { fromId: '1700000000000' }],
    ['{ duration: 50, maxInFlight: 5, trimStream: true }', { durationMs: 50, maxInFlight: 5, trimStream: true }],
  ])('StreamReader takes %s', async (args, trigger) => {
    expect(await registered(`GB('StreamReader').register(${args})`)).toMatchObject([{ trigger }]);
  });

  test('a builder may register several times, each with the steps it had', async () => {
    const list = await registered(
      "const b = GB('StreamReader').map(x => x); b.register('a'); b.filter(x => x).register('b')",
    );
    expect(list.map((one) => (one as { steps: unknown[] }).steps.length)).toEqual([3, 4]);
  });

  test('aliases mean the same', async () => {
    const [one] = await registered(
      "GB('StreamReader').flatMap(x => x).forEach(x => x).localGroupBy(x => x, x => x).register()",
    );
    expect((one as { steps: { type: string }[] }).steps.map(({ type }) => type)).toEqual([
      'flatmap',
      'foreach',
      'extractkey',
      'accumulatebykey',
      'map',
      'stringify',
      'collect',
    ]);
  });
});

describe('wrong arguments', () => {
  test.each([
    [
      "GB('StreamReader').register({ bacth: 5 })",
      /unknown argument "bacth"\. Did you mean batch\? Allowed are prefix, batch/,
    ],
    ["GB('StreamReader').register({ batch: 0 })", /batch must be a whole number from 1 to 100000, not 0/],
    ["GB('StreamReader').register({ batch: '5' })", /batch must be .* not "5"/],
    ["GB('StreamReader').register({ mode: 'fast' })", /mode must be one of sync, async, async_local, not "fast"/],
    [
      "GB('StreamReader').register({ onFailedPolicy: 'ignore' })",
      /onFailedPolicy must be one of continue, abort, retry, not "ignore"/,
    ],
    ["GB('StreamReader').register({ trimStream: 1 })", /trimStream must be true or false, not 1/],
    ["GB('StreamReader').register({ fromId: 'yesterday' })", /fromId must be .* not "yesterday"/],
    ["GB('StreamReader').register({ maxAge: '5x' })", /maxAge must be .* not "5x"/],
    ["GB('StreamReader').register({ onRegistered: 'f' })", /onRegistered must be a function, not "f"/],
    ["GB('StreamReader').register({ trigger: 'x' })", /unknown argument "trigger"/],
    ["GB('StreamReader').register('a', { prefix: 'b' })", /prefix is given twice/],
    ["GB('StreamReader').register(5)", /must be an object such as .* not 5/],
    ["GB('CommandReader').register()", /no trigger or hook argument was given/],
    ["GB('CommandReader').register({ keyprefix: 'a' })", /no trigger or hook argument was given/],
    ["GB('StreamRaeder')", /unknown reader "StreamRaeder"\. Did you mean StreamReader\?/],
    ["GB().register({ eventTypes: 'set' })", /given eventTypes is not iterable/],
    ['GB(5)', /reader argument must be a string, not 5/],
    ["GB('StreamReader', '*', 5)", /desc argument must be a string/],
    ["GB('StreamReader').map('x')", /map: the argument must be a function, not "x"/],
    ["GB('StreamReader').localgroupby(x => x)", /localgroupby \(reducer\): the argument must be a function/],
    ["GB('StreamReader').limit(-1)", /limit: length must be a whole number from 0, not -1/],
    ["GB('StreamReader').groupby(x => x)", /groupby \(reducer\): the argument must be a function, not undefined/],
    ["GB('StreamReader').run()", /the name of the stream is missing/],
    ['log(5)', /log: the message must be a string, not 5/],
    ["log('x', 'loud')", /level must be one of debug, verbose, notice, warning, not "loud"/],
    ['configGet(1)', /configGet: the key must be a string, not 1/],
  ])('%s', async (code, message) => {
    const error = await child.loadError(`\n${code}`);
    expect(error).toMatchObject({ code: 'GUEST_ARGUMENT', name: 'TypeError' });
    expect(error.message).toMatch(message);
    expect(error.stack).toContain('test.js:2:');
  });
});
