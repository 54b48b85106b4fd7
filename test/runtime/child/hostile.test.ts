import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChildHarness, entriesOf, resp } from './child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

const numbers = (count: number) =>
  entriesOf(Array.from({ length: count }, (_, i) => ['n', String(i), '__proto__', 'x']));

/** Everything the runtime does, once more: parsing, commands, replies, results, errors, logs, groups. */
const WORK = `
GB('StreamReader')
  .filter(async r => r.value.n !== '0')
  .flatmap(r => [r, r])
  .foreach(async r => {
    const n = await execute('INCR', r.value.n);
    const a = (await atomic(() => { execute('SET', r.id, n) }))[0];
    console.log('line', r.value.n, a);
    if (r.value.n === '2') throw new TypeError('two');
  })
  .map(r => ({ n: r.value.n, big: 'ä', list: [1, 'x', null] }))
  .register();`;

const POISONS = [
  `for (const name of Object.getOwnPropertyNames(Array.prototype)) if (name !== 'constructor' && name !== 'length') Array.prototype[name] = () => { throw new Error('poison') };
   Array.prototype[Symbol.iterator] = function* () { yield 'poison' };`,
  "for (const i of [0, 1, 2, 3]) Object.defineProperty(Array.prototype, i, { set() { throw new Error('poison') }, configurable: true });",
  "for (const f of ['n', 'id', 'value', 'key', 'then', 'toJSON', 'get', 'set', 'resolve', 'entry']) Object.defineProperty(Object.prototype, f, { __proto__: null, set() { throw new Error('poison') }, get() { return undefined }, configurable: true });",
  "for (const name of Object.getOwnPropertyNames(Object.prototype)) if (name !== '__proto__' && name !== 'constructor') Object.prototype[name] = () => { throw new Error('poison') };",
  "for (const name of Object.getOwnPropertyNames(String.prototype)) if (name !== 'constructor' && name !== 'length') String.prototype[name] = () => { throw new Error('poison') };",
  "JSON.stringify = JSON.parse = () => { throw new Error('poison') }; Object.keys = Object.defineProperty = Reflect.apply = () => { throw new Error('poison') };",
  "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error('poison') };",
  "Promise.resolve = Promise.reject = Promise.withResolvers = () => { throw new Error('poison') }; globalThis.Promise = class {};",
  "for (const C of [Map, Set, WeakMap]) for (const name of Object.getOwnPropertyNames(C.prototype)) if (name !== 'constructor') Object.defineProperty(C.prototype, name, { value() { throw new Error('poison') } });",
  "for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(Uint8Array.prototype))) Object.defineProperty(Object.getPrototypeOf(Uint8Array.prototype), name, { value() { throw new Error('poison') } });",
  "Error.prepareStackTrace = () => { throw new Error('poison') }; Error.stackTraceLimit = 0;",
  "RegExp.prototype.exec = RegExp.prototype.test = () => { throw new Error('poison') }; Math.floor = Number.isSafeInteger = Date.now = () => { throw new Error('poison') };",
  "for (const name of Object.getOwnPropertyNames(globalThis)) if (!['globalThis', 'undefined', 'NaN', 'Infinity', 'GB', 'execute', 'atomic', 'console', 'TypeError'].includes(name)) try { globalThis[name] = undefined } catch {}",
];

describe('poisoned prototypes change nothing for the runtime', () => {
  test.each(POISONS.map((poison, index) => [index, poison] as const))('poison %i', async (_index, poison) => {
    await child.load(`${WORK}\n${poison}`);
    const record = await child.run({
      payload: numbers(4),
      entryCount: 4,
      wantResults: 1,
      reply: ({ args }) => (args[0] === 'INCR' ? ':7\r\n' : '+OK\r\n'),
    });
    expect(record.filtered).toEqual([0]);
    expect([...record.failed.values()].map(({ message }) => message)).toEqual(['two']);
    expect([...record.done].sort()).toEqual([1, 3]);
    expect(record.results.get(1)?.startsWith('*2\r\n$')).toBe(true);
    expect(record.results.get(1)).toContain('{"n":"1","big":"Ã¤","list":[1,"x",null]}');
    expect(record.logs.length).toBe(6);
  });

  test('then of Promise may lie: the entry ends somehow and the next batch works', async () => {
    await child.load(`${WORK} Promise.prototype.then = function (ok) { throw new Error('poison') };`);
    const running = await child.begin({ payload: numbers(2), entryCount: 2 }, () => true);
    await child.ping();
    await child.load("GB('StreamReader').foreach(() => {}).register()", { handle: 2 });
    expect((await child.run({ handle: 2, payload: numbers(2), entryCount: 2 })).done.length).toBe(2);
    expect(running.record.done.length).toBeLessThanOrEqual(2);
  });
});

