import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailedEntry } from '#runtime';
import { waitFor } from '../support/wait.ts';
import { invocationOf } from './scripted/invocations.ts';
import { startRuntime, type TestRuntime } from './scripted/runtime.ts';

/** What Redis may be sent while guests do their worst. */
const HARMLESS = new Set(['hincrby', 'set', 'get', 'ping', 'watch', 'multi', 'exec', 'unwatch', 'incr']);

const LIMITS = {
  memoryBytes: 64 * 1024 * 1024,
  callMs: 400,
  executionMs: 1_500,
  commandsPerEvent: 1_000,
  outputBytes: 1024 * 1024,
};

let world: TestRuntime;
const seen: string[] = [];
let serial = 0;

beforeAll(async () => {
  world = await startRuntime({
    sandboxes: 1,
    sandbox: { graceMs: 300, quarantineAfterCrashes: 100, residentBytes: 700 * 1024 * 1024 },
  });
  const monitor = await world.redis.client().monitor();
  monitor.on('monitor', (_time: string, args: string[]) => seen.push(args.join(' ')));
  seen.length = 0;
});

afterAll(() => world[Symbol.asyncDispose]());

function streamCode(body: string): string {
  return `new GearsBuilder('StreamReader').foreach(${body}).register({ prefix: 's' });`;
}

/** Runs a handler on one entry, under a name of its own, and returns how the entry ended. */
async function fate(body: string, code = streamCode(body)): Promise<FailedEntry | 'done'> {
  serial += 1;
  const { invocation, ends } = invocationOf({ code, name: `fault-${serial}`, limits: LIMITS });
  await world.runtime.execute(invocation);
  expect(ends.done.length + ends.filtered.length + ends.failed.length).toBe(1);
  return ends.failed[0] ?? 'done';
}

/** The scheduler's part: whoever was only interrupted runs again. */
async function neighbour(): Promise<void> {
  const code = streamCode("async (r) => { await execute('HINCRBY', 'neighbour', 'n', 1); }");
  await waitFor(
    async () => {
      const { invocation, ends } = invocationOf({ code, name: 'neighbour' });
      await world.runtime.execute(invocation);
      for (const { kind } of ends.failed) expect(kind).toBe('interrupted');
      return ends.done.length === 1;
    },
    { what: 'the neighbour runs' },
  );
}

function expectClear(end: FailedEntry | 'done', codes: readonly string[]): void {
  if (end === 'done') throw new Error('the faulty entry ended well');
  expect(['guest', 'limit', 'crash']).toContain(end.kind);
  expect(codes).toContain(end.error.code);
  expect(end.error.message.length).toBeGreaterThan(10);
}

const TIME = ['LIMIT_CALL_TIME'];
const MEMORY = ['LIMIT_MEMORY', 'SANDBOX_DIED', 'LIMIT_CALL_TIME'];
const ANY = [...MEMORY, 'GUEST_ERROR', 'LIMIT_OUTPUT', 'LIMIT_EXECUTION_TIME'];

