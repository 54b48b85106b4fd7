import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisAccess } from '#functions';
import { createSharedFutures, type SharedFutures } from '../../../scheduler/futures/shared-futures.ts';
import { createSchedulerKeys } from '../../../scheduler/keys.ts';
import { startCluster, type TestCluster } from '../../support/redis-cluster.ts';
import { waitFor } from '../../support/wait.ts';

const keys = createSchedulerKeys('rg:');
const NEVER = new AbortController().signal;
const KEEP_MS = 60_000;

interface Node extends AsyncDisposable {
  readonly access: RedisAccess;
  readonly futures: SharedFutures;
}

describe('shared futures', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({ primaries: 3 });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const startNode = async (isAlone = false): Promise<Node> => {
    await using opening = new AsyncDisposableStack();
    const access = opening.use(await connectRedis({ url: cluster.url }));
    const futures = opening.use(createSharedFutures({ access, keys, isAlone: () => isAlone }));
    const opened = opening.move();
    return { access, futures, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  };
  const named = (id: string, functionName = 'f') => ({ functionName, id });

  test('those who wait hear of the outcome, here and on other nodes, before and after it is there', async () => {
    await using here = await startNode();
    await using there = await startNode();
    const before = [here, here, there].map(({ futures }) => futures.wait(named('both'), NEVER));
    expect(await here.futures.complete(named('both'), 'bytes \u00ff\u0000', KEEP_MS)).toBe(true);
    expect(await Promise.all(before)).toEqual(['bytes \u00ff\u0000', 'bytes \u00ff\u0000', 'bytes \u00ff\u0000']);
    expect(await there.futures.wait(named('both'), NEVER)).toBe('bytes \u00ff\u0000');
  });

  test('of many who complete it one does', async () => {
    await using here = await startNode();
    await using there = await startNode();
    const waiting = here.futures.wait(named('once'), NEVER);
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? here : there).futures.complete(named('once'), 'same', KEEP_MS),
      ),
    );
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await waiting).toBe('same');
  });

  test('a future belongs to one function', async () => {
    await using node = await startNode();
    const controller = new AbortController();
    const waiting = node.futures.wait(named('mine', 'a'), controller.signal);
    await node.futures.complete(named('mine', 'b'), 'not yours', KEEP_MS);
    expect(await node.futures.wait(named('mine', 'b'), NEVER)).toBe('not yours');
    controller.abort(new Error('nobody came'));
    await expect(waiting).rejects.toThrow('nobody came');
  });

  test('whoever gives up is not told; the others are', async () => {
    await using node = await startNode();
    const controller = new AbortController();
    const gone = node.futures.wait(named('left'), controller.signal);
    const stays = node.futures.wait(named('left'), NEVER);
    controller.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    await node.futures.complete(named('left'), 'x', KEEP_MS);
    expect(await stays).toBe('x');
  });

  test('a node alone is told at once, and still finds what another one has left', async () => {
    await using alone = await startNode(true);
    await using other = await startNode();
    const waiting = alone.futures.wait(named('other'), NEVER);
    await other.futures.complete(named('other'), 'late', KEEP_MS);
    expect(await waiting).toBe('late');
  });

  test('thousands wait with few commands', { timeout: 30_000 }, async () => {
    await using here = await startNode();
    await using there = await startNode();
    const count = 3_000;
    const waiting = Array.from({ length: count }, (_, n) => here.futures.wait(named(`many${n}`), NEVER));
    await Promise.all(
      Array.from({ length: count }, (_, n) => there.futures.complete(named(`many${n}`), `${n}`, KEEP_MS)),
    );
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: count }, (_, n) => `${n}`));
  });

  test('outcomes expire', async () => {
    await using node = await startNode();
    await node.futures.complete(named('short'), 'x', 100);
    const client = cluster.client();
    await waitFor(async () => (await client.exists(keys.future('f', 'short'))) === 0, { what: 'the key has expired' });
  });
});
