import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeReply, type RunSpec, utf8FromLatin1 } from '#functions';
import type { StageOutput, StageRequest } from '#runtime';
import { waitFor } from '../../support/wait.ts';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';
import { requestOf, resp, runPlan, runStage } from './stages.ts';

let world: TestRuntime;
beforeAll(async () => {
  world = await startRuntime();
});
afterAll(() => world[Symbol.asyncDispose]());

function names(count: number, from = 0): { payload: string; count: number } {
  return { payload: resp(Array.from({ length: count }, (_, at) => String(from + at))), count };
}

function texts(output: Pick<StageOutput, 'records'>): string[] {
  return output.records.map((record) => utf8FromLatin1(String(decodeReply(record))));
}

function script(steps: string): string {
  return `GB('KeysOnlyReader')${steps}.run('*', { convertToStr: false, collect: false })`;
}

async function wholePlan(code: string): Promise<{ readonly spec: RunSpec; readonly request: StageRequest }> {
  const spec = (await world.runtime.inspect(requestOf({ code }).target)).runs[0] as RunSpec;
  return { spec, request: requestOf({ code, fields: { endStep: spec.steps.length } }) };
}

describe('between stages', () => {
  test('values arrive as they left', async () => {
    const code = script(`.map(() => ({
      text: 'ünï😀', ascii: 'a', bytes: new Uint8Array([0, 255, 13, 10]), big: 2n ** 70n, minus: -0, nan: NaN, inf: -Infinity,
      none: undefined, nil: null, yes: true, list: [1, [2, { a: [] }]], date: new Date(5), ['__proto__']: 7,
      map: new Map([['k', { n: 1 }]]), set: new Set([1, 'two']), empty: {}, error: new TypeError('odd'),
    })).collect().map(r => JSON.stringify([
      r.text, r.ascii, [...r.bytes], r.bytes instanceof Uint8Array, String(r.big), Object.is(r.minus, -0), Number.isNaN(r.nan), r.inf === -Infinity,
      'none' in r, r.none === undefined, r.nil, r.yes, r.list, r.date instanceof Date, r.date.getTime(),
      Object.getOwnPropertyDescriptor(r, '__proto__').value, r.map.get('k'), [...r.set], r.empty, r.error,
    ]))`);
    const { results, errors } = await runPlan({
      runtime: world.runtime,
      code,
      input: 'names',
      shards: [{ pieces: [names(2)] }],
      pieceSize: 1,
    });
    expect(errors).toEqual([]);
    expect(results).toHaveLength(2);
    expect(JSON.parse(utf8FromLatin1(decodeReply(results[1] as string) as string))).toEqual([
      'ünï😀',
      'a',
      [0, 255, 13, 10],
      true,
      String(2n ** 70n),
      true,
      true,
      true,
      true,
      true,
      null,
      true,
      [1, [2, { a: [] }]],
      true,
      5,
      7,
      { n: 1 },
      [1, 'two'],
      {},
      { name: 'TypeError', message: 'odd' },
    ]);
  });

  test.each([
    ['{ a: [1, () => 1] }', 'The record.a[1] is a function'],
    ['Symbol()', 'The record is a symbol'],
    ['({ p: Promise.resolve(1) })', 'The record.p is a promise (await it)'],
    ['(() => { const r = {}; r.self = r; return r })()', 'nested deeper than 200 levels, or within itself'],
  ])('%s is an error of its record', async (value, message) => {
    const code = script(`.map(() => (${value}))`);
    const request = requestOf({ code, fields: { endStep: 1, output: 'records' } });
    const { records, errors } = await runStage(world.runtime, request, { pieces: [names(1)] });
    expect(records).toEqual([]);
    expect(errors[0]?.message).toContain(message);
  });

  test('keys of partitions are text, bytes in them survive', async () => {
    const code = `GB('KeysReader').repartition(r => r.key).run('*', { convertToStr: false })`;
    const request = requestOf({ code, fields: { endStep: 1, input: 'keys', output: 'partitioned' } });
    const payload = resp([['a'], ['ü'], [Buffer.from([0xff, 0x00])]]);
    const { keys, records } = await runStage(world.runtime, request, { pieces: [{ payload, count: 3 }] });
    expect(keys).toEqual(['a', 'Ã¼', 'Ã¿\u0000']);
    expect(records).toHaveLength(3);
  });
});

