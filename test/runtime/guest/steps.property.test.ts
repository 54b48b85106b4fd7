import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChildHarness, entriesOf } from '../child/child-harness.ts';

let child: ChildHarness;
beforeAll(async () => {
  child = await ChildHarness.start();
});
afterAll(() => child.stop());

interface ModelStep {
  /** What the user writes, `$` stands for the callback's wrapper. */
  readonly code: string;
  readonly apply: (records: readonly number[]) => readonly number[];
}

const PER_RECORD: readonly ModelStep[] = [
  { code: '.map($(n => n * 3 + 1))', apply: (records) => records.map((n) => n * 3 + 1) },
  { code: '.filter($(n => n % 2 === 0))', apply: (records) => records.filter((n) => n % 2 === 0) },
  { code: '.filter($(n => n % 3 !== 0))', apply: (records) => records.filter((n) => n % 3 !== 0) },
  {
    code: '.flatmap($(n => n % 2 ? [n, n + 1, n + 2] : []))',
    apply: (records) => records.flatMap((n) => (n % 2 ? [n, n + 1, n + 2] : [])),
  },
  {
    code: '.flatmap($(n => [n, [n]]).valueOf()).map(n => Number(n))',
    apply: (records) => records.flatMap((n) => [n, n]),
  },
  { code: '.foreach($(n => execute("SEEN", n)))', apply: (records) => records },
  { code: '.collect()', apply: (records) => records },
];
const BINDING: readonly ModelStep[] = [
  {
    code: '.accumulate($((a, n) => (a ?? 0) + n))',
    apply: (r) => (r.length === 0 ? [] : [r.reduce((a, n) => a + n, 0)]),
  },
  { code: '.limit(2, 1)', apply: (records) => records.slice(1, 3) },
  { code: '.limit(3)', apply: (records) => records.slice(0, 3) },
  {
    code: '.localgroupby(n => n % 3, $((k, a, n) => (a ?? 0) + n)).map(g => Number(g.key) * 1000 + g.value)',
    apply: (records) =>
      [...Map.groupBy(records, (n) => n % 3)].map(([k, n]) => k * 1000 + n.reduce((a, b) => a + b, 0)),
  },
  { code: '.count()', apply: (records) => (records.length === 0 ? [] : [records.length]) },
  {
    code: '.aggregate(1, $((a, n) => a + n), (a, b) => a + b - 1)',
    apply: (r) => (r.length === 0 ? [] : [r.reduce((a, n) => a + n, 1)]),
  },
  {
    code: '.groupby(n => n % 3, $((k, a, n) => (a ?? 0) + n)).map(g => Number(g.key) * 1000 + g.value)',
    apply: (records) =>
      [...Map.groupBy(records, (n) => n % 3)].map(([k, n]) => k * 1000 + n.reduce((a, b) => a + b, 0)),
  },
  {
    code: '.batchgroupby(n => n % 2, (k, list) => list.length).map(g => Number(g.key) * 1000 + g.value)',
    apply: (records) => [...Map.groupBy(records, (n) => n % 2)].map(([k, list]) => k * 1000 + list.length),
  },
  { code: '.distinct()', apply: (records) => [...new Set(records)] },
  { code: '.sort(true)', apply: (records) => [...records].sort((a, b) => b - a) },
];

/** Callbacks answer at once, after some microtasks, after a reply, or now so and now so. */
const WRAPPERS = [
  'const $ = f => f;',
  'const $ = f => async (...a) => { await null; await null; return f(...a) };',
  'const $ = f => async (...a) => { await execute("WAIT"); return f(...a) };',
  'let t = 0; const $ = f => (...a) => ++t % 3 ? f(...a) : execute("WAIT").then(() => f(...a));',
];

const plan = fc.record({
  wrapper: fc.constantFrom(...WRAPPERS),
  steps: fc.array(fc.constantFrom(...PER_RECORD, ...BINDING), { maxLength: 5 }),
  input: fc.array(fc.nat(50), { minLength: 1, maxLength: 12 }),
  executionSize: fc.integer({ min: 1, max: 5 }),
  ordered: fc.constantFrom(0, 1),
});

test('plans give what the same steps give on arrays', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ wrapper, steps, input, executionSize, ordered }) => {
      const binds = steps.some((step) => BINDING.includes(step));
      await child.load(`${wrapper}
        GB('StreamReader').map(r => Number(r.value.n))${steps.map(({ code }) => code).join('')}.register({ convertToStr: false });`);
      const record = await child.run({
        payload: entriesOf(input.map((n) => ['n', String(n)])),
        entryCount: input.length,
        executionSize,
        ordered,
        wantResults: 1,
      });
      expect([...record.done, ...record.filtered].sort((a, b) => a - b)).toEqual(input.map((_, index) => index));
      expect(record.started).toBe(Math.ceil(input.length / executionSize));
      const size = binds ? executionSize : 1;
      for (let first = 0; first < input.length; first += size) {
        const group = input.slice(first, first + size);
        const expected = steps.reduce<readonly number[]>((records, step) => step.apply(records), group);
        const texts = group.map((_, offset) => record.results.get(first + offset) ?? '');
        const got = texts.flatMap((text) => [...text.matchAll(/:(-?\d+)\r\n/g)].map(([, n]) => Number(n)));
        expect(got).toEqual(expected);
      }
    }),
    { numRuns: 150 },
  );
});