describe('results', () => {
  const command = (body: string, options = '') =>
    `GB('CommandReader').map(() => { ${body} }).register({ trigger: 't'${options} })`;
  const call = { payload: resp([['t']]), entryCount: 1, shape: 1, wantResults: 1 };

  test.each([
    ['a getter that throws', 'return { a: { get b() { throw new Error("got") } } }', 'Reading result.a.b failed: got'],
    [
      'a proxy that throws',
      'return [new Proxy({}, { ownKeys() { throw new Error("keys") } })]',
      'Reading result[0] failed: keys',
    ],
    ['a cycle', 'const a = { b: [] }; a.b.push(a); return a', 'result.b[0] contains itself'],
    [
      'a deep nest',
      'let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; return a',
      'is nested deeper than 200 levels',
    ],
    ['toJSON that throws', 'return { toJSON() { throw 1 } }', 'Reading result failed: The function threw 1.'],
  ])('%s is an error that names the path', async (_name, body, message) => {
    await child.load(command(body));
    expect((await child.run(call)).failed.get(0)?.message).toContain(message);
  });

  test.each([
    ["return 'x'.repeat(2 ** 28)"],
    ["return { a: 'x'.repeat(2 ** 27) + Math.random() }"],
    ["const s = 'x'.repeat(1000); return Array.from({ length: 5000 }, () => ({ s }))"],
    ['return new Proxy([], { get: (t, k) => k === "length" ? 2 ** 32 - 1 : 1 })'],
    [
      'return { toJSON: () => new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => "key" + i), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: () => "x".repeat(100) }) }',
    ],
  ])('%s is above the limit of output, not out of memory', async (body) => {
    for (const options of ['', ', convertToStr: false']) {
      await child.load(command(body, options));
      expect((await child.run(call)).failed.get(0)).toMatchObject({ code: 'LIMIT_OUTPUT' });
    }
  });

  test.each([
    ["'text'", '$4\r\ntext\r\n', '$4\r\ntext\r\n'],
    ["'+OK'", '+OK\r\n', '+OK\r\n'],
    ["'-ERR a\\r\\nb'", '-ERR a  b\r\n', '-ERR a  b\r\n'],
    ["'-'", '$1\r\n-\r\n', '$1\r\n-\r\n'],
    ['-5', '$2\r\n-5\r\n', ':-5\r\n'],
    ['1.5', '$3\r\n1.5\r\n', '$3\r\n1.5\r\n'],
    ['2n ** 70n', '$22\r\n1180591620717411303424\r\n', '$22\r\n1180591620717411303424\r\n'],
    ['true', '$4\r\ntrue\r\n', ':1\r\n'],
    ['null', '$4\r\nnull\r\n', '$-1\r\n'],
    ['undefined', '$4\r\nnull\r\n', '$-1\r\n'],
    ["[1, ['a', null], false]", '$20\r\n[1,["a",null],false]\r\n', '*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n:0\r\n'],
    [
      "({ a: 'ü', d: new Date(0), u: undefined })",
      '$41\r\n{"a":"Ã¼","d":"1970-01-01T00:00:00.000Z"}\r\n',
      '$41\r\n{"a":"Ã¼","d":"1970-01-01T00:00:00.000Z"}\r\n',
    ],
    ['new Uint8Array([255, 10])', '$2\r\n\xff\n\r\n', '$2\r\n\xff\n\r\n'],
    ['NaN', '$3\r\nNaN\r\n', '$3\r\nNaN\r\n'],
  ])('%s is encoded', async (value, text, typed) => {
    await child.load(command(`return ${value}`));
    expect((await child.run(call)).results.get(0)).toBe(`*1\r\n${text}`);
    await child.load(command(`return ${value}`, ', convertToStr: false'));
    expect((await child.run(call)).results.get(0)).toBe(`*1\r\n${typed}`);
  });
});