describe('a stage', () => {
  test('gives outputs in the order of inputs, many at once, also over two pieces', async () => {
    const code = script(
      ".map(async n => { await execute(n % 2 ? 'PING' : 'ECHO', ...(n % 2 ? [] : ['x'])); if (n % 3) await execute('PING'); return n })",
    );
    await using stage = await world.runtime.openStage(requestOf({ code, fields: { endStep: 1 } }));
    const [first, second] = await Promise.all([
      stage.feed(names(500).payload, 500),
      stage.feed(names(500, 500).payload, 500),
    ]);
    const all = [...texts(first), ...texts(second)];
    expect(all).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)));
    expect(await stage.finish()).toEqual({ records: [], keys: [], errors: [], enough: true });
  });

  test('ends its input at an error, which names the line; what was begun before counts', async () => {
    const code = script(`.map(n => {
      if (n === '3') throw new TypeError('not three');
      return n;
    }).accumulate((sum, n) => (sum ?? 0) + Number(n))`);
    await using stage = await world.runtime.openStage(requestOf({ code, fields: { endStep: 2 } }));
    const fed = await stage.feed(names(10).payload, 10);
    expect(fed).toMatchObject({
      enough: true,
      errors: [{ code: 'GUEST_ERROR', name: 'TypeError', message: 'not three' }],
    });
    expect(fed.errors[0]?.stack).toContain('f.js:2:');
    expect(texts(await stage.finish())).toEqual(['3']);
  });

  test('an error of a reducer loses what it had gathered, of its key only', async () => {
    const code = script(`.flatmap(() => ['a', 'b', 'a', 'x', 'b']).localgroupby(n => n === 'x' ? 'a' : n, (k, n, r) => {
      if (r === 'x') throw new Error('x');
      return (n ?? 0) + 1;
    }).map(g => g.key + g.value)`);
    const request = requestOf({ code, fields: { endStep: 5 } });
    const { records, errors } = await runStage(world.runtime, request, { pieces: [names(1)] });
    expect(errors).toMatchObject([{ message: 'x' }]);
    expect(texts({ records })).toEqual(['b2']);
  });

  test('a limit stops what is before it', async () => {
    const code = script(".foreach(() => execute('INCR', 'limited')).limit(3, 1)");
    await using stage = await world.runtime.openStage(requestOf({ code, fields: { endStep: 2 } }));
    const fed = await stage.feed(names(100).payload, 100);
    expect(texts(fed)).toEqual(['1', '2', '3']);
    expect(fed.enough).toBe(true);
    expect(await world.access.client.get('limited')).toBe('4');
  });

  test('limits hold for each record, transactions belong to theirs', async () => {
    const code = script(`.foreach(async n => {
      for (let i = 0; i < 5; i++) await execute('INCR', 'many');
      await atomic(() => { execute('INCR', 'many'); execute('INCR', 'many') });
      await atomic(async tx => { tx.execute('SET', 'seen:' + n, await tx.execute('GET', 'many')) });
    }).map(async n => { if (n === '7') for (let i = 0; i < 9; i++) await execute('PING'); return n })`);
    const limits = { commandsPerEvent: 12 };
    const request = requestOf({ code, limits, fields: { endStep: 2 } });
    const { records, errors } = await runStage(world.runtime, request, { pieces: [names(50)] });
    expect(records).toHaveLength(49);
    expect(errors).toMatchObject([{ code: 'LIMIT_COMMANDS' }]);
    expect(await world.access.client.get('many')).toBe('350');
  });

  test('an accumulator comes out in pieces of bounded size', async () => {
    const code = script('.localgroupby(n => n, (k, n) => (n ?? 0) + 1)');
    await using stage = await world.runtime.openStage(
      requestOf({ code, fields: { endStep: 3, output: 'partitioned' } }),
    );
    await stage.feed(names(2500).payload, 2500);
    const sizes: number[] = [];
    for (let enough = false; !enough; ) {
      const output = await stage.drain?.(1000);
      sizes.push(output?.records.length ?? 0);
      enough = output?.enough ?? true;
    }
    expect(sizes.filter((size) => size > 0)).toEqual([1000, 1000, 500]);
  });

  test('profiles its steps', async () => {
    const code = script(
      '.map(n => { const end = Date.now() + 30; while (Date.now() < end); return n }).filter(() => false)',
    );
    await using stage = await world.runtime.openStage(requestOf({ code, fields: { endStep: 2, profile: true } }));
    await stage.feed(names(2).payload, 2);
    expect(stage.stepTimes()).toHaveLength(2);
    expect(stage.stepTimes()[0]).toBeGreaterThan(40);
  });

  test('may hold a whole plan: global steps then let records pass', async () => {
    const code =
      "GB('KeysOnlyReader').countby(n => n % 3).repartition(g => g.key).map(g => g.key + ':' + g.value).distinct().sort().run()";
    const { spec, request } = await wholePlan(code);
    expect(spec.steps.map(({ type }) => type)).toContain('collect');
    const { records, errors } = await runStage(world.runtime, request, { pieces: [names(4), names(6, 4)] });
    expect(errors).toEqual([]);
    expect(texts({ records })).toEqual(['0:4', '1:3', '2:3']);
  });

  test('leaves no isolate of a script behind', async () => {
    const code = script('.map(n => n)');
    const request = requestOf({ code, fields: { endStep: 1 } });
    await runStage(world.runtime, request, { pieces: [names(1)] });
    await waitFor(() => world.runtime.inspectPool().every(({ versions }) => versions.length === 0), {
      what: 'empty processes',
    });
  });
});

