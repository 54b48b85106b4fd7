import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BatchRecord, ChildHarness, entriesOf } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const numbers = (count: number) => entriesOf(Array.from({ length: count }, (_, i) => ['n', String(i)]));
const handler = (body: string) => `GB('StreamReader').foreach(async r => { ${body} }).register()`;
const codes = (record: BatchRecord) => [...record.failed].map(([index, { code }]) => [index, code]);

describe('an endless loop', () => {
  test.each([
    ['at once', "if (r.value.n === '2') for (;;);"],
    ['after an await', "await null; if (r.value.n === '2') for (;;);"],
    ['in a microtask storm', "if (r.value.n === '2') for (;;) await null;"],
    ['in a regular expression', "if (r.value.n === '2') /^(a+)+$/.test('a'.repeat(40) + 'b');"],
  ])('%s ends its own entry with LIMIT_CALL_TIME, the others only lose their isolate', async (_name, body) => {
    await child.load(handler(body), { callMs: 100 });
    const record = await child.run({ payload: numbers(4), entryCount: 4 });
    expect(record.failed.get(2)).toMatchObject({ code: 'LIMIT_CALL_TIME' });
    expect(record.failed.get(2)?.message).toContain('limit-call-ms');
    for (const [index, { code }] of record.failed) expect(code).toBe(index === 2 ? 'LIMIT_CALL_TIME' : 'ISOLATE_LOST');
    expect(record.done.length + record.failed.size).toBe(4);
    const again = await child.run({ payload: numbers(2), entryCount: 2 });
    expect(again.done).toEqual([0, 1]);
  });

  test('after a reply: the waiting batch of the same isolate is lost, not blamed', async () => {
    await child.load(handler("await execute('GET', r.id); if (r.value.n === '1') for (;;);"), { callMs: 100 });
    const waiting = await child.begin(
      { payload: numbers(2), entryCount: 2, reply: null },
      (r) => r.commands.length === 2,
    );
    const record = await child.run({ payload: numbers(3), entryCount: 3 });
    expect(codes(record)).toEqual(expect.arrayContaining([[1, 'LIMIT_CALL_TIME']]));
    expect(codes(record).filter(([, code]) => code === 'LIMIT_CALL_TIME').length).toBe(1);
    await waiting.until((r) => r.failed.size === 2);
    expect(codes(waiting.record)).toEqual([
      [0, 'ISOLATE_LOST'],
      [1, 'ISOLATE_LOST'],
    ]);
  });

  test('in a result, a getter, or while loading is stopped as well', async () => {
    const call = { payload: '*1\r\n*1\r\n$1\r\nt\r\n', entryCount: 1, shape: 1, wantResults: 1 };
    await child.load("GB('CommandReader').map(() => ({ get a() { for (;;); } })).register({ trigger: 't' })", {
      callMs: 100,
    });
    expect(codes(await child.run(call))).toEqual([[0, 'LIMIT_CALL_TIME']]);
    await child.load(
      "GB('CommandReader').map(() => { throw { get message() { for (;;); } } }).register({ trigger: 't' })",
      { callMs: 100 },
    );
    expect(codes(await child.run(call))).toEqual([[0, 'LIMIT_CALL_TIME']]);
    expect(await child.loadError('for (;;);', { callMs: 100 })).toMatchObject({ code: 'LIMIT_CALL_TIME' });
    expect(await child.loadError('(async () => { await null; for (;;); })()', { callMs: 100 })).toMatchObject({
      code: 'LIMIT_CALL_TIME',
    });
  });
});

