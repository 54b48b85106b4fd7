import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFleet } from '../../../scheduler/fleet/create-fleet.ts';
import { chooseSurplus } from '../../../scheduler/fleet/fair-share.ts';
import type { Fleet, StreamLeases } from '../../../scheduler/fleet/fleet.ts';
import { createStreamLeases } from '../../../scheduler/fleet/stream-leases.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { plainAccess } from './plain-access.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const SETTINGS = { heartbeatMs: 60, heartbeatTimeoutMs: 400, convergeMs: 1_000 };
const REGISTRATION = 'f/stream/orders:*';

let server: TestRedis;
let fleets: Fleet[];

beforeEach(async () => {
  server = await startRedis();
  fleets = [];
});

afterEach(async () => {
  await Promise.all(fleets.map((fleet) => fleet[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

async function join(settleMs = 0): Promise<{ fleet: Fleet; leases: StreamLeases }> {
  const access = plainAccess(server);
  const fleet = await createFleet({ access, keys, nodeId: `node-${fleets.length}`, settings: SETTINGS, log });
  fleets.push(fleet);
  return { fleet, leases: createStreamLeases({ access, keys, fleet, settleMs }) };
}

test('of nodes that ask at the same time exactly one gets the lease', async () => {
  const nodes = [await join(), await join(), await join()];
  const streams = Array.from({ length: 20 }, (_, index) => `orders:${index}`);
  for (const stream of streams) {
    const answers = await Promise.all(nodes.map(({ leases }) => leases.acquire(REGISTRATION, stream)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  }
});

test('a lease held is verified by asking again, and free after its release', async () => {
  const [a, b] = [await join(), await join()];
  expect(await a.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
  expect(await a.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
  expect(await b.leases.acquire(REGISTRATION, 'orders:1')).toBe(false);
  await b.leases.release(REGISTRATION, 'orders:1');
  expect(await b.leases.acquire(REGISTRATION, 'orders:1')).toBe(false);
  await a.leases.release(REGISTRATION, 'orders:1');
  expect(await b.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
  expect(await server.client().hgetall(keys.lease('t0', REGISTRATION))).toEqual({ 'orders:1': b.leases.holder });
});

test('the lease of a node that has just joined is respected although its heartbeat was not seen yet', async () => {
  const a = await join();
  const b = await join();
  await b.leases.acquire(REGISTRATION, 'orders:1');
  expect(await a.leases.acquire(REGISTRATION, 'orders:1')).toBe(false);
});

test("a dead node's lease is taken by one of the others", async () => {
  const [a, b, c] = [await join(), await join(), await join()];
  expect(await a.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
  await a.fleet[Symbol.asyncDispose]();
  const nodes = [b, c];
  const owner = await waitFor(
    async () => {
      const answers = await Promise.all(nodes.map(({ leases }) => leases.acquire(REGISTRATION, 'orders:1')));
      expect(answers.filter(Boolean).length).toBeLessThan(2);
      return answers.includes(true) && nodes[answers.indexOf(true)];
    },
    { what: 'b or c took the lease' },
  );
  expect(await server.client().hget(keys.lease('t0', REGISTRATION), 'orders:1')).toBe(owner.leases.holder);
});

test('the next owner of a consumer name does not inherit its leases', async () => {
  const a = await join();
  expect(await a.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
  const former = a.leases.holder;
  await a.fleet[Symbol.asyncDispose]();
  const b = await join();
  expect(b.fleet.self.consumer).toBe('n0');
  expect(b.leases.holder).not.toBe(former);
  expect(await b.leases.acquire(REGISTRATION, 'orders:1')).toBe(true);
});

test('a node gives streams back until every node has its share, and leaves them to the others', async () => {
  const a = await join();
  const streams = Array.from({ length: 9 }, (_, index) => `orders:${index}`);
  for (const stream of streams) expect(await a.leases.acquire(REGISTRATION, stream)).toBe(true);
  expect(await a.leases.surplus(REGISTRATION, streams, 9)).toEqual([]);
  const b = await join(10_000);
  await waitFor(() => a.fleet.consumers().length === 2, { what: 'a sees b' });
  const surplus = await a.leases.surplus(REGISTRATION, streams, 9);
  expect(surplus).toHaveLength(4);
  for (const stream of surplus) await a.leases.release(REGISTRATION, stream);
  const kept = streams.filter((stream) => !surplus.includes(stream));
  expect(await a.leases.surplus(REGISTRATION, kept, 9)).toEqual([]);
  for (const stream of surplus) expect(await b.leases.acquire(REGISTRATION, stream)).toBe(true);
  expect(await b.leases.surplus(REGISTRATION, streams, 9)).toEqual([]);
});

test('nodes at their share never give anything back', () => {
  const request = { registrationId: REGISTRATION, self: 'n0', consumers: ['n0', 'n1', 'n2'] };
  expect(chooseSurplus({ ...request, held: ['a', 'b', 'c', 'd'], known: 10 })).toEqual([]);
  expect(chooseSurplus({ ...request, held: ['a', 'b', 'c', 'd', 'e'], known: 10 })).toHaveLength(1);
  expect(chooseSurplus({ ...request, held: ['a'], known: 1 })).toEqual([]);
  expect(chooseSurplus({ ...request, consumers: ['n0'], held: ['a', 'b'], known: 2 })).toEqual([]);
});
