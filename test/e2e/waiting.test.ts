import { expect, test } from 'vitest';
import { describeOnTopologies, loadFunction } from './topology.ts';

const COUNT = `
GB('CommandReader').map(async () => {
  const [results, errors] = await GB().count().run('student:*');
  return { results, errors };
}).register({ trigger: 'students', mode: 'async_local' });`;

describeOnTopologies('handlers that wait', (world) => {
  test('a handler counts keys of all shards', async () => {
    const client = world.topology.client();
    for (let n = 0; n < 20; n += 1) await client.set(`student:${n}`, 'x');
    await loadFunction(world.platform.door, 'students', COUNT);
    expect(await world.platform.door.call('RG.TRIGGER', 'students')).toEqual([
      JSON.stringify({ results: ['20'], errors: [] }),
    ]);
  });
});
