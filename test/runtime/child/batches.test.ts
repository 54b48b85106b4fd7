import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChildHarness, entriesOf, resp } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const stream = (steps: string, options = '{}') => `GB('StreamReader')${steps}.register(${options});`;
const numbers = (count: number) => entriesOf(Array.from({ length: count }, (_, i) => ['n', String(i)]));

describe('records', () => {
  test('a stream record has key, id and value; a repeated field keeps its last value', async () => {
    await child.load(stream('.foreach(r => log(JSON.stringify(r)))'));
    const { logs } = await child.run({
      payload: entriesOf([['a', '1', 'b', 'x', 'a', '2']]),
      entryCount: 1,
      key: 'st',
    });
    expect(JSON.parse(logs[0]?.message ?? '')).toEqual({ key: 'st', id: '1-0', value: { a: '2', b: 'x' } });
  });

  test('entries with different fields in one batch each get their own', async () => {
    await child.load(stream('.foreach(r => log(JSON.stringify(r.value)))'));
    const payload = entriesOf([['a', '1'], ['b', '2', 'c', '3'], ['a', '4'], []]);
    const { logs } = await child.run({ payload, entryCount: 4 });
    expect(logs.map(({ message }) => JSON.parse(message))).toEqual([{ a: '1' }, { b: '2', c: '3' }, { a: '4' }, {}]);
  });

  test('UTF-8 becomes text, other bytes arrive as Uint8Array, and both leave as they came', async () => {
    await child.load(stream(".foreach(r => execute('SET', r.value.t, r.value.b, new Uint8Array([255, 0, 10])))"));
    const payload = resp([['1-0', ['t', 'Grüße €', 'b', Buffer.from([0xff, 0xfe, 0x0d, 0x0a])]]]);
    let raw = '';
    const { commands } = await child.run({
      payload,
      entryCount: 1,
      reply: ({ args }) => {
        raw = args.join('|');
        return '+OK\r\n';
      },
    });
    expect(commands[0]?.args[1]).toBe('Grüße €');
    expect(raw.startsWith('SET|Grüße €|')).toBe(true);
    await child.load(stream('.foreach(r => log(r.value.b.constructor.name + [...r.value.b] + typeof r.value.t))'));
    const { logs } = await child.run({ payload, entryCount: 1 });
    expect(logs[0]?.message).toBe('Uint8Array255,254,13,10string');
  });

  test('a field called __proto__ is data', async () => {
    await child.load(
      stream(
        '.foreach(r => log(Object.keys(r.value).join() + ({}).polluted + Object.getPrototypeOf(r.value).constructor.name))',
      ),
    );
    const { logs } = await child.run({ payload: entriesOf([['__proto__', 'x', 'constructor', 'y']]), entryCount: 1 });
    expect(logs[0]?.message).toBe('__proto__,constructorundefinedObject');
  });

  test('a command record is the list of arguments and its results come back as RESP', async () => {
    await child.load("GB('CommandReader').map(a => 'Hello ' + a[1]).register({ trigger: 'greet' })");
    const { results } = await child.run({
      payload: resp([
        ['greet', 'ann'],
        ['greet', 'bob'],
      ]),
      entryCount: 2,
      shape: 1,
      wantResults: 1,
    });
    expect(results.get(0)).toBe('*1\r\n$9\r\nHello ann\r\n');
    expect(results.get(1)).toBe('*1\r\n$9\r\nHello bob\r\n');
  });
});

