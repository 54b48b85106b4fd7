import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connectRedis, type RedisAccess } from '#functions';
import type { ExecutionPlan } from '../../../scheduler/executions/execution-plan.ts';
import { createExecutionStore, type ExecutionStore } from '../../../scheduler/executions/execution-store.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { keys } from './harness.ts';

const ID = 'x-1';
const REF = { stage: 0, partition: 0 };
const END = { records: 9, bytes: 90, errors: [], read: 9, readMs: 0, runMs: 0, stepMs: [] };
const piece = { records: 2, bytes: 20 };

let redis: TestRedis;
let access: RedisAccess;
let store: ExecutionStore;

beforeAll(async () => {
  redis = await startRedis();
  access = await connectRedis({ url: redis.url });
  store = createExecutionStore({ access, keys, keepMs: 60_000 });
});
afterAll(async () => {
  await access?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await redis.client().flushall();
  await store.create({ id: ID } as ExecutionPlan, 1);
});

const begin = (): Promise<number> => store.beginAttempt(ID, REF);
const handOut = (attempt: number, from: number, count = 1): Promise<boolean> =>
  store.handOut(ID, REF, { attempt, from, pieces: Array.from({ length: count }, () => piece) });
const end = (attempt: number, pieces: number): Promise<boolean> =>
  store.endStage(ID, REF, { ...END, attempt, pieces: pieces === 0 ? [] : [[0, pieces]] });
const counted = async () => (await store.read(ID))?.ends.get('0:0');

test('an attempt that another has followed cannot be handed out any more', async () => {
  await begin();
  await begin();
  expect(await handOut(1, 0)).toBe(false);
  expect(await handOut(2, 0)).toBe(true);
});

test('after a piece was handed out no other attempt begins, ends or counts, not even one that has nothing', async () => {
  await begin();
  await begin();
  await handOut(2, 0);
  await expect(begin()).rejects.toMatchObject({ code: 'EXECUTION_PART_LOST' });
  expect(await end(1, 5)).toBe(false);
  expect(await end(1, 0)).toBe(false);
  expect(await end(2, 5)).toBe(true);
  expect(await counted()).toMatchObject({ attempt: 2, pieces: [[0, 5]], records: 9 });
});

test('a part that ends without an attempt of its own has what was handed out, each piece counted once', async () => {
  await begin();
  expect(await handOut(1, 0, 2)).toBe(true);
  expect(await handOut(1, 1, 2)).toBe(true);
  expect(await handOut(1, 0, 1)).toBe(true);
  expect(await end(0, 0)).toBe(true);
  expect(await counted()).toMatchObject({ attempt: 1, pieces: [[0, 3]], records: 6, bytes: 60 });
});

test('nothing is handed out of what was never reached, has ended, or is over', async () => {
  await begin();
  expect(await handOut(1, 1)).toBe(false);
  expect(await handOut(1, 0)).toBe(true);
  await end(1, 1);
  expect(await handOut(1, 1)).toBe(false);
  await store.end(ID, 'done');
  expect(await handOut(1, 1)).toBe(false);
});

test('an execution that is ended from outside keeps what was handed out', async () => {
  await begin();
  await handOut(1, 0, 2);
  expect(await counted()).toBe(undefined);
  await store.end(ID, 'aborted', 'idle');
  expect(await counted()).toMatchObject({ attempt: 1, pieces: [[0, 2]], records: 4, errors: [] });
});
