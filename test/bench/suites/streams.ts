import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { startRedis } from '../../support/redis.ts';
import { startPeer } from '../child.ts';
import { measureDrain, openTemplates, type Payload, STREAM, type StreamTemplates } from '../entries.ts';
import { deploy, startSubject } from '../subject.ts';
import { alternate, type Suite } from '../suite.ts';

const GROUP = 'peer';
const USERS = 5_000;
const PEER_COUNT = 1_000;
/** Of 64 kB each; a thousand at once would be slower. */
const LARGE_COUNT = 100;
const POOL_WORKERS = 2;
const DEADLINE_MS = 300_000;

/** What is done with an entry: the handler of ours; `stream-consumer.ts` has the same for its own. */
const HANDLERS = {
  none: '(r) => { seen += r.value.user === undefined ? 0 : 1; }',
  large: '(r) => { seen += r.value.document.length; }',
  mixed: '(r) => { seen += r.value.text.length + r.value.image.length; }',
  write: "async (r) => { await execute('HINCRBY', 'ours', r.value.user, 1); }",
  dependent: `async (r) => {
    const price = await execute('HGET', 'prices', r.value.user);
    await execute('HSET', 'totals', r.value.user, Number(price) + Number(r.value.amount));
  }`,
} as const;
type Work = keyof typeof HANDLERS;

interface Run {
  readonly templates: StreamTemplates;
  readonly port: number;
  readonly work: Work;
  readonly entries: number;
}

const payloadOf = (work: Work): Payload => (work === 'large' || work === 'mixed' ? work : 'click');

async function prepare({ templates, work, entries }: Run): Promise<void> {
  await templates.reset(payloadOf(work), entries);
  if (work !== 'dependent') return;
  const prices = Object.fromEntries(Array.from({ length: USERS }, (_, n) => [`u${n}`, String(n % 100)]));
  await templates.redis.hset('prices', prices);
}

/** Our platform on a filled stream. */
async function runOurs(run: Run, batch: number): Promise<number> {
  await prepare(run);
  const { redis } = run.templates;
  await using subject = await startSubject(`redis://127.0.0.1:${run.port}`);
  const source = `let seen = 0; new GearsBuilder('StreamReader').foreach(${HANDLERS[run.work]})
    .register({ prefix: '${STREAM}', mode: 'async_local', batch: ${batch} });`;
  const [group = ''] = await deploy(subject.door, 'bench', source);
  return await measureDrain({ redis, group, entries: run.entries });
}

/** A peer on the same stream. */
async function runPeer(run: Run, name: string, options: object): Promise<number> {
  await prepare(run);
  const { redis } = run.templates;
  await redis.xgroup('CREATE', STREAM, GROUP, '0');
  await using peer = await startPeer(name, { port: run.port, stream: STREAM, group: GROUP, ...options });
  const rate = measureDrain({ redis, group: GROUP, entries: run.entries });
  peer.go();
  return await rate;
}

interface Consumer {
  readonly work: Work;
  readonly style: 'naive' | 'pipelined' | 'prefetching';
  readonly count: number;
}

interface Jobs {
  readonly port: number;
  readonly redis: Redis;
  readonly jobs: number;
  readonly concurrency: number;
}

/** Jobs per second of a BullMQ worker on a filled queue; the first fifth warms it up, as everywhere. */
async function runBullmq({ port, redis, jobs, concurrency }: Jobs): Promise<number> {
  await redis.flushdb();
  const connection = new Redis(port, { maxRetriesPerRequest: null });
  const queue = new Queue<{ user: string }>('bench', { connection });
  const job = (n: number) => ({ name: 'job', data: { user: `u${n % USERS}` } });
  for (let n = 0; n < jobs; n += 1_000) {
    await queue.addBulk(Array.from({ length: Math.min(1_000, jobs - n) }, (_, i) => job(n + i)));
  }
  await using peer = await startPeer('bullmq', { port, concurrency });
  peer.go();
  const giveUp = performance.now() + DEADLINE_MS;
  let begin: { readonly at: number; readonly left: number } | null = null;
  for (;;) {
    const left = await queue.getJobCountByTypes('waiting', 'active');
    const now = performance.now();
    if (begin === null && left <= jobs * 0.8) begin = { at: now, left };
    if (begin !== null && left === 0) {
      await queue.close();
      connection.disconnect();
      return (begin.left / (now - begin.at)) * 1_000;
    }
    if (now > giveUp) throw new Error(`The BullMQ worker has ${left} of ${jobs} jobs left.`);
    await pause(4);
  }
}

