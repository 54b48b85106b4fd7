import { performance } from 'node:perf_hooks';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { startPlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startPeer } from '../peer-process.ts';
import { type RatioRow, ratioRow } from '../statistics.ts';
import { fillStream, measureDrain } from '../throughput.ts';

/** How much of everything one run does. */
export interface SuiteSize {
  readonly rounds: number;
  readonly entries: number;
  readonly slowEntries: number;
  readonly samples: number;
}

type Report = (line: string) => void;

const STREAM = 'bench:stream';
const DEADLINE_MS = 120_000;

const HANDLERS = {
  none: '() => {}',
  write: "async (r) => { await execute('HINCRBY', 'ours', r.value.user, 1); }",
  push: "async (r) => { await execute('RPUSH', 'out', r.value.t); }",
};
type Work = keyof typeof HANDLERS;

interface OurRun {
  readonly redis: TestRedis;
  readonly work: Work;
  readonly batch: number;
  readonly entries: number;
}

/** Our platform on a filled stream: registered, paused, released; measured like every peer. */
async function runOurs(run: OurRun): Promise<number> {
  await using client = disposableClient(run.redis.port);
  await client.redis.flushall();
  await using platform = await startPlatformProcess({ redisUrl: run.redis.url });
  const id = await register(platform.door, run.work, run.batch);
  await platform.door.call('RG.PAUSEREGISTRATIONS', id);
  await fillStream(client.redis, { stream: STREAM, entries: run.entries });
  const rate = measureDrain({ ...load(run.entries), redis: client.redis, group: id, deadlineMs: DEADLINE_MS });
  await platform.door.call('RG.UNPAUSEREGISTRATIONS', id);
  return await rate;
}

async function register(door: Redis, work: Work, batch: number): Promise<string> {
  const source = `new GearsBuilder('StreamReader').foreach(${HANDLERS[work]})
    .register({ prefix: '${STREAM}', mode: 'async_local', batch: ${batch} });`;
  const [, , , ids] = (await door.call('RG.FUNCTION', 'LOAD', 'bench', source)) as [string, number, string, string[]];
  return ids[0] ?? '';
}

interface PeerRun {
  readonly redis: TestRedis;
  readonly work: 'none' | 'write';
  readonly style: 'prefetch' | 'naive';
  readonly count: number;
  readonly entries: number;
}

async function runHandwritten(run: PeerRun): Promise<number> {
  await using client = disposableClient(run.redis.port);
  await client.redis.flushall();
  await fillStream(client.redis, { stream: STREAM, entries: run.entries });
  await client.redis.xgroup('CREATE', STREAM, 'peer', '0');
  const { work, style, count } = run;
  await using peer = await startPeer('handwritten', {
    port: run.redis.port,
    ...{ stream: STREAM, group: 'peer', work, style, count },
  });
  const rate = measureDrain({ ...load(run.entries), redis: client.redis, group: 'peer', deadlineMs: DEADLINE_MS });
  peer.go();
  return await rate;
}

async function runBullmq(redis: TestRedis, jobs: number): Promise<number> {
  await using client = disposableClient(redis.port);
  await client.redis.flushall();
  const connection = new Redis(redis.port, { maxRetriesPerRequest: null });
  const queue = new Queue('bench', { connection });
  for (let n = 0; n < jobs; n += 1000) {
    const chunk = Array.from({ length: Math.min(1000, jobs - n) }, (_, i) => ({
      name: 'j',
      data: { user: `u${n + i}` },
    }));
    await queue.addBulk(chunk);
  }
  await using peer = await startPeer('bullmq', { port: redis.port, work: 'write', concurrency: 50 });
  const begin = performance.now();
  peer.go();
  while ((await queue.getJobCountByTypes('waiting', 'active', 'prioritized')) > 0) {
    if (performance.now() - begin > DEADLINE_MS) throw new Error('The BullMQ worker did not finish in time.');
  }
  const rate = (jobs / (performance.now() - begin)) * 1000;
  await queue.close();
  connection.disconnect();
  return await rate;
}

/**
 * Median of XADD → element in a list, one at a time, in ms. As many events again come before those that count: neither side is
 * to be measured while its code is still being compiled.
 */
