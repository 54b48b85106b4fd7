import { expect, test } from 'vitest';
import type { RateLimit } from '../../../functions/index.ts';
import { sharedRedis } from '../../support/shared-redis.ts';
import { waitFor } from '../../support/wait.ts';
import { addEntries, pendingOf, registration, runWith, startNode, untilEnded } from './harness.ts';

const redis = sharedRedis();
const BLOCK_MS = 200;

function rated(mode: 'sync' | 'async_local', rate: RateLimit) {
  const active = registration({ mode });
  return { ...active, spec: { ...active.spec, flow: { filter: null, rate, concurrency: null, keyed: false } } };
}

/** Ids of the connections that wait for new entries. */
async function waits(): Promise<readonly string[]> {
  const lines = String(await redis.client().call('CLIENT', 'LIST')).split('\n');
  const waiting = lines.filter((line) => /\bname=regears-read-/.test(line) && /\bflags=\S*b/.test(line));
  return waiting.map((line) => /\bid=(\d+)/.exec(line)?.[1] ?? '');
}

test.each(['sync', 'async_local'] as const)(
  'pending entries that wait for tokens are not taken up again when a read is cut (%s)',
  async (mode) => {
    const active = rated(mode, { count: 3, perMs: 6_000 });
    const settings = { blockMs: BLOCK_MS };
    const hanging = new Promise<'done'>(() => undefined);
    const before = await startNode({
      ...{ url: redis.url, settings },
      execute: runWith(({ fields }) => ('hangs' in fields ? hanging : 'done')),
    });
    await before.trigger.apply([active]);
    await addEntries(before.access, 2);
    await untilEnded(before, 2);
    // The last token is taken for the first of these, and a node that has both has room for one more.
    await before.access.client.xadd('s', '*', 'hangs', '1');
    await before.access.client.xadd('s', '*', 'hangs', '2');
    const ids = (await before.access.client.xrange('s', '-', '+')).slice(2).map(([id]) => id);
    await waitFor(async () => (await pendingOf(before)) === 2, { what: 'both are pending' });
    await before.kill();
    const seen: string[] = [];
    await using node = await startNode({
      ...{ url: redis.url, settings },
      execute: runWith(({ id }) => {
        seen.push(id);
        return 'done';
      }),
    });
    await node.trigger.apply([active]);
    const [cut = ''] = await waitFor(
      async () => {
        const waiting = await waits();
        return waiting.length > 0 ? waiting : null;
      },
      { what: 'the node waits for more' },
    );
    await redis.client().call('CLIENT', 'KILL', 'ID', cut);
    expect(seen).toEqual([]);
    expect(await untilEnded(node, 4)).toMatchObject({ done: 4 });
    const more = await addEntries(node.access, 1);
    expect(await untilEnded(node, 5)).toMatchObject({ done: 5 });
    expect(seen).toEqual([...ids, ...more]);
  },
);
