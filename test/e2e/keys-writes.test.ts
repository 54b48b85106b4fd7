import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction, registrationRow } from './topology.ts';

const TITLE = 'writes of functions and of binary keys';

describeOnTopologies(
  TITLE,
  (world) => {
    const load = (name: string, source: string): Promise<unknown> => loadFunction(world.platform.door, name, source);
    const unload = (name: string): Promise<unknown> => world.platform.door.call('RG.FUNCTION', 'DELETE', name);
    const ran = async (set: string): Promise<string[]> => (await world.topology.client().smembers(set)).sort();

    /** Notes every key of a prefix that was set. */
    const noting = (prefix: string): string =>
      `GB().foreach((r) => execute('SADD', 'noted', r.key)).register({ prefix: '${prefix}*', eventTypes: ['set'], mode: 'sync', readValue: false });`;
    /** Sets a key for each number it is called with, in a transaction where it says so. */
    const writing = (more: string): string => `
    GB('StreamReader').foreach(async (r) => {
      await execute('SET', 'own:' + r.value.n, '1');
      await atomic(() => { execute('SET', 'own:{a}' + r.value.n, '1'); execute('SET', 'own:{a}b' + r.value.n, '1'); });
    }).register({ prefix: 'orders', ${more} });`;

    test('what a function writes raises events before its own entry ends', async () => {
      await load('noting', noting('own:'));
      await load('writing', writing("mode: 'sync'"));
      await world.topology.client().xadd('orders', '*', 'n', '1');
      await waitFor(async () => (await ran('noted')).length === 3, { what: 'all three writes are noted' });
      expect(await ran('noted')).toEqual(['own:1', 'own:{a}1', 'own:{a}b1']);
      await unload('writing');
    });

    test('what a quiet function on keys writes raises none, for nobody, also where the server tells of it', async () => {
      await load(
        'quiet',
        `GB().foreach(async (r) => {
        await execute('SET', 'own:quiet', '1');
        await execute('INCR', 'quiet-runs');
      }).register({ prefix: 'ask:*', eventTypes: ['set'], mode: 'sync', readValue: false, quiet: true });`,
      );
      await world.platform.door.set('ask:1', '1');
      expect(await world.topology.client().get('quiet-runs')).toBe('1');
      // In the same slot, so heard on the same way: once it is here, nothing is coming any more.
      await world.topology.client().set('own:{own:quiet}', '1');
      await waitFor(async () => (await ran('noted')).includes('own:{own:quiet}'), { what: 'a later write is noted' });
      expect(await ran('noted')).not.toContain('own:quiet');
      await unload('quiet');
      await unload('noting');
    });

    test('a function that writes to the keys it hears runs for its own writes, too', async () => {
      await load(
        'echo',
        `GB().foreach(async (r) => {
        if (r.key.length < 12) await execute('SET', r.key + 'x', '1');
      }).register({ prefix: 'echo:*', eventTypes: ['set'], mode: 'async_local', readValue: false });`,
      );
      await world.platform.door.set('echo:', '1');
      const done = async (): Promise<number> =>
        Number((await registrationRow(world.platform.door, 'echo/keys/echo:*')).get('done'));
      await waitFor(async () => (await done()) >= 8, { what: 'it has run for each of its writes' });
      expect(await world.topology.client().exists('echo:xxxxxxx')).toBe(1);
      await unload('echo');
    });

    test('keys and values that are no text arrive as bytes', async () => {
      await load(
        'bytes',
        `GB().foreach(async (r) => {
        await execute('HSET', 'bytes', r.key, r.value, 'types', (r.key instanceof Uint8Array) + ' ' + (r.value instanceof Uint8Array));
      }).register({ prefix: 'bin:*', eventTypes: ['set'], mode: 'sync' });`,
      );
      const bytes = Buffer.from([0, 255, 13, 10, 128]);
      const key = Buffer.concat([Buffer.from('bin:'), bytes]);
      await world.platform.door.set(key, bytes);
      expect(await world.topology.client().hget('bytes', 'types')).toBe('true true');
      expect(await world.topology.client().hgetBuffer('bytes', key)).toEqual(bytes);
      await unload('bytes');
    });
  },
  { 'notify-keyspace-events': 'KEA' },
);
