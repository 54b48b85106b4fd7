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

const SLOTS = [0, 1, 2, 3];
const WHAT = ['ask', 'end', 'endAll', 'leave', 'die'] as const;
const STEPS = fc.array(fc.record({ slot: fc.nat(3), what: fc.constantFrom(...WHAT), count: fc.nat(6) }), {
  minLength: 1,
  maxLength: 60,
});

interface Step {
  readonly slot: number;
  readonly what: (typeof WHAT)[number];
  readonly count: number;
}

/** Four nodes as they see themselves. */
class Nodes {
  readonly used = [0, 0, 0, 0];
  readonly wanted = [0, 0, 0, 0];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get free(): number {
    return this.#limit - this.used.reduce((sum, n) => sum + n, 0);
  }

  async say(slot: number): Promise<number> {
    const [used = 0, wanted = 0] = [this.used[slot], this.wanted[slot]];
    const taken = await report({ slot, used, wanted }, this.#limit);
    this.used[slot] = used + taken;
    this.wanted[slot] = wanted - taken;
    expect(this.free).toBeGreaterThanOrEqual(0);
    return taken;
  }

  async sayAll(): Promise<readonly number[]> {
    const served: number[] = [];
    for (const slot of SLOTS) if ((await this.say(slot)) > 0) served.push(slot);
    return served;
  }

  async take({ slot, what, count }: Step): Promise<void> {
    const [used = 0, wanted = 0] = [this.used[slot], this.wanted[slot]];
    if (what === 'ask') this.wanted[slot] = wanted + count;
    if (what === 'leave' || what === 'die') this.wanted[slot] = 0;
    if (what === 'end') this.used[slot] = Math.max(0, used - count);
    if (what === 'endAll' || what === 'die') this.used[slot] = 0;
    if (what !== 'die') await this.say(slot);
    else {
      await redis.client().del(keys.slot(slot));
      await redis.client().hset(keys.permits(ID), holderOf(slot), `${used} ${wanted} 1`);
      await this.sayAllBut(slot);
      await live(slot);
    }
  }

  async sayAllBut(slot: number): Promise<void> {
    for (const other of SLOTS) if (other !== slot) await this.say(other);
  }

  /** Each node that has some ends one and asks for another. */
  async turn(): Promise<readonly number[]> {
    const served: number[] = [];
    for (const slot of SLOTS) {
      const used = this.used[slot] ?? 0;
      if (used === 0) continue;
      this.used[slot] = used - 1;
      this.wanted[slot] = (this.wanted[slot] ?? 0) + 1;
      await this.say(slot);
      served.push(...(await this.sayAll()));
    }
    return served;
  }
}

test('whatever nodes do, living ones never have more than there are, none lies idle while somebody waits, and all get some', async () => {
  const holds = async (limit: number, steps: readonly Step[]): Promise<void> => {
    await redis.client().flushall();
    await live(...SLOTS);
    const nodes = new Nodes(limit);
    for (const step of steps) await nodes.take(step);
    // Two rounds of asking reach every node that is told of something free.
    for (let round = 0; round < 2; round += 1) await nodes.sayAll();
    if (nodes.wanted.some((n) => n > 0)) expect(nodes.free).toBe(0);
    const waiting = SLOTS.filter((slot) => nodes.used[slot] === 0 && (nodes.wanted[slot] ?? 0) > 0);
    const served = new Set<number>();
    for (let round = 0; round < 8; round += 1) for (const slot of await nodes.turn()) served.add(slot);
    for (const slot of waiting) expect(served).toContain(slot);
  };
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 7 }), STEPS, holds), { numRuns: 60 });
});
