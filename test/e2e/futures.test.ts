import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { describeOnTopologies, loadFunction } from './topology.ts';

/** Example 31 over a fleet: what is handed around is in Redis, the future as its text. */
const RENDEZVOUS = `
GB('CommandReader').map(async ([, message]) => {
  const future = createFuture();
  await execute('LPUSH', 'rendezvous', JSON.stringify({ message, future }));
  runCoroutine(() => setFutureException(future, new RangeError('too late')), { delay: 3 });
  return await future;
}).register({ trigger: 'offer', mode: 'async_local' });
GB('CommandReader').map(async () => {
  const text = await execute('RPOP', 'rendezvous');
  if (text === null) return 'nothing there';
  const { message, future } = JSON.parse(text);
  await setFutureResults(future, 'taken');
  return message;
}).register({ trigger: 'take', mode: 'async_local' });`;

describeOnTopologies('futures over two nodes', (world) => {
  test('what one node waits for another one completes, once', { timeout: 60_000 }, async () => {
    const here = world.platform.door;
    await using other = await startPlatformProcess({ redisUrl: world.topology.url });
    const there = other.door;
    await loadFunction(here, 'rendezvous', RENDEZVOUS);
    const client = world.topology.client();
    const taken = async (door: Redis): Promise<unknown> => {
      for (;;) {
        const [answer] = (await door.call('RG.TRIGGER', 'take')) as string[];
        if (answer !== 'nothing there') return answer;
      }
    };
    for (const message of ['one', 'two', 'three']) {
      const offering = here.call('RG.TRIGGER', 'offer', message);
      expect(await taken(there)).toBe(message);
      expect(await offering).toEqual(['taken']);
    }
    await expect(there.call('RG.TRIGGER', 'offer', 'late')).rejects.toThrow(/RangeError: too late/);
    expect(await client.llen('rendezvous')).toBe(1);
    await expect(here.call('RG.TRIGGER', 'take')).rejects.toThrow('Can not continue with the same future twice');
  });
});
