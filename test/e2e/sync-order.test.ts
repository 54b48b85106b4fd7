import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction } from './topology.ts';

const ENTRIES = 200;

/** Early entries wait longer than late ones before they write. */
const UNEVEN = `foreach(async (r) => {
    for (let n = Number(r.value.n) % 4; n < 4; n += 1) await execute('PING');
    await execute('RPUSH', 'order:' + r.key, r.value.n);
  })`;

const PLANS = {
  'each entry by itself': `${UNEVEN}`,
  'a batch that is summed up': `${UNEVEN}.accumulate((sum, r) => (sum ?? 0) + 1).foreach(async (sum) => {
    await execute('INCRBY', 'summed', sum);
  })`,
};

describeOnTopologies('effects of sync are in the order of the stream', (world) => {
  test.each(
    Object.entries(PLANS).flatMap(([what, plan]) =>
      (['continue', 'retry'] as const).map((policy) => [policy, what, plan] as const),
    ),
  )('with %s: %s', async (policy, what, plan) => {
    const stream = `${policy}-${what.length}`;
    const client = world.topology.client();
    for (let n = 0; n < ENTRIES; n += 1) await client.xadd(stream, '*', 'n', String(n));
    const options = `{ prefix: '${stream}', mode: 'sync', batch: 50, onFailedPolicy: '${policy}' }`;
    await loadFunction(world.platform.door, stream, `new GB('StreamReader').${plan}.register(${options});`);
    await waitFor(async () => (await client.llen(`order:${stream}`)) === ENTRIES, { what: 'all have written' });
    expect((await client.lrange(`order:${stream}`, 0, -1)).map(Number)).toEqual(
      Array.from({ length: ENTRIES }, (_, n) => n),
    );
  });
});
