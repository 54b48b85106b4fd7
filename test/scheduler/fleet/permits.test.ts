import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFleet } from '../../../scheduler/fleet/create-fleet.ts';
import type { Fleet, Permit, Permits } from '../../../scheduler/fleet/fleet.ts';
import { createPermits } from '../../../scheduler/fleet/permits.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { plainAccess } from './plain-access.ts';

const keys = createSchedulerKeys('rg:');
const log = pino({ level: 'silent' });
const SETTINGS = { heartbeatMs: 60, heartbeatTimeoutMs: 400, convergeMs: 1_000 };
const ID = 'f/stream/ä';
/** Longer than any test: what happens here happens by news. */
const NEVER_MS = 600_000;

let server: TestRedis;
let opened: AsyncDisposableStack;

beforeEach(async () => {
  server = await startRedis();
  opened = new AsyncDisposableStack();
  opened.use(server);
});

afterEach(() => opened.disposeAsync());

interface TestNode {
  readonly fleet: Fleet;
  readonly permits: Permits;
  /** As if the node could not be heard. */
  lapsed: boolean;
  take(wanted: number, limit?: number, signal?: AbortSignal): Promise<Permit | null>;
}

async function join(pollMs = NEVER_MS): Promise<TestNode> {
  const access = plainAccess(server);
  const real = opened.use(
    await createFleet({ access, keys, nodeId: `node-${Math.random()}`, settings: SETTINGS, log }),
  );
  const node = { lapsed: false };
  const fleet: Pick<Fleet, 'self' | 'holdsSlot' | 'onConsumerGone'> = {
    get self() {
      return real.self;
    },
    holdsSlot: () => !node.lapsed && real.holdsSlot(),
    onConsumerGone: (listener) => real.onConsumerGone(listener),
  };
  const permits = opened.use(createPermits({ access, keys, fleet, pollMs, log }));
  const take: TestNode['take'] = (wanted, limit = 1, signal = new AbortController().signal) =>
    permits.take({ registrationId: ID, limit: () => limit, wanted, signal });
  return Object.assign(node, { fleet: real, permits, take });
}

async function stored(): Promise<Readonly<Record<string, string>>> {
  return server.client().hgetall(keys.permits(ID));
}

test('a permit that is given back goes to the node that waits for it, at once', async () => {
  const [a, b] = [await join(), await join()];
  const first = await a.take(1);
  const second = b.take(1);
  await waitFor(async () => Object.keys(await stored()).length === 2, { what: 'b waits' });
  first?.release();
  expect((await second)?.count).toBe(1);
  const third = a.take(1);
  (await second)?.release();
  (await third)?.release();
  await waitFor(async () => Object.keys(await stored()).length === 0, { what: 'nothing is left in Redis' });
});

test('who asks first on a node is served first, with as many as there are', async () => {
  const a = await join();
  const held = await a.take(3, 3);
  const order: string[] = [];
  const asked = ['x', 'y', 'z'].map((name) =>
    a.take(2, 3).then((permit) => {
      order.push(`${name}${permit?.count}`);
      return permit;
    }),
  );
  held?.release(1);
  (await asked[0])?.release();
  held?.release(5);
  for (const permit of await Promise.all(asked)) permit?.release();
  expect(order).toEqual(['x1', 'y2', 'z1']);
});

test('the permits of a dead node are free when the others notice its death', async () => {
  const [a, b] = [await join(), await join()];
  await a.take(2, 2);
  const waiting = b.take(2, 2);
  await waitFor(async () => Object.keys(await stored()).length === 2, { what: 'b waits' });
  await a.fleet[Symbol.asyncDispose]();
  expect((await waiting)?.count).toBe(2);
});

test('a node that could have been declared dead loses what it holds, hears of it, and goes on waiting', async () => {
  const [a, b] = [await join(), await join(50)];
  const held = await a.take(1, 2);
  const waiting = a.take(2, 1);
  a.lapsed = true;
  await waitFor(() => held?.signal.aborted === true, { what: 'a has heard of it' });
  expect(held?.signal.reason).toMatchObject({ code: 'SLOT_LOST' });
  held?.release();
  a.lapsed = false;
  const again = await waiting;
  expect(again?.count).toBe(1);
  expect(again?.signal.aborted).toBe(false);
  const next = b.take(1);
  again?.release();
  expect((await next)?.count).toBe(1);
});

test('who gives up gets none, and stands in nobody’s way', async () => {
  const [a, b] = [await join(), await join()];
  const held = await a.take(1);
  const leaving = new AbortController();
  const gone = b.take(1, 1, leaving.signal);
  await waitFor(async () => Object.keys(await stored()).length === 2, { what: 'b waits' });
  leaving.abort();
  expect(await gone).toBe(null);
  await waitFor(async () => Object.keys(await stored()).length === 1, { what: 'b waits no more' });
  held?.release();
  expect((await a.take(1))?.count).toBe(1);
  expect(await b.take(1, 1, AbortSignal.abort())).toBe(null);
});

test('what Redis has lost is there again after a look, and nobody gets more than there are then', async () => {
  const [a, b] = [await join(50), await join(50)];
  await a.take(1);
  const before = await stored();
  await server.client().del(keys.permits(ID));
  await waitFor(async () => Object.keys(await stored()).length === 1, { what: 'it is known again' });
  expect(Object.keys(await stored())).toEqual(Object.keys(before));
  const leaving = new AbortController();
  const waiting = b.take(1, 1, leaving.signal);
  await waitFor(async () => Object.values(await stored()).some((text) => text.startsWith('0 1 ')), { what: 'b waits' });
  leaving.abort();
  expect(await waiting).toBe(null);
});

test('who waits on a node that closes gets none', async () => {
  const a = await join();
  await a.take(1);
  const waiting = a.take(1);
  await a.permits[Symbol.asyncDispose]();
  expect(await waiting).toBe(null);
  expect(await a.take(1)).toBe(null);
});

test('a thousand executions that ask at once and end at once cost a handful of script calls', async () => {
  const a = await join();
  const calls = async (): Promise<number> => {
    const text = await server.client().info('commandstats');
    return (
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0) +
      Number(/cmdstat_eval:calls=(\d+)/.exec(text)?.[1] ?? 0)
    );
  };
  (await a.take(1, 1_000))?.release();
  await waitFor(async () => Object.keys(await stored()).length === 0, { what: 'the script is loaded' });
  await server.client().config('RESETSTAT');
  const beats = (): number => performance.now();
  const startedMs = beats();
  const held = await Promise.all(Array.from({ length: 1_000 }, () => a.take(1, 1_000)));
  for (const permit of held) permit?.release();
  await waitFor(async () => Object.keys(await stored()).length === 0, { what: 'all are back' });
  // The heartbeat is a script, too.
  const heartbeats = Math.ceil((beats() - startedMs) / 10) + 2;
  expect(await calls()).toBeLessThan(10 + heartbeats);
});
