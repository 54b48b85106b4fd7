import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow } from './topology.ts';

const KILLER = `GB('StreamReader').foreach(async (r) => {
    if (r.value.bad && !(await execute('EXISTS', 'mended'))) new Array(3e8).fill({}).length;
    await execute('RPUSH', 'ran', r.value.n);
  }).register({ prefix: 'killer', mode: 'async_local', onFailedRetryInterval: 0.01 });`;
const NEIGHBOUR = `GB('CommandReader').map(() => 'here').register({ trigger: 'neighbour', mode: 'async_local' });`;

const FLAGS = ['--quarantine-after-crashes', '1', '--limit-call-ms', '300ms'];

async function stateIs(door: Redis, id: string, state: string): Promise<boolean> {
  return (await registrationRow(door, id)).get('state') === state;
}

async function done(door: Redis, id: string, count: number): Promise<void> {
  const reached = async (): Promise<boolean> => (await registrationRow(door, id)).get('done') === count;
  await waitFor(reached, { what: `${count} entries are done` });
}

test('a function that goes on killing its sandbox is stopped with its entries kept; resumed it may try again', async () => {
  await using platform = await startPlatformProcess({ flags: FLAGS });
  const { door } = platform;
  const { ids } = await loadFunction(door, 'killer', KILLER);
  const [id = ''] = ids;
  await loadFunction(door, 'neighbour', NEIGHBOUR);

  await door.xadd('killer', '*', 'n', '1', 'bad', 'yes');
  await waitFor(() => stateIs(door, id, 'quarantined'), { what: 'the function is stopped' });
  await door.xadd('killer', '*', 'n', '2');
  expect(String((await registrationRow(door, id)).get('stateReason'))).toContain('was lost');
  expect(JSON.stringify(await door.call('RG.STREAMS', id))).toContain('"state","quarantined"');
  expect(await door.call('RG.TRIGGER', 'neighbour')).toEqual(['here']);
  expect(await door.call('RG.DEADLETTERS', 'COUNT')).toBe(0);

  await door.set('mended', '1');
  await door.call('RG.UNPAUSEREGISTRATIONS', id);
  await done(door, id, 2);
  expect((await door.lrange('ran', 0, -1)).toSorted()).toEqual(['1', '2']);
  expect(await stateIs(door, id, 'running')).toBe(true);

  await door.del('mended');
  await door.xadd('killer', '*', 'n', '3', 'bad', 'yes');
  await waitFor(() => stateIs(door, id, 'quarantined'), { what: 'it is stopped again' });
  expect(await door.call('RG.DEADLETTERS', 'COUNT')).toBe(0);
});

test('entries that belong to a stopped version become dead letters when a repaired one is in force; redriven they run', async () => {
  await using platform = await startPlatformProcess({ flags: FLAGS });
  const { door } = platform;
  const { ids } = await loadFunction(door, 'killer', KILLER.replace('register({', 'register({ maxAttempts: 0,'));
  const [id = ''] = ids;
  await door.xadd('killer', '*', 'n', '1', 'bad', 'yes');
  await waitFor(() => stateIs(door, id, 'quarantined'), { what: 'the function is stopped' });
  await door.xadd('killer', '*', 'n', '2');
  await loadFunction(door, 'killer', KILLER.replace('r.value.bad && ', 'false && '));
  await door.xadd('killer', '*', 'n', '3');
  await waitFor(async () => (await door.call('RG.DEADLETTERS', 'COUNT')) === 2, { what: 'two dead letters' });
  expect(JSON.stringify(await door.call('RG.DEADLETTERS', 'LIST'))).toContain('"reason","quarantine"');
  await done(door, id, 1);
  expect(await door.call('RG.DEADLETTERS', 'REDRIVE')).toBe(2);
  await done(door, id, 3);
  expect((await door.lrange('ran', 0, -1)).toSorted()).toEqual(['1', '2', '3']);
});