describe('unhandled rejections', () => {
  test('are logged and lose nothing', async () => {
    await child.load(`GB('StreamReader').foreach(async r => {
      Promise.reject(new Error('nobody'));
      execute('BAD', r.id);
      await execute('GOOD', r.id);
    }).register()`);
    const record = await child.run({
      payload: numbers(3),
      entryCount: 3,
      reply: ({ args }) => (args[0] === 'BAD' ? '-ERR bad\r\n' : ':1\r\n'),
    });
    expect(record.done).toEqual([0, 1, 2]);
    expect(record.failed.size).toBe(0);
    expect(record.commands.length).toBe(6);
    expect(record.logs.map(({ message }) => message).join('\n')).toContain('nobody awaited was rejected: nobody');
  });

  test('in onRegistered are logged only', async () => {
    const { logs } = await child.load(
      "GB('StreamReader').foreach(() => {}).register({ onRegistered: async () => { await null; throw new Error('later') } })",
    );
    expect(logs.map(({ message }) => message)).toEqual(['onRegistered failed: later']);
  });
});

describe('the realm', () => {
  test('has no way out and says so', async () => {
    await child.load(`GB('StreamReader').foreach(async () => {
      for (const f of [() => setTimeout(), () => setInterval(), () => fetch('x'), () => require('fs')])
        try { f(); log('no error') } catch (e) { log(e.message) }
      log([typeof process, typeof WebAssembly, typeof SharedArrayBuffer, typeof Atomics, typeof globalThis.regears].join());
      try { eval('%DebugPrint(1)'); log('natives') } catch (e) { log(e.name) }
      await import('fs').then(() => log('imported'), e => log('import: ' + e.message));
    }).register()`);
    const { logs, done } = await child.run({ payload: numbers(1), entryCount: 1 });
    const text = logs.map(({ message }) => message);
    expect(done).toEqual([0]);
    expect(text.slice(0, 4).map((line) => line.split(' is absent here')[0])).toEqual([
      'setTimeout',
      'setInterval',
      'fetch',
      'require',
    ]);
    expect(text[4]).toBe('undefined,undefined,undefined,undefined,undefined');
    expect(text[5]).toBe('SyntaxError');
    expect(text[6]).toMatch(/^import: /);
  });

  test('has no process, and whoever reads it is told what there is instead', async () => {
    await child.load("GB('StreamReader').foreach(() => process.env.HOME).register()");
    const { failed } = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(failed.get(0)?.message).toMatch(
      /^process is not defined: there is no process: settings come through env\(name\)/,
    );
  });

  test('Date, Math.random and Intl behave as in Node', async () => {
    await child.load(`GB('StreamReader').foreach(() => {
      class Later extends Date { plus() { return this.getTime() + 1 } }
      const l = new Later(5);
      log(JSON.stringify([
        typeof Date(), new Date() instanceof Date, Math.abs(Date.now() - new Date().getTime()) < 50, Date.length, Date.name,
        new Date(2020, 1, 2).getMonth(), Date.UTC(2000, 0), Date.parse('1970-01-01T00:00:01Z'), l.plus(), l instanceof Later,
        l instanceof Date, l.constructor === Later, new Date(7).constructor === Date, Math.random() < 1,
        new Intl.DateTimeFormat('en', { year: 'numeric' }).format(new Date(0)), typeof new Intl.DateTimeFormat('en').format(),
        performance.now() >= 0, Object.prototype.toString.call(new Date()),
      ]));
    }).register()`);
    const { logs } = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(JSON.parse(logs[0]?.message ?? '')).toEqual([
      'string',
      true,
      true,
      7,
      'Date',
      1,
      946684800000,
      1000,
      6,
      true,
      true,
      true,
      true,
      true,
      '1970',
      'string',
      true,
      '[object Date]',
    ]);
  });

  test('text encoders, base64 and structuredClone work', async () => {
    await child.load(`GB('StreamReader').foreach(() => {
      const bytes = new TextEncoder().encode('aä€😀');
      const copy = structuredClone({ m: new Map([[1, { d: new Date(3) }]]), s: new Set([1]), l: [1, , 3] });
      log(JSON.stringify([
        [...bytes], new TextDecoder().decode(bytes), new TextDecoder().decode(new Uint8Array([0x61, 0xff, 0xe2, 0x82])),
        btoa('hello?'), atob('aGVsbG8/'), btoa('a'), copy.m.get(1).d.getTime(), copy.s.has(1), copy.l.length,
      ]));
    }).register()`);
    const { logs } = await child.run({ payload: numbers(1), entryCount: 1 });
    expect(JSON.parse(logs[0]?.message ?? '')).toEqual([
      [...Buffer.from('aä€😀')],
      'aä€😀',
      'a\u{fffd}\u{fffd}\u{fffd}',
      'aGVsbG8/',
      'hello?',
      'YQ==',
      3,
      true,
      3,
    ]);
  });
});