describe('ends', () => {
  test('filtered entries are told from done ones', async () => {
    await child.load(stream('.filter(r => r.value.n % 2).foreach(() => {})'));
    const record = await child.run({ payload: numbers(5), entryCount: 5, executionSize: 2 });
    expect(record.done).toEqual([1, 3]);
    expect(record.filtered).toEqual([0, 2, 4]);
    expect(record.started).toBe(3);
  });

  test('an entry with some records filtered and some not is done; an empty flatmap is done', async () => {
    await child.load(stream(".flatmap(r => r.value.n === '0' ? [] : [1, 2]).filter(n => n === 2)", '{}'));
    const record = await child.run({ payload: numbers(2), entryCount: 2, wantResults: 1 });
    expect(record.done).toEqual([0, 1]);
    expect(record.results.get(0)).toBe('*0\r\n');
    expect(record.results.get(1)).toBe('*1\r\n$1\r\n2\r\n');
  });

  test('results of filtered entries are empty lists', async () => {
    await child.load(stream('.filter(async r => r.value.n > 0)'));
    const record = await child.run({ payload: numbers(2), entryCount: 2, wantResults: 1 });
    expect(record.results.get(0)).toBe('*0\r\n');
    expect(record.results.get(1)).toContain('"n":"1"');
  });

  test('one failing entry leaves the others alone and shows the line that threw', async () => {
    await child.load(`GB('StreamReader').foreach(r => {
  if (r.value.n === '1') {
    throw new RangeError('no ones');
  }
}).register()`);
    const record = await child.run({ payload: numbers(3), entryCount: 3 });
    expect(record.done).toEqual([0, 2]);
    const error = record.failed.get(1);
    expect(error).toMatchObject({ code: 'GUEST_ERROR', name: 'RangeError', message: 'no ones' });
    expect(error?.stack).toContain('test.js:3:11');
    expect(error?.stack).not.toContain('regears:guest');
  });

  test('an error reply shows the await that waited for it', async () => {
    await child.load(`GB('StreamReader').foreach(async r => {
  await execute('INCR', 'x');
}).register()`);
    const record = await child.run({ payload: numbers(1), entryCount: 1, reply: () => '-WRONGTYPE Operation\r\n' });
    expect(record.failed.get(0)).toMatchObject({ code: 'REDIS_REPLY', message: 'WRONGTYPE Operation' });
    expect(record.failed.get(0)?.stack).toContain('test.js:2:3');
  });

  test('a caught error reply is no failure, and it has Redis text and a code', async () => {
    await child.load(
      stream(".foreach(r => execute('X').catch(e => log([e.message, e.code, e instanceof Error].join('|'))))"),
    );
    const { logs, done } = await child.run({ payload: numbers(1), entryCount: 1, reply: () => '-ERR unknown\r\n' });
    expect(logs[0]?.message).toBe('ERR unknown|REDIS_REPLY|true');
    expect(done).toEqual([0]);
  });

  test.each([
    ['throw 42', 'The function threw 42.'],
    ['throw undefined', 'The function threw undefined.'],
    ['throw { get message() { throw 1 } }', 'The function threw an object.'],
    ['throw new Proxy({}, { get() { throw new Error("trap") } })', 'The function threw an object.'],
    ['throw { message: 5, toString() { throw 1 } }', 'The function threw an object.'],
    ['throw Symbol("s")', 'The function threw a symbol.'],
    ['return Promise.reject("text")', 'The function threw "text".'],
    ['return { get then() { throw new Error("no then") } }', 'no then'],
    ['return { then(ok, bad) { bad(new Error("thenable")) } }', 'thenable'],
  ])('%s is reported safely', async (body, message) => {
    await child.load(stream(`.map(r => { ${body} })`));
    const record = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(record.failed.get(0)?.message).toBe(message);
  });
});

describe('order', () => {
  const code = stream(".foreach(async r => { await execute('A', r.id); await execute('B', r.id) })");

  test('unordered entries share their rounds', async () => {
    await child.load(code);
    const { commands } = await child.run({ payload: numbers(3), entryCount: 3 });
    expect(commands.map(({ args }) => args.join(' '))).toEqual(['A 1-0', 'A 2-0', 'A 3-0', 'B 1-0', 'B 2-0', 'B 3-0']);
  });

  test('in order an execution begins when the one before has ended', async () => {
    await child.load(code);
    const { commands } = await child.run({ payload: numbers(4), entryCount: 4, executionSize: 2, ordered: 1 });
    expect(commands.map(({ args }) => args.join(' '))).toEqual([
      'A 1-0',
      'A 2-0',
      'B 1-0',
      'B 2-0',
      'A 3-0',
      'A 4-0',
      'B 3-0',
      'B 4-0',
    ]);
  });

  test('with ordered 2 nothing begins behind a failed execution', async () => {
    await child.load(
      stream(".foreach(async r => { await execute('A'); if (r.value.n === '1') throw new Error('x') })"),
    );
    const record = await child.run({ payload: numbers(4), entryCount: 4, ordered: 2 });
    expect(record.done).toEqual([0]);
    expect([...record.failed].map(([index, { code: c }]) => [index, c])).toEqual([
      [1, 'GUEST_ERROR'],
      [2, 'NOT_STARTED'],
      [3, 'NOT_STARTED'],
    ]);
  });

  test('a batch of 5000 waiting entries runs through, a thousand at a time', async () => {
    await child.load(code);
    const { commands, done } = await child.run({ payload: numbers(5000), entryCount: 5000, executionSize: 100 });
    expect(done.length).toBe(5000);
    const rounds = Map.groupBy(commands, ({ round }) => round);
    expect(Math.max(...[...rounds.values()].map(({ length }) => length))).toBeLessThanOrEqual(1000);
  });

  test('a long batch of slow entries is cut into slices instead of hitting the call limit', async () => {
    await child.load(stream('.foreach(() => { const end = Date.now() + 10; while (Date.now() < end); })'), {
      callMs: 150,
    });
    const { done } = await child.run({ payload: numbers(40), entryCount: 40 });
    expect(done.length).toBe(40);
  });
});

