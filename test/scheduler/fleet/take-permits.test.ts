import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defineScript } from '#functions';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { sharedRedis } from '../../support/shared-redis.ts';

const SCRIPT = defineScript(
  'take-permits',
  new URL('../../../scheduler/fleet/scripts/take-permits.lua', import.meta.url),
);
const keys = createSchedulerKeys('rg:');
const redis = sharedRedis();
const ID = 'f/stream/s';

interface Node {
  readonly slot: number;
  readonly used: number;
  readonly wanted: number;
}

const holderOf = (slot: number): string => `n${slot}:token-${slot}`;

async function live(...slots: readonly number[]): Promise<void> {
  for (const slot of slots) await redis.client().set(keys.slot(slot), `{"token":"token-${slot}","host":"h"}`);
}

async function report(node: Node, limit: number): Promise<number> {
  const args = [`rg:{fleet}:slot:`, holderOf(node.slot), limit, node.used, node.wanted, keys.permitNews, ID];
  return Number(await SCRIPT.run(redis.client(), [keys.permits(ID)], args));
}

test('as many are given as there are, and what is given back goes to who waits', async () => {
  await live(0, 1);
  expect(await report({ slot: 0, used: 0, wanted: 9 }, 3)).toBe(3);
  expect(await report({ slot: 1, used: 0, wanted: 1 }, 3)).toBe(0);
  expect(await report({ slot: 0, used: 2, wanted: 5 }, 3)).toBe(0);
  expect(await report({ slot: 1, used: 0, wanted: 1 }, 3)).toBe(1);
  expect(await report({ slot: 0, used: 0, wanted: 0 }, 3)).toBe(0);
  expect(await redis.client().hgetall(keys.permits(ID))).toEqual({ [holderOf(1)]: '1 0 3' });
});

test('of one permit the nodes that wait get it in turn', async () => {
  await live(0, 1, 2);
  const served: number[] = [];
  expect(await report({ slot: 0, used: 0, wanted: 1 }, 1)).toBe(1);
  for (const slot of [1, 2]) expect(await report({ slot, used: 0, wanted: 1 }, 1)).toBe(0);
  let holder = 0;
  for (let round = 0; round < 9; round += 1) {
    // The one that has it gives it back and asks for the next, before the others hear of it.
    expect(await report({ slot: holder, used: 0, wanted: 1 }, 1)).toBe(0);
    for (const slot of [0, 1, 2]) if ((await report({ slot, used: 0, wanted: 1 }, 1)) === 1) holder = slot;
    served.push(holder);
  }
  expect(served).toEqual([1, 2, 0, 1, 2, 0, 1, 2, 0]);
});

test('permits of a node are free when its heartbeat has expired, or its slot is another one’s, and it gets none', async () => {
  await live(0, 1);
  expect(await report({ slot: 0, used: 0, wanted: 2 }, 2)).toBe(2);
  expect(await report({ slot: 1, used: 0, wanted: 1 }, 2)).toBe(0);
  await redis.client().set(keys.slot(0), '{"token":"other","host":"h"}');
  expect(await report({ slot: 0, used: 2, wanted: 1 }, 2)).toBe(-1);
  expect(await report({ slot: 1, used: 0, wanted: 2 }, 2)).toBe(2);
  await redis.client().del(keys.slot(1));
  expect(await report({ slot: 1, used: 2, wanted: 0 }, 2)).toBe(-1);
});

test('with fewer permits than are in use none is given until enough have come back', async () => {
  await live(0);
  expect(await report({ slot: 0, used: 0, wanted: 5 }, 5)).toBe(5);
  expect(await report({ slot: 0, used: 4, wanted: 5 }, 2)).toBe(0);
  expect(await report({ slot: 0, used: 2, wanted: 5 }, 2)).toBe(0);
  expect(await report({ slot: 0, used: 1, wanted: 5 }, 2)).toBe(1);
});

test('what Redis has lost it knows again after the next report', async () => {
  await live(0, 1);
  expect(await report({ slot: 0, used: 0, wanted: 3 }, 3)).toBe(3);
  await redis.client().del(keys.permits(ID));
  expect(await report({ slot: 0, used: 3, wanted: 0 }, 3)).toBe(0);
  expect(await report({ slot: 1, used: 0, wanted: 1 }, 3)).toBe(0);
});

const STEPS = fc.array(
  fc.record({ slot: fc.nat(3), what: fc.constantFrom('ask', 'end', 'endAll', 'leave', 'die'), count: fc.nat(6) }),
  { minLength: 1, maxLength: 60 },
);

test('whatever nodes do, living ones never have more than there are, none lies idle while somebody waits, and all get some', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), STEPS, async (limit, steps) => {
      await redis.client().flushall();
      await live(0, 1, 2, 3);
      const used = [0, 0, 0, 0];
      const wanted = [0, 0, 0, 0];
      const say = async (slot: number): Promise<number> => {
        const taken = await report({ slot, used: used[slot] ?? 0, wanted: wanted[slot] ?? 0 }, limit);
        used[slot] = (used[slot] ?? 0) + taken;
        wanted[slot] = (wanted[slot] ?? 0) - taken;
        expect(used.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(limit);
        return taken;
      };
      for (const { slot, what, count } of steps) {
        if (what === 'ask') wanted[slot] = (wanted[slot] ?? 0) + count;
        if (what === 'end') used[slot] = Math.max(0, (used[slot] ?? 0) - count);
        if (what === 'endAll' || what === 'die') used[slot] = 0;
        if (what === 'leave' || what === 'die') wanted[slot] = 0;
        if (what === 'die') await redis.client().del(keys.slot(slot));
        else await say(slot);
        await live(slot);
      }
      // Two rounds of asking reach every node that is told of something free.
      for (let round = 0; round < 2; round += 1) for (const slot of [0, 1, 2, 3]) await say(slot);
      const free = limit - used.reduce((sum, n) => sum + n, 0);
      if (wanted.some((n) => n > 0)) expect(free).toBe(0);
      await everybodyIsServed(used, wanted, say);
    }),
    { numRuns: 60 },
  );
});

/** Whoever waits has some after as many ends as there are nodes. */
async function everybodyIsServed(
  used: number[],
  wanted: number[],
  say: (slot: number) => Promise<number>,
): Promise<void> {
  const waits = [0, 1, 2, 3].filter((slot) => used[slot] === 0 && (wanted[slot] ?? 0) > 0);
  const served = new Set<number>();
  for (let round = 0; round < 8; round += 1) {
    for (const slot of [0, 1, 2, 3]) {
      if ((used[slot] ?? 0) === 0) continue;
      used[slot] = (used[slot] ?? 0) - 1;
      wanted[slot] = (wanted[slot] ?? 0) + 1;
      await say(slot);
      for (const other of [0, 1, 2, 3]) if ((await say(other)) > 0) served.add(other);
    }
  }
  for (const slot of waits) expect(served).toContain(slot);
}