describe('too much memory', () => {
  test('ends the entry that grew it with LIMIT_MEMORY; the next batch has a new isolate', async () => {
    await child.load(
      `let starts = 0; ${handler("if (r.value.n === '1') { const a = []; for (;;) a.push('x'.repeat(1000) + Math.random()); } log('start ' + ++starts)")}`,
      { memoryBytes: 16 * 1024 * 1024, callMs: 50_000 },
    );
    const record = await child.run({ payload: numbers(3), entryCount: 3 });
    expect(codes(record)).toEqual(expect.arrayContaining([[1, 'LIMIT_MEMORY']]));
    expect(record.failed.get(1)?.message).toContain('limit-memory');
    const again = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(again.logs[0]?.message).toBe('start 1');
  });

  test.each([
    ['at once', ''],
    ['after an await', 'await null;'],
    ['after a reply', "await execute('GET', r.id);"],
    ['after two replies', "await execute('GET', r.id); await execute('GET', r.id);"],
  ])('%s costs its own entry only, the others only lose their isolate', async (_name, before) => {
    const eat = "if (r.value.n === '1') { const all = []; for (;;) all.push(new Array(1e5).fill({})); }";
    await child.load(handler(`${before} ${eat} await execute('GET', r.id);`), {
      memoryBytes: 16 * 1024 * 1024,
      callMs: 50_000,
    });
    const record = await child.run({ payload: numbers(4), entryCount: 4 });
    expect(record.failed.get(1)).toMatchObject({ code: 'LIMIT_MEMORY' });
    for (const [index, { code }] of record.failed) expect(code).toBe(index === 1 ? 'LIMIT_MEMORY' : 'ISOLATE_LOST');
    expect(record.done.length + record.failed.size).toBe(4);
  });

  test('10 million commands end at a limit and leave the process alive', async () => {
    await child.load(handler("for (let i = 0; i < 1e7; i++) execute('SET', 'k' + i, i)"), {
      commandsPerEvent: 20_000_000,
      memoryBytes: 64 * 1024 * 1024,
      callMs: 5_000,
    });
    const record = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(record.failed.get(0)?.code).toMatch(/^LIMIT_/);
    await child.ping();
  });

  test('a stack that overflows is an error of its entry', async () => {
    await child.load(
      handler(
        "if (r.value.n === '1') (function f(d) { try { execute('SET', 'k', d) } catch {} f(d + 1) })(0); await execute('GET', r.value.n)",
      ),
      { commandsPerEvent: 1_000_000 },
    );
    const record = await child.run({ payload: numbers(3), entryCount: 3 });
    expect(record.done).toEqual([0, 2]);
    expect(record.failed.get(1)?.name).toBe('RangeError');
    expect(record.commands.filter(({ args }) => args[0] === 'GET').map(({ entry }) => entry)).toEqual([0, 2]);
  });
});

describe('loading', () => {
  test('syntax errors name file and line', async () => {
    const error = await child.loadError('const a = 1;\nconst = 2;');
    expect(error.code).toBe('GUEST_SYNTAX');
    expect(`${error.message} ${error.stack}`).toContain('test.js:2');
  });

  test('what the source throws comes with its line', async () => {
    const error = await child.loadError("\n\nthrow new TypeError('at load')");
    expect(error).toMatchObject({ code: 'GUEST_ERROR', name: 'TypeError', message: 'at load' });
    expect(error.stack).toContain('test.js:3:7');
    expect(error.stack).not.toContain('isolated-vm');
    expect(error.stack).not.toContain('guest-isolate');
  });

  test('inspecting reports registrations and keeps nothing', async () => {
    const report = await child.load("GB('StreamReader').register({ onRegistered: () => log('called') })", {
      handle: 9,
      inspectOnly: true,
    });
    expect(report.registrations.length).toBe(1);
    expect(report.logs).toEqual([]);
    const record = await child.run({ handle: 9, payload: numbers(1), entryCount: 1 });
    expect(codes(record)).toEqual([[0, 'ISOLATE_LOST']]);
  });

  test('onRegistered runs when a version is loaded', async () => {
    const report = await child.load("GB('StreamReader').register({ onRegistered: () => log('called', 'verbose') })");
    expect(report.logs).toEqual([{ level: 'verbose', message: 'called' }]);
  });

  test('execute and register outside of their time are refused', async () => {
    expect((await child.loadError("execute('PING')")).message).toContain('works only while an event is handled');
    await child.load(handler("GB('StreamReader').register()"));
    const record = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(record.failed.get(0)).toMatchObject({ code: 'GUEST_ARGUMENT' });
  });
});
