import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FleetClock } from '../../../scheduler/fleet/clock.ts';
import { createFleet } from '../../../scheduler/fleet/create-fleet.ts';
import type { Fleet } from '../../../scheduler/fleet/fleet.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { plainAccess } from './plain-access.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const SETTINGS = { heartbeatMs: 60, heartbeatTimeoutMs: 400, convergeMs: 1_000 };

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

async function join(nodeId: string, options: { port?: number; clock?: FleetClock } = {}): Promise<Fleet> {
  const access = plainAccess(server, options.port);
  const clock = options.clock ? { clock: options.clock } : {};
  const fleet = await createFleet({ access, keys, nodeId, settings: SETTINGS, log, ...clock });
  fleets.push(fleet);
  return fleet;
}

/** A clock that can be moved on, as after SIGSTOP and SIGCONT. */
function movableClock(): FleetClock & { addMs(ms: number): void } {
  let extraMs = 0;
  return {
    monotonicMs: () => performance.now() + extraMs,
    wallMs: () => Date.now(),
    addMs(ms) {
      extraMs += ms;
    },
  };
}

async function goneOf(fleet: Fleet, what: string): Promise<string> {
  let gone = '';
  const remove = fleet.onConsumerGone((consumer) => {
    gone = consumer;
  });
  await waitFor(() => gone, { what });
  remove();
  return gone;
}

describe('slots', () => {
  test('nodes that join at the same time have different slots, the lowest ones', async () => {
    const joined = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => join(id)));
    expect(joined.map((fleet) => fleet.self.slot).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(joined.map((fleet) => fleet.self.consumer).sort()).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    const nodes = await joined[0]?.nodes();
    expect(nodes?.map((node) => node.nodeId).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('a slot given back is taken by the next node', async () => {
    const a = await join('a');
    const b = await join('b');
    await a[Symbol.asyncDispose]();
    expect(a.holdsSlot()).toBe(false);
    const c = await join('c');
    expect([b.self.slot, c.self.slot]).toEqual([1, 0]);
    await waitFor(() => !b.isAlive('n0', a.self.token), { what: 'b knows that n0 is another node now' });
    expect(b.isAlive('n0', c.self.token)).toBe(true);
  });

  test('a node that leaves is gone for the others long before its heartbeat would have expired', async () => {
    const a = await join('a');
    const b = await join('b');
    await waitFor(() => b.consumers().length === 2, { what: 'b sees a' });
    const gone = goneOf(b, 'n0 gone');
    await a[Symbol.asyncDispose]();
    expect(await gone).toBe('n0');
  });

  test('a forgotten consumer is not reported any more, a living one cannot be forgotten', async () => {
    const a = await join('a');
    const b = await join('b');
    await b[Symbol.asyncDispose]();
    expect(await goneOf(a, 'n1 gone')).toBe('n1');
    await a.forget('n1');
    await a.forget('n0');
    expect(await server.client().smembers(keys.slots)).toEqual(['0']);
    expect(a.isAlive('n1')).toBe(false);
    expect(a.isAlive('n0')).toBe(true);
  });
});

describe('a node that was away', () => {
  test('does not hold its slot when it wakes up, until it has renewed it', async () => {
    const clock = movableClock();
    const a = await join('a', { clock });
    expect(a.holdsSlot()).toBe(true);
    clock.addMs(SETTINGS.heartbeatTimeoutMs);
    expect(a.holdsSlot()).toBe(false);
    await a.refresh();
    expect(a.holdsSlot()).toBe(true);
  });

  test('loses its slot to a node that came meanwhile and gets another one by joining again', async () => {
    const a = await join('a');
    const formerToken = a.self.token;
    let losses = 0;
    a.onSlotLost(() => {
      losses++;
    });
    await server.client().set(keys.slot(0), '{"token":"other","nodeId":"z","revision":0}', 'PX', 60_000);
    await waitFor(() => losses === 1, { what: 'slot lost' });
    expect(a.holdsSlot()).toBe(false);
    await a.reportRevision(7);
    await a.rejoin();
    expect(a.self).toMatchObject({ slot: 1, consumer: 'n1' });
    expect(a.self.token).not.toBe(formerToken);
    expect(a.holdsSlot()).toBe(true);
    expect(losses).toBe(1);
    expect((await a.nodes()).find((node) => node.slot === 1)?.revision).toBe(7);
  });

  test('is reported as gone within its time-out and half a second', async () => {
    await using proxy = await startFaultProxy(server);
    const a = await join('a');
    const b = await join('b', { port: proxy.port });
    await waitFor(() => a.consumers().length === 2, { what: 'a sees b' });
    const startMs = performance.now();
    while (performance.now() - startMs < SETTINGS.heartbeatTimeoutMs) await a.refresh();
    proxy.silence();
    const cutMs = performance.now();
    expect(await goneOf(a, 'n1 gone')).toBe('n1');
    expect(performance.now() - cutMs).toBeLessThan(SETTINGS.heartbeatTimeoutMs + 500);
    expect(b.holdsSlot()).toBe(false);
    proxy.heal();
    await waitFor(() => b.holdsSlot(), { what: 'b is back' });
    expect(b.self.slot).toBe(1);
  });
});

describe('an outage of Redis', () => {
  test('ends with the same slots and nobody declared dead', async () => {
    const a = await join('a');
    const b = await join('b');
    await waitFor(() => a.consumers().length === 2 && b.consumers().length === 2, { what: 'both know both' });
    const gone: string[] = [];
    for (const fleet of [a, b]) fleet.onConsumerGone((consumer) => gone.push(consumer));
    await server.kill();
    await waitFor(() => !a.holdsSlot() && !b.holdsSlot(), { what: 'both know that they could be dead' });
    await server.restart();
    await waitFor(() => a.holdsSlot() && b.holdsSlot(), { what: 'both are back' });
    await Promise.all([a.refresh(), b.refresh()]);
    expect([a.self.slot, b.self.slot]).toEqual([0, 1]);
    expect(gone).toEqual([]);
  });
});

describe('revisions', () => {
  test('waiting ends as soon as every node has reported', async () => {
    const a = await join('a');
    const b = await join('b');
    await a.reportRevision(3);
    const waiting = a.waitForRevision(3, 5_000);
    await b.reportRevision(3);
    expect(await waiting).toEqual([]);
  });

  test('names the nodes that have not come so far by the deadline', async () => {
    const a = await join('a');
    await join('b');
    await a.reportRevision(3);
    expect(await a.waitForRevision(3, 150)).toEqual(['b']);
  });
});
