import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { waitFor } from '../support/wait.ts';
import { describeOnTopologies, loadFunction } from './topology.ts';

const KEYS = ['a', 'b', 'c', 'd'];
const PER_KEY = 15;
/** What events carry: key and number. */
const EVENTS = Array.from({ length: KEYS.length * PER_KEY }, (_, n) => `${KEYS[n % KEYS.length]}${n}`);

interface Kind {
  readonly reader: string;
  /** Of a record, what the event carries. */
  readonly text: string;
  readonly where: (mode: string) => string;
  readonly feed: (door: Redis, mode: string) => Promise<unknown>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'entries of a stream': {
    reader: 'StreamReader',
    text: 'r.value.e',
    where: (mode) => `prefix: 'by-key:${mode}'`,
    feed: (door, mode) => Promise.all(EVENTS.map((event) => door.xadd(`by-key:${mode}`, '*', 'e', event))),
  },
  'items of a list': {
    reader: 'ListReader',
    text: 'r.value',
    where: (mode) => `list: 'by-key:jobs:${mode}', batch: 10`,
    feed: (door, mode) => door.lpush(`by-key:jobs:${mode}`, ...EVENTS),
  },
  'durable messages': {
    reader: 'PubSubReader',
    text: 'r.message',
    where: (mode) => `channels: ['by-key:${mode}'], durable: true`,
    feed: (door, mode) => Promise.all(EVENTS.map((event) => door.publish(`by-key:${mode}`, event))),
  },
  'events of keys': {
    reader: 'KeysReader',
    text: "r.key.split(':')[2]",
    where: (mode) => `prefix: 'set-{one}:${mode}:*', readValue: false, eventTypes: ['set']`,
    feed: async (door, mode) => {
      // In mode sync a client waits for the function: one for each key.
      const clients = KEYS.map(() => door.duplicate());
      await Promise.all(EVENTS.map((event, n) => clients[n % KEYS.length]?.set(`set-{one}:${mode}:${event}`, '1')));
      for (const client of clients) client.disconnect();
    },
  },
};

describeOnTopologies('key: order per key, keys side by side', (world) => {
  for (const [what, { reader, text, where, feed }] of Object.entries(KINDS)) {
    test.each(['sync', 'async_local', 'async'])(`${what} (mode %s)`, async (mode) => {
      const marks = `${reader}:${mode}`;
      const source = `GB('${reader}').foreach(async (r) => {
          const event = ${text}, k = event[0];
          await execute('ZADD', 'most:${marks}', 'GT', await execute('INCR', 'open:${marks}'), 'all');
          await execute('ZADD', 'most:${marks}', 'GT', await execute('INCR', 'open:${marks}:' + k), k);
          await execute('DECR', 'open:${marks}:' + k);
          await execute('DECR', 'open:${marks}');
          await execute('RPUSH', 'ran:${marks}:' + k, event.slice(1));
        }).register({ ${where(mode)}, mode: '${mode}', id: 'keyed', key: (r) => (${text})[0], onFailedPolicy: 'retry' });`;
      const { door } = world.platform;
      const name = `keyed-${reader}-${mode}`;
      await loadFunction(door, name, source);
      if (reader === 'PubSubReader') {
        await waitFor(async () => (await door.pubsub('NUMSUB', `by-key:${mode}`))[1] === 1, { what: 'it listens' });
      }
      await feed(door, mode);
      const client = world.topology.client();
      for (const [at, key] of KEYS.entries()) {
        const ran = `ran:${marks}:${key}`;
        await waitFor(async () => (await client.llen(ran)) === PER_KEY, { what: `all of ${key} have run` });
        const wanted = Array.from({ length: PER_KEY }, (_, n) => String(n * KEYS.length + at));
        expect(await client.lrange(ran, 0, -1)).toEqual(wanted);
        expect(await client.zscore(`most:${marks}`, key)).toBe('1');
      }
      expect(Number(await client.zscore(`most:${marks}`, 'all'))).toBeGreaterThan(1);
      await door.call('RG.FUNCTION', 'DELETE', name);
    });
  }
});