async function sampleLatency(port: number, samples: number): Promise<number> {
  await using producer = disposableClient(port);
  await using observer = disposableClient(port);
  const figures: number[] = [];
  for (let n = -samples; n < samples; n += 1) {
    const begin = performance.now();
    void producer.redis.xadd(STREAM, '*', 't', String(n));
    const popped = await observer.redis.blpop('out', 10);
    if (popped === null) throw new Error('No effect within 10 s.');
    if (n >= 0) figures.push(performance.now() - begin);
  }
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

async function latencyOurs(redis: TestRedis, samples: number): Promise<number> {
  await using client = disposableClient(redis.port);
  await client.redis.flushall();
  await client.redis.xgroup('CREATE', STREAM, 'unused', '0', 'MKSTREAM');
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  await register(platform.door, 'push', 100);
  return await sampleLatency(redis.port, samples);
}

async function latencyHandwritten(redis: TestRedis, samples: number): Promise<number> {
  await using client = disposableClient(redis.port);
  await client.redis.flushall();
  await client.redis.xgroup('CREATE', STREAM, 'peer', '0', 'MKSTREAM');
  const options = { stream: STREAM, group: 'peer', work: 'push', style: 'blocked', count: 100 };
  await using peer = await startPeer('handwritten', { port: redis.port, ...options });
  peer.go();
  return await sampleLatency(redis.port, samples);
}

function load(entries: number): { readonly stream: string; readonly entries: number } {
  return { stream: STREAM, entries };
}

function disposableClient(port: number): AsyncDisposable & { readonly redis: Redis } {
  const redis = new Redis(port);
  return { redis, [Symbol.asyncDispose]: async () => void (await redis.quit()) };
}

/** Measures `ours` and `peers` in turn, round by round. */
async function alternate<Name extends string>(
  rounds: number,
  runs: Record<Name, () => Promise<number>>,
  report: Report,
): Promise<Record<Name, number[]>> {
  const figures = Object.fromEntries(Object.keys(runs).map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of Object.keys(runs) as Name[]) {
      const figure = await runs[name]();
      figures[name].push(figure);
      report(
        `  round ${round}/${rounds}  ${name.padEnd(26)} ${figure >= 100 ? Math.round(figure) : figure.toFixed(3)}`,
      );
    }
  }
  return figures;
}

/** The suite `streams`: throughput with and without work, the cost of `batch: 1`, latency. */
export async function streamsSuite(size: SuiteSize, report: Report): Promise<readonly RatioRow[]> {
  await using redis = await startRedis();
  const { rounds, entries, slowEntries } = size;
  const ours = (work: Work, batch: number) => () => runOurs({ redis, work, batch, entries });
  const prefetching = (work: 'none' | 'write') => () =>
    runHandwritten({ redis, work, style: 'prefetch', count: 1000, entries });
  const naive = (work: 'none' | 'write') => () =>
    runHandwritten({ redis, work, style: 'naive', count: 100, entries: slowEntries });
  report('entries per second, no work per entry');
  const none = await alternate(
    rounds,
    {
      ours: ours('none', 1000),
      'ours batch 100': ours('none', 100),
      'ours batch 1': ours('none', 1),
      'hand-written prefetching': prefetching('none'),
      'hand-written naive': naive('none'),
    },
    report,
  );
  report('entries per second, one awaited write per entry');
  const write = await alternate(
    rounds,
    {
      ours: ours('write', 1000),
      'hand-written pipelined': prefetching('write'),
      'hand-written naive': naive('write'),
      'BullMQ, concurrency 50': () => runBullmq(redis, slowEntries),
    },
    report,
  );
  report('XADD to visible effect, median in ms');
  const latency = await alternate(
    rounds,
    {
      ours: () => latencyOurs(redis, size.samples),
      'hand-written blocked': () => latencyHandwritten(redis, size.samples),
    },
    report,
  );
  const hand = none['hand-written prefetching'];
  const pipelined = write['hand-written pipelined'];
  const rate = { unit: 'entries/s' };
  return [
    { what: 'no work / hand-written prefetching', ours: none.ours, peer: hand, goal: { atLeast: 1.5 }, ...rate },
    {
      what: 'no work / hand-written naive',
      ours: none.ours,
      peer: none['hand-written naive'],
      goal: { atLeast: 8 },
      ...rate,
    },
    {
      what: 'batch 1 / batch 100',
      ours: none['ours batch 1'],
      peer: none['ours batch 100'],
      goal: { atLeast: 0.5 },
      ...rate,
    },
    { what: 'one write / hand-written pipelined', ours: write.ours, peer: pipelined, goal: { atLeast: 1.2 }, ...rate },
    {
      what: 'one write / hand-written naive',
      ours: write.ours,
      peer: write['hand-written naive'],
      goal: { atLeast: 8 },
      ...rate,
    },
    {
      what: 'one write / BullMQ',
      ours: write.ours,
      peer: write['BullMQ, concurrency 50'],
      goal: { atLeast: 8 },
      ...rate,
    },
    {
      what: 'latency p50 / hand-written blocked',
      ours: latency.ours,
      peer: latency['hand-written blocked'],
      goal: { atMost: 1.5 },
      unit: 'ms',
    },
  ].map(ratioRow);
}