describe('steps that bind', () => {
  test('accumulate folds an execution, starting from null, async reducers one at a time', async () => {
    await child.load(stream('.accumulate(async (a, r) => { await null; return (a ?? 0) + Number(r.value.n) })'));
    const record = await child.run({ payload: numbers(5), entryCount: 5, executionSize: 3, wantResults: 1 });
    expect(record.done).toEqual([0, 1, 2, 3, 4]);
    expect([...record.results.values()]).toEqual([
      '*0\r\n',
      '*0\r\n',
      '*1\r\n$1\r\n3\r\n',
      '*0\r\n',
      '*1\r\n$1\r\n7\r\n',
    ]);
  });

  test('localgroupby gives one record per key, keys as text', async () => {
    await child.load(
      stream(
        ".localgroupby(r => r.value.n % 2, (k, a, r) => (a ?? 0) + 1).foreach(g => execute('SET', g.key, g.value))",
      ),
    );
    const record = await child.run({ payload: numbers(5), entryCount: 5, executionSize: 5, wantResults: 1 });
    expect(record.commands.map(({ args }) => args.join(' '))).toEqual(['SET 0 3', 'SET 1 2']);
    expect(record.done.length).toBe(5);
  });

  test('limit stops what is upstream', async () => {
    await child.load(stream(".foreach(r => execute('SEEN', r.id)).limit(2, 1)"));
    const record = await child.run({ payload: numbers(9), entryCount: 9, executionSize: 9, wantResults: 1 });
    expect(record.commands.length).toBe(3);
    expect(record.done.length).toBe(9);
    expect([...record.results.values()].join('')).toMatch(/"id":"2-0".*"id":"3-0"/s);
  });

  test('an error before the binding step fails its entry, one behind it fails all', async () => {
    await child.load(
      stream(
        ".map(r => { if (r.value.n === '1') throw new Error('one'); return Number(r.value.n) }).accumulate((a, n) => (a ?? 0) + n)",
      ),
    );
    const one = await child.run({ payload: numbers(3), entryCount: 3, executionSize: 3, wantResults: 1 });
    expect([...one.failed.keys()]).toEqual([1]);
    expect(one.results.get(2)).toBe('*1\r\n$1\r\n2\r\n');
    await child.load(stream(".accumulate((a, r) => { if (r.value.n === '2') throw new Error('two'); return 1 })"));
    const all = await child.run({ payload: numbers(3), entryCount: 3, executionSize: 3 });
    expect([...all.failed.values()].map(({ message }) => message)).toEqual(['two', 'two', 'two']);
  });

  test('accumulate of nothing gives nothing; entries a filter stopped are filtered', async () => {
    await child.load(stream('.filter(() => false).accumulate(() => 1)'));
    const record = await child.run({ payload: numbers(2), entryCount: 2, executionSize: 2, wantResults: 1 });
    expect(record.filtered).toEqual([0, 1]);
    expect([...record.results.values()]).toEqual(['*0\r\n', '*0\r\n']);
  });
});

describe('waiting', () => {
  test('a promise that never settles keeps its batch waiting; a cancelled entry is not heard of again', async () => {
    await child.load(stream(".foreach(r => r.value.n === '1' ? new Promise(() => {}) : execute('X'))"));
    const { record, batch } = await child.begin({ payload: numbers(3), entryCount: 3 }, (r) => r.done.length === 2);
    expect(record.waiting).toBe(1);
    await child.cancel(batch, [1]);
    expect([...record.done, ...record.failed.keys()]).toEqual([0, 2]);
    await child.load(stream('.foreach(() => {})'));
    expect((await child.run({ payload: numbers(1), entryCount: 1 })).done).toEqual([0]);
  });

  test('cancelling lets the next execution of an ordered batch begin', async () => {
    await child.load(stream(".foreach(r => r.value.n === '0' ? new Promise(() => {}) : undefined)"));
    const running = await child.begin({ payload: numbers(3), entryCount: 3, ordered: 1 }, (r) => r.waiting === 1);
    await child.cancel(running.batch, [0, 2]);
    expect(running.record.done).toEqual([1]);
  });

  test('commands nobody awaits are sent, and their entry is done', async () => {
    await child.load(stream(".foreach(r => { execute('A', r.id) })"));
    const { commands, done, logs } = await child.run({
      payload: numbers(2),
      entryCount: 2,
      reply: () => '-ERR no\r\n',
    });
    expect(commands.length).toBe(2);
    expect(done).toEqual([0, 1]);
    await child.ping();
    expect(logs.map(({ message }) => message)[0]).toContain('A command that nobody waited for failed: ERR no');
  });
});
