import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { waitFor } from '../../support/wait.ts';
import { pendingOf, registration, runWith, startNode, untilEnded } from './harness.ts';

const MODES = ['sync', 'async_local', 'async'] as const;
const BLOCK_MS = 1_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis({
    aclUsers: ['default on nopass ~* &* +@all', 'app on >secret ~* &* +@all -@dangerous +info'],
  });
});
beforeEach(async () => {
  await redis.client().flushall();
});
afterAll(() => redis[Symbol.asyncDispose]());

interface ClientFacts {
  readonly id: number;
  readonly name: string;
  readonly waits: boolean;
}

async function readers(): Promise<readonly ClientFacts[]> {
  const lines = String(await redis.client().call('CLIENT', 'LIST'))
    .trim()
    .split('\n');
  const facts = lines.map((line) => ({
    id: Number(/\bid=(\d+)/.exec(line)?.[1]),
    name: /\bname=(\S*)/.exec(line)?.[1] ?? '',
    waits: /\bflags=\S*b/.test(line),
  }));
  return facts.filter(({ name }) => name.startsWith('regears-read-'));
}

async function waits(): Promise<number> {
  return (await readers()).filter((reader) => reader.waits).length;
}

test.each(MODES)(
  'what Redis gives to the wait of a connection that was lost runs, in sync in its turn (%s)',
  async (mode) => {
    await using proxy = await startFaultProxy(redis);
    const seen: string[] = [];
    await using node = await startNode({
      ...{ url: proxy.url, settings: { blockMs: BLOCK_MS, readMarginMs: 500 } },
      onJobs(jobs) {
        for (const job of jobs) void node.trigger.runEntries(job, new AbortController().signal);
      },
      execute: runWith(({ id }) => {
        seen.push(id);
        return 'done';
      }),
    });
    await node.trigger.apply([registration({ mode })]);
    await waitFor(async () => (await waits()) === 1, { what: 'the node waits for entries' });
    const producer = redis.client();
    proxy.orphan();
    // In mode sync there must be no second wait while Redis still serves the first.
    await waitFor(async () => (await waits()) === 2, { deadlineMs: BLOCK_MS / 3, what: 'a new wait' }).catch(
      () => null,
    );
    const ids: string[] = [];
    for (const endMs = performance.now() + 2 * BLOCK_MS; performance.now() < endMs; await pause(20)) {
      ids.push(String(await producer.xadd('s', '*', 'n', '1')));
    }
    expect(await untilEnded(node, ids.length)).toMatchObject({ done: ids.length });
    expect(await pendingOf(node)).toBe(0);
    expect(mode === 'sync' ? seen : seen.toSorted()).toEqual(ids);
  },
);

test('waits that the server lets nobody end are short, and no connection is given up for them', async () => {
  const url = redis.url.replace('redis://', 'redis://app:secret@');
  await using node = await startNode({ url, settings: { hotReaders: 1 }, execute: runWith(() => 'done') });
  await node.trigger.apply([registration({ prefix: 's:*' })]);
  await redis.client().xadd('s:0', '*', 'n', '1');
  await untilEnded(node, 1);
  const before = (await readers()).map(({ id }) => id);
  for (let n = 1; n < 10; n += 1) {
    await redis.client().xadd(`s:${n}`, '*', 'n', '1');
    await untilEnded(node, n + 1);
  }
  const startedMs = performance.now();
  await node.trigger.apply([]);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect((await readers()).map(({ id }) => id)).toEqual(before);
});