describe('a guest that does its worst fails with a clear error, and its neighbours go on', () => {
  test.each<[name: string, codes: readonly string[], body: string]>([
    ['endless loop', TIME, '() => { for (;;); }'],
    ['endless microtasks', TIME, 'async () => { for (;;) await 1; }'],
    ['endless loop after an await', TIME, "async () => { await execute('GET', 'k'); for (;;); }"],
    ['endless loop after a plain await', TIME, 'async () => { await 1; for (;;); }'],
    ['promise that never settles', ['LIMIT_EXECUTION_TIME'], 'async () => { await new Promise(() => {}); }'],
    ['thenable that never calls back', ['LIMIT_EXECUTION_TIME'], '() => ({ then() {} })'],
    ['arrays that grow', MEMORY, '() => { const a = []; for (;;) a.push(new Array(1000).fill(Math.random())); }'],
    ['strings that grow', [...ANY], "() => { let s = 'x'; for (;;) s += s + Math.random(); }"],
    ['a huge array buffer', [...ANY], '() => { return new ArrayBuffer(8e9).byteLength; }'],
    [
      'array buffers',
      [...ANY],
      '() => { const a = []; for (let i = 0; i < 1e6; i++) { const b = new Uint8Array(50e6); b.fill(1); a.push(b); } }',
    ],
    ['typed arrays', [...ANY], '() => { const a = []; for (;;) a.push(new Float64Array(1e6)); }'],
    ['a huge fill', MEMORY, '() => new Array(3e8).fill({}).length'],
    ['endless recursion', ['GUEST_ERROR'], '() => { (function f() { f(); })(); }'],
    ['a catastrophic expression', TIME, "() => /^(a+)+$/.test('a'.repeat(40) + 'b')"],
    ['a map that grows', MEMORY, "() => { const m = new Map(); for (let i = 0; ; i++) m.set('k' + i, { i }); }"],
    ['big integers', ANY, '() => { let b = 2n ** 64n; for (;;) b = b * b; }'],
    ['a comparator that loops', TIME, '() => { Array.from({ length: 1e5 }, (_, i) => i).sort(() => { for (;;); }); }'],
    [
      'a comparator that loops over ten million',
      MEMORY,
      '() => { Array.from({ length: 1e7 }, (_, i) => i).sort(() => { for (;;) {} }); }',
    ],
    [
      'the longest string there can be',
      [...ANY],
      "(r) => { r.value[r.id] = 'x'.repeat(2 ** 29 - 25) + r.id; return /y/.test(r.value[r.id]); }",
    ],
    ['nested JSON', ANY, '() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; JSON.stringify(o); }'],
    ['waiting on memory', ANY, '() => { Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0); }'],
    [
      'WebAssembly memory',
      ANY,
      '() => { const a = []; for (;;) a.push(new WebAssembly.Memory({ initial: 1000, maximum: 60000 })); }',
    ],
    [
      'ten million commands',
      ['LIMIT_COMMANDS'],
      "async () => { const all = []; for (let i = 0; i < 1e7; i++) all.push(execute('GET', 'k')); await Promise.all(all); }",
    ],
    [
      'an endless argument',
      ANY.concat('LIMIT_COMMANDS'),
      "async () => { await execute('SET', 'k', 'x'.repeat(2 ** 28)); }",
    ],
    [
      'a getter that throws on an argument',
      ['GUEST_ERROR', 'GUEST_ARGUMENT'],
      "async () => { await execute('SET', 'k', { get toString() { throw new Error('no such luck'); } }); }",
    ],
    [
      'throwing a proxy',
      ['GUEST_ERROR'],
      "() => { throw new Proxy({}, { get() { throw new Error('gotcha in the trap'); } }); }",
    ],
    [
      'throwing an error with hostile fields',
      ['GUEST_ERROR', 'LIMIT_CALL_TIME'],
      "() => { const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;); } }); Object.defineProperty(e, 'message', { get() { throw 1; } }); throw e; }",
    ],
  ])('%s', async (_, codes, body) => {
    const during = fate(body);
    await neighbour();
    expectClear(await during, codes);
    await neighbour();
  });

  test('the longest string there can be, of which only the length is asked, harms nobody', async () => {
    const end = await fate("() => 'x'.repeat(2 ** 29 - 25).length");
    if (end !== 'done') expectClear(end, ANY);
    await neighbour();
  });

  test('a result of one gigabyte is refused by its size', async () => {
    const code =
      "new GearsBuilder('CommandReader').flatmap(() => Array.from({ length: 4 }, () => 'x'.repeat(2 ** 28))).register({ trigger: 'big' });";
    serial += 1;
    const { invocation, ends } = invocationOf({
      code,
      name: `fault-${serial}`,
      limits: LIMITS,
      fields: { shape: 'command', payload: '*1\r\n*1\r\n$3\r\nbig\r\n', wantResults: true },
    });
    await world.runtime.execute(invocation);
    expectClear(ends.failed[0] ?? 'done', ['LIMIT_OUTPUT', 'LIMIT_MEMORY', 'GUEST_ERROR']);
    await neighbour();
  });

  test.each([
    ['a getter', "({ get x() { throw new Error('thrown by a getter'); } })"],
    ['toJSON', "({ toJSON() { throw new Error('thrown by toJSON'); } })"],
    ['a proxy', "new Proxy({}, { ownKeys() { throw new Error('thrown by a trap'); } })"],
    ['a cycle', '(() => { const a = []; a.push(a); return a; })()'],
  ])('a result that throws through %s fails its own call only', async (_, result) => {
    serial += 1;
    const { invocation, ends } = invocationOf({
      code: `new GearsBuilder('CommandReader').map((args) => args[1] === 'bad' ? ${result} : 'fine').register({ trigger: 't' });`,
      name: `fault-${serial}`,
      entries: 2,
      limits: LIMITS,
      fields: {
        shape: 'command',
        payload: '*2\r\n*2\r\n$1\r\nt\r\n$3\r\nbad\r\n*2\r\n$1\r\nt\r\n$4\r\ngood\r\n',
        wantResults: true,
      },
    });
    await world.runtime.execute(invocation);
    expect(ends.done).toContain(1);
    expect(ends.results.at(-1)).toContain('fine');
  });
});

