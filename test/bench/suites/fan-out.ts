import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { usageOf } from '../processes.ts';
import { short } from '../row.ts';
import { deploy, startSubject } from '../subject.ts';
import { inTurn, type Suite } from '../suite.ts';

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
  const show = ({ cpuUs, wallUs }: Cost): string =>
    `${short(cpuUs)} us of CPU, ${short(wallUs)} us until all were done`;
  const found = await inTurn(
    { ...context, title: 'per entry', show },
    runs as Readonly<Record<ShapeName, () => Promise<Cost>>>,
  );
  const row = (name: ShapeName, figure: keyof Cost) => ({
    ours: found[name].map((cost) => cost[figure]),
    peer: found.base.map((cost) => cost[figure]),
  });
  return {
    streams100: row('streams100', 'cpuUs'),
    streams10000: row('streams10000', 'cpuUs'),
    registrations100: row('registrations100', 'cpuUs'),
    registrations1000: row('registrations1000', 'cpuUs'),
    streams100Last: row('streams100', 'wallUs'),
    streams10000Last: row('streams10000', 'wallUs'),
    registrations100Last: row('registrations100', 'wallUs'),
    registrations1000Last: row('registrations1000', 'wallUs'),
  };
};

/** Both by the number of entries, microseconds. */
interface Cost {
  /** Of Redis, the node and its sandboxes. */
  readonly cpuUs: number;
  /** From the moment when all entries are in their streams to the moment when all are settled: waiting for news included. */
  readonly wallUs: number;
}

async function costOf(server: TestRedis, shape: Shape, entries: number): Promise<Cost> {
  const redis = server.client();
  await redis.flushall();
  await using subject = await startSubject(server.url);
  const source = `for (let n = 0; n < ${shape.registrations}; n += 1) new GearsBuilder('StreamReader').foreach(() => {})
    .register({ prefix: ${shape.registrations === 1 ? "'fan:*'" : "'fan:' + n"}, mode: 'async_local', batch: 100 });`;
  const ids = await deploy(subject.door, 'bench', source);
  const cpuSeconds = async (): Promise<number> =>
    (await usageOf(subject.pid)).cpuSeconds + (await usageOf(server.pid)).cpuSeconds;
  const burst = async (count: number, before: number): Promise<Cost> => {
    await redis.eval(ADD, 0, shape.streams, Math.ceil(count / shape.streams));
    const begin = performance.now();
    const cpuBefore = await cpuSeconds();
    await untilDone({ redis, ids }, before + Math.ceil(count / shape.streams) * shape.streams);
    const wallMs = performance.now() - begin;
    return { cpuUs: (((await cpuSeconds()) - cpuBefore) * 1e6) / count, wallUs: (wallMs * 1_000) / count };
  };
  // The first burst opens every stream and warms the code up.
  const warmUp = Math.ceil((entries * WARM_UP_SHARE) / shape.streams) * shape.streams;
  await burst(warmUp, 0);
  const cost = await burst(entries, warmUp);
  redis.disconnect();
  return cost;
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
