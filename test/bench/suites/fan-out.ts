import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { deploy, startSubject } from '../subject.ts';
import { alternate, type Suite } from '../suite.ts';

/** One script call, so that all entries are there before the first of them is read. */
const ADD = `local streams, each = tonumber(ARGV[1]), tonumber(ARGV[2])
for n = 0, each - 1 do
  for s = 0, streams - 1 do
    redis.call('XADD', 'fan:' .. s, '*', 'user', 'u' .. (n % 5000), 'action', 'click', 'amount', n % 1000, 'ts', '1700000000000')
  end
end`;
/** What the settle script has counted as done, over all registrations; a key for each. */
const DONE = `local sum = 0
for _, key in ipairs(KEYS) do sum = sum + (tonumber(redis.call('HGET', key, 'done')) or 0) end
return sum`;

const DEADLINE_MS = 300_000;
const WARM_UP_SHARE = 0.2;

interface Shape {
  readonly streams: number;
  readonly registrations: number;
}

/** The same entries in fewer or more streams: one registration over all of them, or one for each. */
const SHAPES = {
  base: { streams: 1, registrations: 1 },
  streams100: { streams: 100, registrations: 1 },
  streams10000: { streams: 10_000, registrations: 1 },
  registrations100: { streams: 100, registrations: 100 },
  registrations1000: { streams: 1_000, registrations: 1_000 },
} as const satisfies Readonly<Record<string, Shape>>;
type ShapeName = keyof typeof SHAPES;

/** The suite `fan-out`: what an entry costs when streams and registrations become many. Compared with itself. */
export const fanOutSuite: Suite<'fan-out'> = async (context) => {
  await using redis = await startRedis();
  // Never less: with fewer than some entries to a stream its first entry would be all there is to measure.
  const entries = 200_000;
  const names = Object.keys(SHAPES) as ShapeName[];
  const runs = Object.fromEntries(names.map((name) => [name, () => costOf(redis, SHAPES[name], entries)]));
  const found = await alternate(context, 'microseconds per entry', runs as Record<ShapeName, () => Promise<number>>);
  const row = (name: ShapeName) => ({ ours: found[name], peer: found.base });
  return {
    streams100: row('streams100'),
    streams10000: row('streams10000'),
    registrations100: row('registrations100'),
    registrations1000: row('registrations1000'),
  };
};

/** Microseconds per entry, from the moment when all are in their streams to the moment when all are settled. */
async function costOf(server: TestRedis, shape: Shape, entries: number): Promise<number> {
  const redis = server.client();
  await redis.flushall();
  await using subject = await startSubject(server.url);
  const source = `for (let n = 0; n < ${shape.registrations}; n += 1) new GearsBuilder('StreamReader').foreach(() => {})
    .register({ prefix: ${shape.registrations === 1 ? "'fan:*'" : "'fan:' + n"}, mode: 'async_local', batch: 100 });`;
  const ids = await deploy(subject.door, 'bench', source);
  const burst = async (count: number, before: number): Promise<number> => {
    await redis.eval(ADD, 0, shape.streams, Math.ceil(count / shape.streams));
    const begin = performance.now();
    await untilDone({ redis, ids }, before + Math.ceil(count / shape.streams) * shape.streams);
    return performance.now() - begin;
  };
  // The first burst opens every stream and warms the code up.
  const warmUp = Math.ceil((entries * WARM_UP_SHARE) / shape.streams) * shape.streams;
  await burst(warmUp, 0);
  const tookMs = await burst(entries, warmUp);
  redis.disconnect();
  return (tookMs * 1_000) / entries;
}

async function untilDone({ redis, ids }: { readonly redis: Redis; readonly ids: readonly string[] }, count: number) {
  const giveUp = performance.now() + DEADLINE_MS;
  let keys: readonly string[] = [];
  for (;;) {
    if (keys.length < ids.length) keys = await redis.keys('rg:*:stats:*');
    const done = keys.length === 0 ? 0 : Number(await redis.eval(DONE, keys.length, ...keys));
    if (done >= count) return;
    if (performance.now() > giveUp) throw new Error(`${done} of ${count} entries are settled.`);
    await pause(10);
  }
}
