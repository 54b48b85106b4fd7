import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import { startRedis } from '../../support/redis.ts';
import { type BenchChild, startPeer } from '../child.ts';
import { short } from '../row.ts';
import { percentile } from '../statistics.ts';
import { deploy, startSubject } from '../subject.ts';
import { inTurn, type Suite } from '../suite.ts';

/** Functions whose first call does not count, in every round. */
const WARM_UP = 10;
const PEER_EVERY = 4;

/** A function as people upload them: some rules, an answer. Every one of them is another source. */
const handler = (name: string): string => `([, customer]) => {
  const rules = { ${Array.from({ length: 20 }, (_, n) => `rule${n}: { from: ${n * 10}, rate: 0.${n}1 }`).join(', ')} };
  const apply = (total) => Object.values(rules).reduce((sum, { from, rate }) => (sum > from ? sum - sum * rate : sum), total);
  return '${name} ' + customer + ' pays ' + apply(1000).toFixed(2);
}`;

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly thread: number;
  readonly process: number;
}

interface Parts {
  /** The node that deploys, and the one that has never loaded what it is asked for. */
  readonly other: Redis;
  readonly door: Redis;
  readonly peer: BenchChild;
}

/** The suite `start`: the first call of functions that were deployed through another node, one after another. */
export const startSuite: Suite<'start'> = async (context) => {
  await using redis = await startRedis();
  await using other = await startSubject(redis.url);
  await using subject = await startSubject(redis.url);
  await using peer = await startPeer('fresh-worker', {});
  const parts = { other: other.door, door: subject.door, peer };
  const calls = context.quick ? 60 : 200;
  let round = 0;
  const { found } = await inTurn(
    {
      ...{ ...context, title: `first calls of ${calls} functions` },
      show: ({ p50, p99, ...peers }: Round) =>
        `p50 ${short(p50)} p99 ${short(p99)} ms; thread ${short(peers.thread)} ms, process ${short(peers.process)} ms`,
    },
    {
      found: () => {
        round += 1;
        const names = Array.from({ length: calls + WARM_UP }, (_, n) => `f${round}x${n}`);
        return measure(parts, names);
      },
    },
  );
  const p50 = found.map((one) => one.p50);
  return {
    p99Ms: { ours: found.map((one) => one.p99) },
    p50Ms: { ours: p50 },
    thread: { ours: p50, peer: found.map((one) => one.thread) },
    process: { ours: p50, peer: found.map((one) => one.process) },
  };
};

/** Ours and the peers in turn, function by function. */
async function measure({ other, door, peer }: Parts, names: readonly string[]): Promise<Round> {
  for (const name of names) {
    await deploy(other, name, `GB('CommandReader').map(${handler(name)}).register({ trigger: '${name}' });`);
  }
  const times = { ours: [], thread: [], process: [] } as Record<'ours' | 'thread' | 'process', number[]>;
  for (const [n, name] of names.entries()) {
    const mine = await firstCall(door, name);
    if (n < WARM_UP) continue;
    times.ours.push(mine);
    // A process takes so long that a few of them tell enough.
    for (const kind of n % PEER_EVERY === 0 ? (['thread', 'process'] as const) : []) {
      times[kind].push((await peer.ask<{ tookMs: number }>({ kind, source: handler(name) })).tookMs);
    }
  }
  return {
    ...{ p50: percentile(times.ours, 0.5), p99: percentile(times.ours, 0.99) },
    ...{ thread: percentile(times.thread, 0.5), process: percentile(times.process, 0.5) },
  };
}

async function firstCall(door: Redis, name: string): Promise<number> {
  const begin = performance.now();
  const [answer] = (await door.call('RG.TRIGGER', name, 'ann')) as [string];
  if (!answer.startsWith(`${name} ann pays `)) throw new Error(`${name} answered ${answer}.`);
  return performance.now() - begin;
}