describe('a guest cannot reach out', () => {
  test.each([
    [
      'Array',
      'Array.prototype.push = function () { return 0; }; Array.prototype[Symbol.iterator] = function () { throw 1; };',
    ],
    [
      'Object',
      "Object.prototype.then = function () {}; Object.defineProperty = () => { throw 1; }; Object.prototype.__proto__; Object.keys = () => ['x'];",
    ],
    ['Promise', 'Promise.prototype.then = function () { return new Promise(() => {}); }; Promise.resolve = () => 0;'],
    [
      'String',
      "String.prototype.charCodeAt = () => 0; String.prototype.slice = () => ''; String.prototype.indexOf = () => -1; String.fromCharCode = () => 'x';",
    ],
    ['JSON', "JSON.stringify = () => 'lies'; JSON.parse = () => ({ done: [0, 1, 2] });"],
    [
      'Map and Set',
      'Map.prototype.get = () => undefined; Map.prototype.set = () => { throw 1; }; Set.prototype.has = () => true;',
    ],
    ['Function', 'Function.prototype.call = () => 0; Function.prototype.apply = () => 0;'],
    ['Uint32Array', 'Uint32Array.prototype.set = () => 0; Uint32Array.prototype.fill = () => 0;'],
  ])('by poisoning %s', async (_, poison) => {
    const before = Number(await world.access.client.hget('poisoned', 'n'));
    const body = `async (r) => { ${poison} const reply = await execute('HINCRBY', 'poisoned', 'n', 1); }`;
    await fate(body);
    expect(Number(await world.access.client.hget('poisoned', 'n')) - before).toBeLessThanOrEqual(1);
    await neighbour();
  });

  test('with RESP smuggled into arguments', async () => {
    const smuggled = "'x\\r\\n*1\\r\\n$8\\r\\nFLUSHALL\\r\\n'";
    expect(
      await fate(
        `async () => { await execute('SET', ${smuggled}, ${smuggled}); await execute('SET', 'plain', ${smuggled}); }`,
      ),
    ).toBe('done');
    expect(await world.access.client.get('plain')).toBe('x\r\n*1\r\n$8\r\nFLUSHALL\r\n');
  });

  test.each([
    ['a forbidden command', "execute('FLUSHALL')"],
    ['a forbidden command in lower case', "execute('flushall')"],
    ['two in one', "execute('GET k\\r\\nFLUSHALL')"],
    ['a script', "execute('EVAL', 'return redis.call(\"flushall\")', 0)"],
    ['a configuration', "execute('CONFIG', 'SET', 'dir', '/tmp')"],
    ['the registry', "execute('DEL', 'rg:{registry}:functions')"],
    ['the registry through SORT', "execute('SORT', 'k', 'GET', '*->x')"],
    ['a blocking read', "execute('BLPOP', 'k', 0)"],
    [
      'a name that changes when it is read twice',
      "execute({ n: 0, toString() { return this.n++ ? 'FLUSHALL' : 'GET'; } }, 'k')",
    ],
  ])('with %s', async (_, call) => {
    await world.access.client.set('sentinel', 'kept');
    const end = await fate(`async () => { await ${call}; }`);
    expect(end).not.toBe('done');
    if (end !== 'done') expect(end.error.message).toMatch(/FORBIDDEN|argument|ERR|may not be sent|must be/i);
    expect(await world.access.client.get('sentinel')).toBe('kept');
  });

  test('with a forbidden command in a transaction', async () => {
    const end = await fate(
      "async () => { await atomic(async (tx) => { await tx.execute('GET', 'k'); tx.execute('FLUSHALL'); }); }",
    );
    expect(end).not.toBe('done');
    const group = await fate(
      "async () => { await atomic(() => { execute('SET', 'half', 1); execute('FLUSHALL'); }); }",
    );
    expect(group).not.toBe('done');
    expect(await world.access.client.get('half')).toBeNull();
  });

  test('with acknowledgements of its own', async () => {
    const attempt = `async () => {
      for (const name of Object.getOwnPropertyNames(globalThis)) {
        const value = globalThis[name];
        if (typeof value === 'function' && !/^[A-Z]/.test(name)) { try { value({ done: [0, 1, 2, 3], batch: 1 }); } catch {} }
      }
      throw new Error('it did not end well, whatever it said');
    }`;
    const end = await fate(attempt);
    expect(end).toMatchObject({ kind: 'guest' });
  });

  test('and Redis has never seen a forbidden command', async () => {
    await world.access.client.ping();
    await waitFor(() => seen.some((line) => line.toLowerCase() === 'ping'), { what: 'the monitor caught up' });
    const names = new Set(seen.map((line) => line.split(' ')[0]?.toLowerCase() ?? ''));
    for (const name of HARMLESS) names.delete(name);
    // What the test's own clients and the node's connections say.
    for (const own of ['info', 'hget', 'client']) names.delete(own);
    expect([...names]).toEqual([]);
    expect(seen.filter((line) => line.includes(' rg:'))).toEqual([]);
    expect(seen.some((line) => line.startsWith('HINCRBY neighbour'))).toBe(true);
  });
});
