import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChildHarness, entriesOf, resp, type SentCommand } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const COUNT = 50;
const payload = entriesOf(Array.from({ length: COUNT }, (_, i) => ['n', String(i)]));
const handler = (body: string) => `GB('StreamReader').foreach(async r => { ${body} }).register()`;

/** Every command names its entry in the last argument. */
function misattributed(commands: readonly SentCommand[]): readonly SentCommand[] {
  return commands.filter(({ args, entry }) => args.at(-1) !== String(entry));
}

test('log lines name the entry in whose turn they were written, also behind awaits', async () => {
  await child.load(handler("await execute('A', r.value.n); log(r.value.n)"));
  const { logs } = await child.run({ payload, entryCount: COUNT });
  expect(logs.map(({ entry }) => entry)).toEqual(logs.map(({ message }) => Number(message)));
  expect(logs).toHaveLength(COUNT);
});

describe('commands belong to the entry that caused them', () => {
  test.each([
    [
      'a sequence of awaits',
      "await execute('A', r.value.n); await execute('B', r.value.n); await execute('C', r.value.n)",
    ],
    [
      'plain awaits in between',
      "for (let i = 0; i < 20; i++) await i; await execute('A', r.value.n); for (let i = 0; i < r.value.n; i++) await null; await execute('B', r.value.n)",
    ],
    [
      'Promise.all',
      "await Promise.all([1, 2, 3].map(async () => { await null; await execute('A', r.value.n); await null; await execute('B', r.value.n) }))",
    ],
    ['helpers', "const h = async n => { await null; return execute('A', n) }; await h(r.value.n); await h(r.value.n)"],
    [
      'then chains',
      "await execute('A', r.value.n).then(() => null).then(() => execute('B', r.value.n)).finally(() => execute('C', r.value.n))",
    ],
    ['caught errors', "try { await execute('ERR', r.value.n) } catch { await execute('B', r.value.n) }"],
    [
      'generators',
      "async function* g() { yield await execute('A', r.value.n); yield 2 } for await (const x of g()) await execute('B', r.value.n)",
    ],
    ['race', "await Promise.race([execute('A', r.value.n), new Promise(() => {})]); await execute('B', r.value.n)"],
    ['queueMicrotask', "await new Promise(done => queueMicrotask(done)); await execute('A', r.value.n)"],
  ])('%s', async (_name, body) => {
    await child.load(handler(body));
    const record = await child.run({
      payload,
      entryCount: COUNT,
      reply: ({ args }) => (args[0] === 'ERR' ? '-ERR x\r\n' : ':1\r\n'),
    });
    expect(record.done.length).toBe(COUNT);
    expect(record.commands.length).toBeGreaterThan(COUNT - 1);
    expect(misattributed(record.commands)).toEqual([]);
  });

  test('a reader shared by all entries holds nobody up and refuses nobody', async () => {
    await child.load(`let shared; const config = () => shared ??= (async () => { await null; return execute('GET', 'config') })();
      ${handler("const c = await config(); await execute('A', c, r.value.n); await execute('B', r.value.n)")}`);
    const record = await child.run({ payload, entryCount: COUNT });
    expect(record.done.length).toBe(COUNT);
    expect(record.failed.size).toBe(0);
  });

  test('a command after the end of its entry is refused', async () => {
    await child.load(`GB('StreamReader').foreach(r => {
      (async () => { await execute('A'); await execute('LATE').catch(e => log(e.message)) })().catch(e => log(e.message))
    }).register()`);
    const { record, until } = await child.begin({ payload: entriesOf([['n', '1']]), entryCount: 1 });
    await until((r) => r.logs.length > 0);
    expect(record.logs[0]?.message).toContain('after the handler of its event had ended');
    expect(record.commands.map(({ args }) => args[0])).toEqual(['A']);
  });
});

