import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction, registrationRow } from './topology.ts';

/** Entries fail until `open:<stream>` is there, so that they stay pending meanwhile. */
const gated = (stream: string, mode: string): string => `new GB('StreamReader').foreach(async (r) => {
    await execute('SADD', 'tried:' + r.key, r.id);
    if (!(await execute('EXISTS', 'open:' + r.key))) throw new Error('not yet');
  }).register({ prefix: '${stream}', mode: '${mode}', batch: 10, onFailedPolicy: 'retry', maxAttempts: 0,
    onFailedRetryInterval: 30 });`;

describeOnTopologies('entries that go while they are pending', (world) => {
  test.each(['sync', 'async_local', 'async'])('are dead letters lost_to_trim, the others run (%s)', async (mode) => {
    const stream = `trim-${mode}`;
    const client = world.topology.client();
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) ids.push((await client.xadd(stream, '*', 'n', String(n))) ?? '');
    const loaded = await loadFunction(world.platform.door, stream, gated(stream, mode));
    const group = loaded.ids[0] ?? '';
    // In mode sync the first entry blocks its stream; the others have been read.
    const attempts = mode === 'sync' ? 1 : 30;
    await waitFor(async () => (await client.scard(`tried:${stream}`)) >= attempts, { what: 'the first attempts' });
    const status = async (): Promise<unknown> => (await registrationRow(world.platform.door, group)).get('status');
    await waitFor(async () => (await status()) === 'WAITING_FOR_RETRY_ON_FAILURE', { what: 'nothing is in work' });
    await waitFor(async () => ((await client.xpending(stream, group)) as [number])[0] === 30, {
      what: 'all entries are pending',
    });
    // What a node has in hand runs from its memory; what was given back is read again.
    await world.platform.door.call('RG.PAUSEREGISTRATIONS', group);
    await client.xdel(stream, ids[0] ?? '', ids[7] ?? '');
    await client.xtrim(stream, 'MINID', ids[5] ?? '');
    await client.set(`open:${stream}`, '1');
    await world.platform.door.call('RG.UNPAUSEREGISTRATIONS', group);
    const row = await waitFor(
      async () => {
        const now = await registrationRow(world.platform.door, group);
        return Number(now.get('done')) + Number(now.get('dead')) === 30 ? now : null;
      },
      { what: 'every entry has an end' },
    );
    expect([row.get('done'), row.get('dead'), row.get('lostToTrim')].map(Number)).toEqual([24, 6, 6]);
    expect(((await client.xpending(stream, group)) as [number])[0]).toBe(0);
    const letters = (await world.platform.door.call('RG.DEADLETTERS', 'LIST', 'FUNCTION', stream)) as unknown[];
    const text = JSON.stringify(letters);
    expect(letters).toHaveLength(6);
    for (const n of [0, 1, 2, 3, 4, 7]) expect(text).toContain(ids[n]);
    expect(text).toContain('lost_to_trim');
    expect(world.platform.log()).toContain('trimmed away');
  });
});
