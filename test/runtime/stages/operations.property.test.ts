import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeReply } from '#functions';
import { OPERATIONS } from '../../../runtime/guest/operations.ts';
import { startRuntime, type TestRuntime } from '../scripted/runtime.ts';
import { resp, runPlan, type ShardInput } from './stages.ts';

let world: TestRuntime;
beforeAll(async () => {
  world = await startRuntime();
});
afterAll(() => world[Symbol.asyncDispose]());

interface ModelStep {
  readonly code: string;
  readonly apply: (records: readonly unknown[]) => readonly unknown[];
}

const sum = (values: readonly unknown[]): number => values.reduce<number>((a, b) => a + (b as number), 0);
const groupsBy = (records: readonly unknown[], key: (n: number) => unknown) =>
  [...Map.groupBy(records as number[], (n) => String(key(n)))].map(([name, values]) => ({ key: name, values }));

/** Steps over numbers that give numbers, whatever shard a record is on. */
const PER_RECORD: readonly ModelStep[] = [
  { code: '.map($(n => n * 3 + 1))', apply: (r) => r.map((n) => (n as number) * 3 + 1) },
  { code: '.filter($(n => n % 2 === 0))', apply: (r) => r.filter((n) => (n as number) % 2 === 0) },
  {
    code: '.flatmap($(n => n % 2 ? [n, n + 1] : []))',
    apply: (r) => r.flatMap((n) => ((n as number) % 2 ? [n, (n as number) + 1] : [])),
  },
  { code: '.foreach($(n => {}))', apply: (r) => r },
  { code: '.repartition(n => n % 5)', apply: (r) => r },
];

/** Steps whose result is the same however records are spread over shards; compared without their order. */
const GLOBAL: readonly ModelStep[] = [
  { code: '.count()', apply: (r) => (r.length === 0 ? [] : [r.length]) },
  { code: '.avg(n => n * 2)', apply: (r) => (r.length === 0 ? [] : [(sum(r) * 2) / r.length]) },
  { code: '.avg()', apply: (r) => (r.length === 0 ? [] : [sum(r) / r.length]) },
  {
    code: '.aggregate(0, $((a, n) => a + n), (a, b) => a + b)',
    apply: (r) => (r.length === 0 ? [] : [sum(r)]),
  },
  {
    code: '.aggregate([], (a, n) => { a.push(n); return a }, (a, b) => a.concat(b)).map(a => a.sort((x, y) => x - y))',
    apply: (r) => (r.length === 0 ? [] : [[...r].sort((a, b) => (a as number) - (b as number))]),
  },
  {
    code: '.countby(n => n % 3)',
    apply: (r) => groupsBy(r, (n) => n % 3).map(({ key, values }) => ({ key, value: values.length })),
  },
  { code: '.countby()', apply: (r) => groupsBy(r, (n) => n).map(({ key, values }) => ({ key, value: values.length })) },
  {
    code: '.aggregateby(n => n % 4, 0, $((k, a, n) => a + n), (k, a, b) => a + b)',
    apply: (r) => groupsBy(r, (n) => n % 4).map(({ key, values }) => ({ key, value: sum(values) })),
  },
  {
    code: '.groupby(n => n % 3, $((k, a, n) => (a ?? 0) + n))',
    apply: (r) => groupsBy(r, (n) => n % 3).map(({ key, values }) => ({ key, value: sum(values) })),
  },
  {
    code: '.batchgroupby(n => n % 3, (k, list) => list.length * 100 + Number(k))',
    apply: (r) =>
      groupsBy(r, (n) => n % 3).map(({ key, values }) => ({ key, value: values.length * 100 + Number(key) })),
  },
  { code: '.distinct()', apply: (r) => [...new Set(r)] },
  { code: '.collect()', apply: (r) => r },
];

/** The order counts. */
const SORTS: readonly ModelStep[] = [
  { code: '.sort()', apply: (r) => [...r].sort((a, b) => (a as number) - (b as number)) },
  { code: '.sort(true)', apply: (r) => [...r].sort((a, b) => (b as number) - (a as number)) },
  {
    code: '.sort((a, b) => a % 7 - b % 7 || a - b)',
    apply: (r) => [...r].sort((a, b) => ((a as number) % 7) - ((b as number) % 7) || (a as number) - (b as number)),
  },
];