describe('generators', () => {
  const pulled = async (argument: string, count = 5): Promise<string[]> => {
    const code = `GB('GeneratorReader').run(${argument}, { convertToStr: false })`;
    await using stage = await world.runtime.openStage(requestOf({ code, fields: { input: 'generator' } }));
    const all: string[] = [];
    for (let pulls = 0; pulls < 3; pulls += 1) {
      const output = await stage.pull(count);
      if (output.errors[0]) throw new Error(output.errors[0].message);
      all.push(...texts(output));
      if (output.enough) return all;
    }
    return [...all, 'and so on'];
  };

  test.each([
    ['function* () { for (let i = 0; i < 7; i++) yield i }', ['0', '1', '2', '3', '4', '5', '6']],
    ["async function* () { for (let i = 0; i < 3; i++) yield await execute('ECHO', i) }", ['0', '1', '2']],
    ['() => [1, Promise.resolve(2)]', ['1', '2']],
    ['async () => new Set(["a", "b"])', ['a', 'b']],
    ['(() => { let n = 0; return () => n < 6 ? n++ : undefined })()', ['0', '1', '2', '3', '4', '5']],
  ])('%s', async (argument, expected) => {
    expect(await pulled(argument)).toEqual(expected);
  });

  test('a plain value is a record again and again', async () => {
    expect(await pulled('() => 1', 2)).toEqual(['1', '1', '1', '1', '1', '1', 'and so on']);
  });

  test('what a generator throws is an error', async () => {
    await expect(pulled("function* () { yield 1; throw new Error('dry') }")).rejects.toThrow('dry');
  });
});

describe('losses', () => {
  test('a record that takes too long ends the stage, which has to begin anew', async () => {
    const code = script(".map(n => { if (n === '2') for (;;); return n })");
    await using stage = await world.runtime.openStage(
      requestOf({ code, limits: { callMs: 100 }, fields: { endStep: 1 } }),
    );
    await expect(stage.feed(names(5).payload, 5)).rejects.toMatchObject({ code: 'LIMIT_CALL_TIME', retryable: false });
    await expect(stage.feed(names(5).payload, 5)).rejects.toMatchObject({ code: 'SANDBOX_DIED', retryable: true });
  });

  test('a killed process ends the stage, which can run again', async () => {
    const code = script(".map(n => execute('BLPOP', 'nothing').catch(() => n)).accumulate((a, n) => n)");
    const request = requestOf({ code, fields: { endStep: 2 } });
    await using stage = await world.runtime.openStage(request);
    await stage.feed(names(1).payload, 1);
    const sandbox = world.runtime.inspectPool().find(({ versions }) => versions.length > 0);
    process.kill(sandbox?.pid as number, 'SIGKILL');
    await expect(stage.finish()).rejects.toMatchObject({ code: 'SANDBOX_DIED', retryable: true });
    expect(texts(await runStage(world.runtime, request, { pieces: [names(3)] }))).toEqual(['2']);
  });

  test('an abort gets through to code in an endless loop', async () => {
    const code = script('.map(() => { for (;;); })');
    const abort = new AbortController();
    const fields = { endStep: 1, signal: abort.signal };
    await using stage = await world.runtime.openStage(requestOf({ code, limits: { callMs: 60_000 }, fields }));
    const pid = world.runtime.inspectPool().find(({ versions }) => versions.length > 0)?.pid;
    const fed = stage.feed(names(1).payload, 1);
    setTimeout(() => abort.abort(new Error('enough of it')), 50);
    await expect(fed).rejects.toThrow('enough of it');
    await waitFor(() => world.runtime.inspectPool().every((sandbox) => sandbox.pid !== pid), {
      what: 'the end of the process',
    });
  });

  test('a source or a run that is not there says so', async () => {
    await expect(world.runtime.openStage(requestOf({ code: '\nnonsense()' }))).rejects.toMatchObject({
      code: 'GUEST_ERROR',
      message: expect.stringContaining('f.js:2:'),
    });
    await expect(world.runtime.openStage(requestOf({ code: '1' }))).rejects.toMatchObject({
      code: 'GUEST_ERROR',
      message: expect.stringContaining('no run 0'),
    });
  });
});
