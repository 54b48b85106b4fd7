import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compactRoutes, type Route, routeOf, routeVersion } from '../../../functions/model/route.ts';

const STREAMS = ['s', 't', '__proto__'];
const id = fc.nat({ max: 20 }).map((ms) => `${ms}-0`);
const heads = fc
  .array(fc.tuple(fc.constantFrom(...STREAMS), id), { maxLength: 4 })
  .map((pairs) => Object.fromEntries(pairs));
const route: fc.Arbitrary<Route> = fc.record({
  version: fc.integer({ min: 1, max: 4 }),
  madeAtMs: fc.nat(),
  heads,
  index: fc.nat({ max: 1 }),
});
const routes = fc.array(route, { maxLength: 8 });

test('the last route that covers an entry decides, the first covers everything', () => {
  const log: Route[] = [
    { version: 1, madeAtMs: 0, heads: { s: '99-0' } },
    { version: 2, madeAtMs: 1, heads: { s: '10-0', t: '5-0' } },
    { version: 3, madeAtMs: 2, heads: { s: '20-0' } },
  ];
  expect(routeVersion(log, 's', '10-0')).toBe(1);
  expect(routeVersion(log, 's', '10-1')).toBe(2);
  expect(routeVersion(log, 's', '20-1')).toBe(3);
  expect(routeVersion(log, 't', '1-0')).toBe(3);
  expect(routeVersion(log, 'constructor', '1-0')).toBe(3);
  expect(routeVersion([], 's', '1-0')).toBeUndefined();
});

test('compaction changes no decision', () => {
  fc.assert(
    fc.property(routes, fc.constantFrom(...STREAMS, 'new'), id, (log, stream, entry) => {
      const before = routeOf(log, stream, entry);
      const after = routeOf(compactRoutes(log, 100), stream, entry);
      expect([after?.version, after?.index]).toEqual([before?.version, before?.index]);
    }),
    { numRuns: 2_000 },
  );
});

test('compaction leaves no neighbours of one version and is done after one time', () => {
  fc.assert(
    fc.property(routes, (log) => {
      const once = compactRoutes(log, 100);
      expect(compactRoutes(once, 100)).toEqual(once);
      for (const [i, one] of once.entries()) {
        const next = once[i + 1];
        expect(next === undefined || one.version !== next.version || one.index !== next.index).toBe(true);
      }
    }),
  );
});

test('a route over everything is all that is left, and more routes than the cap lose the oldest', () => {
  const log = [1, 2, 3].map((version) => ({ version, madeAtMs: version, heads: { s: `${version}0-0` } }));
  expect(compactRoutes([...log, { version: 4, madeAtMs: 4, heads: {} }]).map(({ version }) => version)).toEqual([4]);
  const capped = compactRoutes(log, 2);
  expect(capped).toMatchObject([{ version: 2, heads: {} }, { version: 3 }]);
  expect(routeVersion(capped, 's', '1-0')).toBe(2);
});
