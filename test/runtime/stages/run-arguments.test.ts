import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSpec } from '#functions';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';
import { requestOf } from './stages.ts';

let world: TestRuntime;
beforeAll(async () => {
  world = await startRuntime();
});
afterAll(() => world[Symbol.asyncDispose]());

async function specOf(code: string): Promise<RunSpec> {
  return (await world.runtime.inspect(requestOf({ code }).target)).runs[0] as RunSpec;
}

describe('run', () => {
  test('reports complete arguments with the documented defaults', async () => {
    expect(await specOf('GB().run()')).toEqual({
      index: 0,
      reader: 'KeysReader',
      arg: '*',
      mode: 'async',
      noScan: false,
      readValue: true,
      count: 1000,
      fromId: '0-0',
      untilId: '+',
      description: null,
      steps: [
        { type: 'stringify', arg: null },
        { type: 'collect', arg: null },
      ],
    });
  });

  test.each([
    ["GB('KeysReader', 'a*').run()", { arg: 'a*' }],
    ["GB('KeysReader', 'a*').run('b*')", { arg: 'b*' }],
    [
      "GB().run('k', { noScan: true, readValue: false, count: 5 })",
      { arg: 'k', noScan: true, readValue: false, count: 5 },
    ],
    ["GB().run({ pattern: 'p:*', mode: 'async_local' })", { arg: 'p:*', mode: 'async_local' }],
    ["GB('KeysOnlyReader', '*', 'why').run()", { reader: 'KeysOnlyReader', description: 'why' }],
    ["GB('StreamReader').run('s', { fromId: '5', untilId: '7-1' })", { arg: 's', fromId: '5-0', untilId: '7-1' }],
    ["GB('PythonReader').run(function* () {})", { reader: 'GeneratorReader', arg: '' }],
    ["GB('GeneratorReader', () => [1]).run()", { reader: 'GeneratorReader', arg: '' }],
    ["GB('ShardsIDReader').run()", { reader: 'ShardsIDReader', arg: '' }],
    ['GB().run("*", { convertToStr: false, collect: false })', { steps: [] }],
  ])('%s', async (code, expected) => {
    expect(await specOf(code)).toMatchObject(expected);
  });

  test.each([
    ['groupBy(x => x.a, (k, a, r) => r)', 'extractkey repartition accumulatebykey map'],
    ['localGroupBy(x => x.a, (k, a, r) => r)', 'extractkey accumulatebykey map'],
    ['batchGroupBy(x => x.a, (k, l) => l)', 'extractkey repartition group reduce map'],
    ['repartition(x => x.a)', 'extractkey repartition map'],
    ['aggregate(0, a => a, a => a)', 'accumulate collect accumulate'],
    ['aggregateBy(x => x, 0, (k, a) => a, (k, a) => a)', 'extractkey accumulatebykey repartition accumulatebykey map'],
    ['count()', 'accumulate collect accumulate'],
    ['countBy()', 'extractkey accumulatebykey repartition accumulatebykey map'],
    ['distinct()', 'extractkey accumulatebykey repartition accumulatebykey map'],
    ['sort()', 'collect accumulate flatmap'],
    ['avg()', 'accumulate collect accumulate map'],
    ['avg(r => r.a)', 'map accumulate collect accumulate map'],
  ])('%s is made of %s', async (steps, expected) => {
    const { steps: flat } = await specOf(`GB().${steps}.run('*', { convertToStr: false, collect: false })`);
    expect(flat.map(({ type }) => type).join(' ')).toBe(expected);
  });

  test.each([
    ['GB().run(5)', /KeysReader\.run: pattern must be a non-empty string, not 5/],
    ["GB().run('*', { noscan: true })", /unknown argument "noscan"\. Did you mean noScan\?/],
    ["GB().run('*', { mode: 'sync' })", /mode must be one of async, async_local, not "sync"/],
    ["GB().run('*', { count: 0 })", /count must be a whole number from 1 to 1000000, not 0/],
    ["GB().run('a', { pattern: 'b' })", /pattern is given twice/],
    ["GB('KeysOnlyReader').run('*', { patternGenerator: () => ['*', false] })", /patternGenerator does not exist here/],
    ["GB('StreamReader').run()", /the name of the stream is missing/],
    ["GB('StreamReader').run('s', { fromId: '$' })", /fromId must be 0-0 or an entry id/],
    ["GB('PythonReader').run()", /the function is not given/],
    ["GB('PythonReader').run('x')", /the argument must be a function, not "x"/],
    ["GB('ShardsIDReader').run('x')", /takes no argument but options, not "x"/],
    ["GB('CommandReader').run()", /CommandReader does not support run/],
    ["GB('ShardsIDReader').register()", /ShardsIDReader does not support register/],
    ['GB().run(); GB().run()', /Can not run more then 1 executions in a single script/],
    ['GB().aggregate(undefined, a => a, a => a)', /aggregate: zero is missing/],
    ['GB().aggregate({ f() {} }, a => a, a => a)', /zero must be plain data/],
    ['GB().aggregate(0, a => a)', /aggregate \(global\): the argument must be a function/],
    ["GB().sort('up')", /sort: reverse must be true or false, not "up"/],
    ['GB().sort({ revers: true })', /unknown argument "revers"\. Did you mean reverse\?/],
    ['GB().countby(5)', /countby \(extractor\): the argument must be a function, not 5/],
  ])('%s is refused', async (code, message) => {
    await expect(specOf(code)).rejects.toMatchObject({
      code: 'GUEST_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });
});