/** The suite `streams`: entries per second, with less and more work for each. */
export const streamsSuite: Suite<'streams'> = async (context) => {
  await using server = await startRedis();
  await using templates = openTemplates(server);
  const { port } = server;
  const { quick } = context;
  const counts: Readonly<Record<Work, number>> = quick
    ? { none: 150_000, write: 100_000, dependent: 60_000, mixed: 30_000, large: 2_000 }
    : { none: 500_000, write: 300_000, dependent: 200_000, mixed: 100_000, large: 10_000 };
  const slow = quick ? 6_000 : 30_000;
  const ours = (work: Work, batch: number) => () => runOurs({ templates, port, work, entries: counts[work] }, batch);
  const hand = (consumer: Consumer, entries: number) => () =>
    runPeer({ templates, port, work: consumer.work, entries }, 'stream-consumer', consumer);
  const naive = (work: Work) => hand({ work, style: 'naive', count: PEER_COUNT }, slow);
  const prefetching = (work: Work, count = PEER_COUNT) => hand({ work, style: 'prefetching', count }, counts[work]);
  const pooled = (kind: string) => () => {
    const options = { kind, count: PEER_COUNT, workers: POOL_WORKERS };
    return runPeer({ templates, port, work: 'none', entries: counts.none }, 'pooled-consumer', options);
  };
  const bullmq = (concurrency: number, jobs: number) => () =>
    runBullmq({ port, redis: templates.redis, jobs, concurrency });

  const none = await alternate(context, 'no work per entry, entries/s', {
    batch1000: ours('none', 1_000),
    prefetching: prefetching('none'),
    batch100: ours('none', 100),
    batch1: ours('none', 1),
    naive: naive('none'),
    threads: pooled('threads'),
    processes: pooled('processes'),
  });
  const write = await alternate(context, 'one awaited write per entry, entries/s', {
    ours: ours('write', 1_000),
    prefetching: prefetching('write'),
    naive: naive('write'),
    'BullMQ, concurrency 50': bullmq(50, slow),
    'BullMQ, concurrency 1': bullmq(1, slow / 3),
  });
  const dependent = await alternate(context, 'a write that depends on a read, entries/s', {
    ours: ours('dependent', 1_000),
    prefetching: prefetching('dependent'),
  });
  const large = await alternate(context, '64 kB payloads, entries/s', {
    ours: ours('large', 100),
    prefetching: prefetching('large', LARGE_COUNT),
  });
  const mixed = await alternate(context, '1 kB of text and bytes, entries/s', {
    ours: ours('mixed', 100),
    prefetching: prefetching('mixed'),
  });
  return {
    none1000: { ours: none.batch1000, peer: none.prefetching },
    none100: { ours: none.batch100, peer: none.prefetching },
    noneNaive: { ours: none.batch100, peer: none.naive },
    noneThreads: { ours: none.batch100, peer: none.threads },
    noneProcesses: { ours: none.batch100, peer: none.processes },
    batch1: { ours: none.batch1, peer: none.prefetching },
    write: { ours: write.ours, peer: write.prefetching },
    writeNaive: { ours: write.ours, peer: write.naive },
    writeBullmq: { ours: write.ours, peer: write['BullMQ, concurrency 50'] },
    writeBullmqOne: { ours: write.ours, peer: write['BullMQ, concurrency 1'] },
    dependent: { ours: dependent.ours, peer: dependent.prefetching },
    large: { ours: large.ours, peer: large.prefetching },
    mixed: { ours: mixed.ours, peer: mixed.prefetching },
  };
};