const WRAPPERS = [
  'const $ = f => f;',
  'const $ = f => async (...a) => { await null; return f(...a) };',
  'const $ = f => async (...a) => { await execute("PING"); return f(...a) };',
  'let t = 0; const $ = f => (...a) => ++t % 3 ? f(...a) : execute("PING").then(() => f(...a));',
];

function piecesOf(numbers: readonly number[], size: number): ShardInput {
  const pieces: { payload: string; count: number }[] = [];
  for (let at = 0; at < numbers.length; at += size) {
    const part = numbers.slice(at, at + size);
    pieces.push({ payload: resp(part.map(String)), count: part.length });
  }
  return { pieces };
}

const plan = fc.record({
  wrapper: fc.constantFrom(...WRAPPERS),
  steps: fc.array(fc.constantFrom(...PER_RECORD), { maxLength: 3 }),
  last: fc.constantFrom(...GLOBAL, ...SORTS),
  shards: fc.array(fc.array(fc.nat(30), { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
  pieceSize: fc.integer({ min: 1, max: 5 }),
});

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

test('plans give what the same steps give on one array, however records are cut and spread', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ wrapper, steps, last, shards, pieceSize }) => {
      const all = [...steps, last];
      const code = `${wrapper} GB('KeysOnlyReader').map(Number)${all.map((step) => step.code).join('')}
        .map(r => JSON.stringify(r)).run()`;
      const { results, errors } = await runPlan({
        runtime: world.runtime,
        code,
        input: 'names',
        shards: shards.map((numbers) => piecesOf(numbers, pieceSize)),
        pieceSize,
      });
      expect(errors).toEqual([]);
      const got = results.map((text) => JSON.parse(decodeReply(text) as string) as unknown);
      const expected = all.reduce<readonly unknown[]>((records, step) => step.apply(records), shards.flat());
      if (SORTS.includes(last)) expect(got).toEqual(expected);
      else expect([...got].sort(byText)).toEqual([...expected].sort(byText));
    }),
    { numRuns: 60 },
  );
});

const LOCAL: readonly ModelStep[] = [
  ...PER_RECORD,
  { code: '.accumulate($((a, n) => (a ?? 0) + n))', apply: (r) => (r.length === 0 ? [] : [sum(r)]) },
  { code: '.limit(3, 1)', apply: (r) => r.slice(1, 4) },
  { code: '.limit(5)', apply: (r) => r.slice(0, 5) },
  {
    code: '.localgroupby(n => n % 3, $((k, a, n) => (a ?? 0) + n)).map(g => Number(g.key) * 1000 + g.value)',
    apply: (r) => groupsBy(r, (n) => n % 3).map(({ key, values }) => Number(key) * 1000 + sum(values)),
  },
];

test('on one shard, order stays and steps over many records follow each other in any number', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        wrapper: fc.constantFrom(...WRAPPERS),
        steps: fc.array(fc.constantFrom(...LOCAL), { maxLength: 5 }),
        numbers: fc.array(fc.nat(30), { maxLength: 20 }),
        pieceSize: fc.integer({ min: 1, max: 7 }),
      }),
      async ({ wrapper, steps, numbers, pieceSize }) => {
        const code = `${wrapper} GB('KeysOnlyReader').map(Number)${steps.map((step) => step.code).join('')}.run()`;
        const shards = [piecesOf(numbers, pieceSize)];
        const { results, errors } = await runPlan({ runtime: world.runtime, code, input: 'names', shards, pieceSize });
        expect(errors).toEqual([]);
        const got = results.map((text) => Number(decodeReply(text)));
        expect(got).toEqual(steps.reduce<readonly unknown[]>((records, step) => step.apply(records), numbers));
      },
    ),
    { numRuns: 60 },
  );
});

test('every operation of the builder is among them', () => {
  const codes = [...PER_RECORD, ...GLOBAL, ...SORTS, ...LOCAL].map(({ code }) => code);
  const untested = OPERATIONS.filter(({ names }) => !codes.some((code) => code.startsWith(`.${names[0]}(`)));
  expect(untested.map(({ names }) => names[0])).toEqual([]);
});
