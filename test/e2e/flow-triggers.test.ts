import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { waitFor } from '../support/wait.ts';
import { loadFunction, registrationRow, TOPOLOGIES, type Topology } from './topology.ts';

describe.each(Object.entries(TOPOLOGIES))('filters and rates of captured events, two nodes on %s', (_, start) => {
  let topology: Topology;
  let nodes: PlatformProcess[];
  let door: Redis;
  let redis: Redis | Cluster;

  beforeAll(async () => {
    topology = await start();
    redis = topology.client();
    nodes = await Promise.all(
      [0, 1].map(() => startPlatformProcess({ redisUrl: topology.url, flags: ['--converge-timeout', '30s'] })),
    );
    door = (nodes[0] as PlatformProcess).door;
  });
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node[Symbol.asyncDispose]()));
    await topology?.[Symbol.asyncDispose]();
  });

  const load = async (name: string, source: string): Promise<string> =>
    (await loadFunction(door, name, source)).ids[0] ?? '';
  const numberOf = async (id: string, name: string): Promise<number> =>
    Number((await registrationRow(door, id)).get(name));

  test.each(['sync', 'async_local', 'async'])('ticks that a filter refuses never run (mode %s)', async (mode) => {
    const marks = `ticks:${mode}`;
    const id = await load(
      `filtered-ticks-${mode}`,
      `GB('ScheduleReader').foreach((r) => execute('RPUSH', '${marks}', r.tick))
        .register({ every: '100ms', id: 'filtered', mode: '${mode}', filter: { tick: { gte: 3, not: 5 } } });`,
    );
    await waitFor(async () => (await redis.llen(marks)) >= 4, { what: 'four ticks' });
    const ran = (await redis.lrange(marks, 0, -1)).map(Number);
    expect(ran.filter((tick) => tick < 3 || tick === 5)).toEqual([]);
    await waitFor(async () => (await numberOf(id, 'filtered')) === 3, { what: 'the others have ended' });
    await door.call('RG.FUNCTION', 'DELETE', `filtered-ticks-${mode}`);
  });

  test.each(['sync', 'async_local', 'async'])('ticks above the rate wait for their turn (mode %s)', async (mode) => {
    const marks = `rated-ticks:${mode}`;
    const id = await load(
      `rated-ticks-${mode}`,
      `GB('ScheduleReader').foreach((r) => execute('RPUSH', '${marks}', r.tick))
        .register({ every: '100ms', id: 'rated', missed: 'all', mode: '${mode}', rateLimit: { count: 3, per: '1h' } });`,
    );
    const waiting = async (): Promise<number> => {
      const rows = (await door.call('RG.STREAMS', id)) as unknown[][];
      const numberIn = (row: unknown[], name: string): number => Number(row[row.indexOf(name) + 1] ?? 0);
      return rows.reduce((sum, row) => sum + numberIn(row, 'lag') + numberIn(row, 'pending'), 0);
    };
    await waitFor(async () => (await redis.llen(marks)) >= 3, { what: 'three ticks' });
    await waitFor(async () => (await waiting()) >= 5, { what: 'five ticks wait' });
    expect((await redis.lrange(marks, 0, -1)).map(Number).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(await numberOf(id, 'done')).toBe(3);
    await door.call('RG.FUNCTION', 'DELETE', `rated-ticks-${mode}`);
  });

  test.each(['sync', 'async_local', 'async'])(
    'events of keys above the rate wait in their stream (mode %s)',
    async (mode) => {
      const prefix = `rated-keys:${mode}:`;
      const id = await load(
        `rated-keys-${mode}`,
        `GB().foreach((r) => execute('INCR', 'done-keys:${mode}')).register({
        id: 'rated', prefix: '${prefix}*', eventTypes: ['set'], readValue: false, mode: '${mode}', rateLimit: { count: 4, per: '1h' },
      });`,
      );
      // The clients of mode sync wait for their token, which does not come: nobody waits for them here.
      const writer = door.duplicate();
      for (let n = 0; n < 20; n += 1) writer.set(`${prefix}{one}${n}`, '1').catch(() => undefined);
      await waitFor(async () => (await numberOf(id, 'done')) === 4, { what: 'four have run' });
      if (mode !== 'sync') {
        await waitFor(async () => (await redis.exists(`${prefix}{one}19`)) === 1, { what: 'all are written' });
      }
      expect(await redis.get(`done-keys:${mode}`)).toBe('4');
      await door.call('RG.FUNCTION', 'DELETE', `rated-keys-${mode}`, 'ABORTPENDING');
      writer.disconnect();
    },
  );

  test.each(['sync', 'async_local', 'async'])(
    'durable messages above the rate wait in their stream (mode %s)',
    async (mode) => {
      const channel = `rated:${mode}`;
      const id = await load(
        `rated-messages-${mode}`,
        `GB('PubSubReader').foreach((r) => execute('RPUSH', 'heard:${mode}', r.message)).register({
        id: 'rated', channels: ['${channel}'], durable: true, mode: '${mode}', rateLimit: { count: 3, per: 600 },
      });`,
      );
      const since = Date.now();
      for (let n = 0; n < 9; n += 1) await door.publish(channel, String(n));
      await waitFor(async () => (await redis.llen(`heard:${mode}`)) === 9, { what: 'all have run' });
      // Three at once, six more at one in 200 ms: 1,200 ms, less what passed before the first was in the stream.
      expect(Date.now() - since).toBeGreaterThan(1_000);
      const heard = await redis.lrange(`heard:${mode}`, 0, -1);
      const expected = Array.from({ length: 9 }, (_none, n) => String(n));
      expect(mode === 'sync' ? heard : heard.toSorted()).toEqual(expected);
      expect(await numberOf(id, 'dead')).toBe(0);
      await door.call('RG.FUNCTION', 'DELETE', `rated-messages-${mode}`);
    },
  );
});
