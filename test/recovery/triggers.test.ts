import { expect, test } from 'vitest';
import { type PlatformProcess, startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor, waitForCount } from '../support/wait.ts';
import { endsOf, sumOf } from './flow.ts';

const FLEET = ['--heartbeat', '100ms', '--heartbeat-timeout', '1s', '--block', '500ms'];

async function load(platform: PlatformProcess, name: string, source: string): Promise<string> {
  const reply = (await platform.door.call('RG.FUNCTION', 'LOAD', name, source)) as [string, number, string, string[]];
  return reply[3][0] ?? '';
}

const start = (redisUrl: string): Promise<PlatformProcess> => startPlatformProcess({ redisUrl, flags: FLEET });
const startThree = (redisUrl: string): Promise<PlatformProcess[]> =>
  Promise.all([start(redisUrl), start(redisUrl), start(redisUrl)]);
const end = (nodes: readonly PlatformProcess[]): Promise<unknown> =>
  Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));

test.each(['sync', 'async_local', 'async'] as const)(
  'every tick comes once while nodes are killed at ticks (mode %s)',
  { timeout: 300_000 },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    const nodes = await startThree(redis.url);
    try {
      // A tick that a dying node had begun runs again, but it is the same tick: its number tells.
      const source = `GB('ScheduleReader').foreach(async (r) => {
          await execute('HINCRBY', 'ticks', r.at, 1);
          await execute('SADD', 'numbers', r.tick);
        }).register({ every: '100ms', missed: 'all', mode: '${mode}', id: 'pulse' });`;
      const id = await load(nodes[0] as PlatformProcess, 'clock', source);
      for (const victim of [0, 1]) {
        const before = await client.hlen('ticks');
        await waitForCount(() => client.hlen('ticks'), before + 8, { what: 'eight more ticks' });
        await nodes[victim]?.kill();
      }
      const before = await client.hlen('ticks');
      await waitForCount(() => client.hlen('ticks'), before + 20, { what: 'twenty more ticks' });
      const last = nodes[2] as PlatformProcess;
      await last.door.call('RG.PAUSEREGISTRATIONS', id);
      // What was in work goes on: both are read at one moment, and agree when nothing is.
      const counts = async (): Promise<unknown[]> =>
        ((await client.multi().hlen('ticks').scard('numbers').exec()) ?? []).map(([, count]) => count);
      await waitFor(async () => new Set(await counts()).size === 1, {
        deadlineMs: 60_000,
        what: 'each tick has a number of its own',
      });
      const times = Object.keys(await client.hgetall('ticks')).map(Number);
      times.sort((a, b) => a - b);
      const end = times.at(-3) ?? 0;
      const expected = Array.from({ length: (end - (times[0] ?? 0)) / 100 + 1 }, (_, n) => (times[0] ?? 0) + n * 100);
      expect(times.filter((at) => at <= end)).toEqual(expected);
    } finally {
      await end(nodes);
    }
  },
);

test.each([
  // One item after the other takes its time.
  ['sync', 6_000],
  ['async_local', 20_000],
  ['async', 20_000],
] as const)(
  'every pushed item has an end when nodes are killed in full flow (mode %s)',
  { timeout: 300_000 },
  async (mode, total) => {
    await using redis = await startRedis();
    const client = redis.client();
    const nodes = await startThree(redis.url);
    try {
      const source = `GB('ListReader').foreach(async (r) => { await execute('HINCRBY', 'seen', r.value, 1); })
        .register({ lists: ['high', 'low'], mode: '${mode}', batch: 50 });`;
      const id = await load(nodes[0] as PlatformProcess, 'queue', source);
      const pushing = (async () => {
        for (let n = 0; n < total; n += 100) {
          const items = Array.from({ length: 100 }, (_, i) => `item ${n + i}`);
          await client.lpush(n % 300 === 0 ? 'high' : 'low', ...items);
        }
      })();
      for (const victim of [0, 1]) {
        const before = await client.hlen('seen');
        const wanted = Math.min(before + total / 6, total);
        await waitForCount(() => client.hlen('seen'), wanted, { what: 'the flow is on' });
        await nodes[victim]?.kill();
      }
      await pushing;
      const last = nodes[2] as PlatformProcess;
      await waitForCount(async () => sumOf(await endsOf(last.door, id)), total, { what: 'all have ended' });
      expect(await endsOf(last.door, id)).toMatchObject({ done: total, dead: 0, lost: 0 });
      expect(await client.hlen('seen')).toBe(total);
      expect(await client.llen('high')).toBe(0);
      expect(await client.llen('low')).toBe(0);
    } finally {
      await end(nodes);
    }
  },
);

test('durable messages have an end each; another node listens after the first is killed', {
  timeout: 300_000,
}, async () => {
  await using redis = await startRedis();
  const client = redis.client();
  const nodes = await Promise.all([start(redis.url), start(redis.url)]);
  await using first = nodes[0];
  await using second = nodes[1];
  const source = `GB('PubSubReader').foreach(async (r) => { await execute('HINCRBY', 'heard', r.message, 1); })
      .register({ channels: ['news'], durable: true, batch: 10 });`;
  const id = await load(first, 'news', source);
  for (let n = 0; n < 2_000; n += 1) await client.publish('news', `before ${n}`);
  // What was published has been written as soon as the stream has had it.
  await waitForCount(async () => sumOf(await endsOf(second.door, id)), 500, { what: 'the flow is on' });
  await first.kill();
  const listens = (): Promise<boolean> => client.publish('news', 'probe').then((heard) => heard > 0);
  await waitFor(listens, { deadlineMs: 60_000, what: 'somebody listens' });
  for (let n = 0; n < 1_000; n += 1) await client.publish('news', `after ${n}`);
  const after = async (): Promise<number> =>
    Object.keys(await client.hgetall('heard')).filter((text) => text.startsWith('after')).length;
  await waitForCount(after, 1_000, { what: 'what was published later has run' });
  const ends = await endsOf(second.door, id);
  expect(ends.dead + ends.lost).toBe(0);
});