describe('execute', () => {
  test('decodes replies', async () => {
    await child.load(handler("log(JSON.stringify(await execute('X')), { level: 'debug' })"));
    const replies = [
      '$-1\r\n',
      ':12\r\n',
      '+OK\r\n',
      '$4\r\n\xc3\xa4\xc3\xb6\r\n',
      '*3\r\n:1\r\n*-1\r\n*1\r\n-ERR in\r\n',
    ];
    const { logs } = await child.run({
      payload: entriesOf(replies.map((_, i) => ['n', String(i)])),
      entryCount: replies.length,
      reply: ({ entry }) => replies[entry] ?? '',
    });
    expect(logs.map(({ message }) => JSON.parse(message))).toEqual([null, 12, 'OK', 'äö', [1, null, ['ERR in']]]);
    expect(logs[0]?.level).toBe('debug');
  });

  test('integers beyond 2^53 come as bigint, raw bytes as Uint8Array', async () => {
    await child.load(
      handler(
        "const v = await execute('X'); const b = await execute.raw('GET', 'k'); log(typeof v + v + b.constructor.name + b.join())",
      ),
    );
    const { logs } = await child.run({
      payload: entriesOf([['n', '1']]),
      entryCount: 1,
      reply: ({ args }) => (args[0] === 'X' ? ':9007199254740993\r\n' : '$2\r\n\xff\x00\r\n'),
    });
    expect(logs[0]?.message).toBe('bigint9007199254740993Uint8Array255,0');
  });

  test.each([
    ["execute('SET', 'k', null)", 'argument 2 is null'],
    ["execute('SET', 'k', undefined)", 'argument 2 is undefined'],
    ["execute('SET', { a: 1 }, 1)", 'argument 1 is an object'],
    ["execute('SET', () => 1)", 'argument 1 is a function'],
    ['execute(5)', "the command must be a non-empty string such as 'HINCRBY', not 5"],
    ['execute()', 'the command must be a non-empty string'],
  ])('%s is a TypeError that names the argument', async (call, message) => {
    await child.load(handler(`await ${call}`));
    const { failed } = await child.run({ payload: entriesOf([['n', '1']]), entryCount: 1 });
    expect(failed.get(0)).toMatchObject({ name: 'TypeError', code: 'GUEST_ERROR' });
    expect(failed.get(0)?.message).toContain(message);
  });

  test('RESP in arguments stays an argument', async () => {
    await child.load(handler("await execute('SET', 'k', 'x\\r\\n*1\\r\\n$8\\r\\nFLUSHALL\\r\\n', 1.5, 10n, true)"));
    const { commands } = await child.run({ payload: entriesOf([['n', '1']]), entryCount: 1 });
    expect(commands.map(({ args }) => args)).toEqual([
      ['SET', 'k', 'x\r\n*1\r\n$8\r\nFLUSHALL\r\n', '1.5', '10', 'true'],
    ]);
  });

  test('the number and the bytes of commands per event are limited', async () => {
    await child.load(handler("for (let i = 0; i < 10_000_000; i++) execute('A', i)"), { commandsPerEvent: 1000 });
    const many = await child.run({ payload: entriesOf([['n', '1']]), entryCount: 1 });
    expect(many.failed.get(0)).toMatchObject({ code: 'LIMIT_COMMANDS' });
    expect(many.commands.length).toBe(1000);
    await child.load(handler("await execute('SET', 'k', 'x'.repeat(5000))"), { commandBytes: 4096 });
    const long = await child.run({ payload: entriesOf([['n', '1']]), entryCount: 1 });
    expect(long.failed.get(0)?.message).toContain('limit-command-bytes');
  });

  test('settings, hashtag and RESP errors of the platform reach the function', async () => {
    await child.load(
      handler(
        "log([hashtag(), configGet('region'), configGet('x'), gearsConfigGet('x', 7)].join()); await execute('FLUSHALL')",
      ),
    );
    const { logs, failed } = await child.run({
      payload: resp([['1-0', ['n', '1']]]),
      entryCount: 1,
      hashtag: 'tag',
      reply: () => '-COMMAND_FORBIDDEN FLUSHALL administers the server\r\n',
    });
    expect(logs[0]?.message).toBe('tag,eu,,7');
    expect(failed.get(0)?.code).toBe('COMMAND_FORBIDDEN');
  });
});
