import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeReply, utf8FromLatin1 } from '#functions';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';
import { requestOf, resp, runStage } from './stages.ts';

let world: TestRuntime;
beforeAll(async () => {
  world = await startRuntime();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Records as the function sees them, through JSON. */
async function seen(reader: string, entries: readonly unknown[]): Promise<unknown[]> {
  const input = ({ KeysReader: 'keys', StreamReader: 'stream' } as const)[reader] ?? 'names';
  const code = `GB('${reader}').run(${reader === 'StreamReader' ? "'s'" : ''})`;
  const request = requestOf({ code, fields: { endStep: 2, input, key: 's' } });
  const { records, errors } = await runStage(world.runtime, request, {
    pieces: [{ payload: resp(entries), count: entries.length }],
  });
  expect(errors).toEqual([]);
  return records.map((text) => {
    const shown = utf8FromLatin1(decodeReply(text) as string);
    return input === 'names' ? shown : (JSON.parse(shown) as unknown);
  });
}

describe('records of the keys reader', () => {
  test.each([
    ['string', 'value', 'value', 'string'],
    ['hash', ['name', 'Rick', 'age', '70'], { name: 'Rick', age: '70' }, 'hash'],
    ['list', ['a', 'b'], ['a', 'b'], 'list'],
    ['set', ['a', 'b'], ['a', 'b'], 'set'],
    [
      'zset',
      ['a', '1', 'b', '2.5'],
      [
        ['a', 1],
        ['b', 2.5],
      ],
      'zset',
    ],
    ['set', null, null, 'set'],
    ['stream', null, null, 'unknown'],
    ['unknown', null, null, 'unknown'],
    ['empty', null, null, 'empty'],
    ['module', null, null, 'module'],
    ['ReJSON-RL', null, null, 'module'],
    ['none', null, null, 'empty'],
    ['hash', [], null, 'empty'],
    ['string', null, null, 'empty'],
  ])('%s %j', async (...[type, value, shown, typeName]) => {
    expect(await seen('KeysReader', [['k', type, value]])).toEqual([
      { key: 'k', value: shown, type: typeName, event: null },
    ]);
  });

  test('keys of one type come as names and values, those that have gone are empty', async () => {
    const names = resp(['a', 'ü', 'gone', 'd']);
    const values = resp([['x', '1'], ['x', '2', 'ö', ''], [], ['x', '3']]);
    const payload = `*4\r\n${resp('hash')}:${names.length}\r\n${names}${values}`;
    const code = "GB('KeysReader').run()";
    const request = requestOf({ code, fields: { endStep: 1, input: 'keys' } });
    const { records, errors } = await runStage(world.runtime, request, { pieces: [{ payload, count: 4 }] });
    expect(errors).toEqual([]);
    const shown = records.map((text) => JSON.parse(utf8FromLatin1(decodeReply(text) as string)) as unknown);
    expect(shown).toEqual([
      { key: 'a', value: { x: '1' }, type: 'hash', event: null },
      { key: 'ü', value: { x: '2', ö: '' }, type: 'hash', event: null },
      { key: 'gone', value: null, type: 'empty', event: null },
      { key: 'd', value: { x: '3' }, type: 'hash', event: null },
    ]);
  });

  test('without values they have neither value nor type', async () => {
    expect(await seen('KeysReader', [['k'], ['l']])).toEqual([
      { key: 'k', event: null },
      { key: 'l', event: null },
    ]);
  });
});

test('names are records', async () => {
  expect(await seen('KeysOnlyReader', ['a', 'ü'])).toEqual(['a', 'ü']);
});

test('entries of a stream', async () => {
  expect(await seen('StreamReader', [['1-0', ['f', 'v', 'g', 'w']]])).toEqual([
    { key: 's', id: '1-0', value: { f: 'v', g: 'w' } },
  ]);
});
