import { startRedis, type TestRedis } from '../../support/redis.ts';
import { runLoad, startPeer } from '../child.ts';
import { STREAM } from '../entries.ts';
import type { LatencyFigures } from '../loads/latency.ts';
import { short } from '../row.ts';
import { deploy, startSubject } from '../subject.ts';
import { inTurn, pairOf, type Suite } from '../suite.ts';

const GROUP = 'peer';
const RATE = 10_000;

interface Load {
  readonly samples: number;
  readonly perSecond: number;
}

async function ours(server: TestRedis, load: Load): Promise<LatencyFigures> {
  const redis = server.client();
  await redis.flushall();
  await redis.xgroup('CREATE', STREAM, 'unused', '0', 'MKSTREAM');
  await using subject = await startSubject(server.url);
  const source = `new GearsBuilder('StreamReader').foreach(async (r) => { await execute('RPUSH', 'out', r.value.t); })
    .register({ prefix: '${STREAM}', mode: 'async_local', batch: 100 });`;
  await deploy(subject.door, 'bench', source);
  return await runLoad<LatencyFigures>('latency', { port: server.port, stream: STREAM, ...load });
}

/** The plain blocking consumer: with one entry at a time there is nothing to prefetch. */
async function pipelined(server: TestRedis, load: Load): Promise<LatencyFigures> {
  const redis = server.client();
  await redis.flushall();
  await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  const options = { stream: STREAM, group: GROUP, work: 'push', style: 'pipelined', count: 100 };
  await using peer = await startPeer('stream-consumer', { port: server.port, ...options });
  peer.go();
  return await runLoad<LatencyFigures>('latency', { port: server.port, stream: STREAM, ...load });
}

/** The suite `latency`: from XADD to the visible effect, one entry at a time and at a steady rate. */
export const latencySuite: Suite<'latency'> = async (context) => {
  await using server = await startRedis();
  const show = ({ p50, p99, lateness }: LatencyFigures): string =>
    `p50 ${short(p50)} p99 ${short(p99)} ms, added at most ${short(lateness)} ms late (p99)`;
  const measure = (title: string, load: Load) =>
    inTurn({ ...context, title, show }, { ours: () => ours(server, load), pipelined: () => pipelined(server, load) });
  const one = await measure('one at a time', { samples: context.quick ? 1_500 : 6_000, perSecond: 0 });
  const rated = await measure(`${RATE} a second`, { samples: context.quick ? 20_000 : 50_000, perSecond: RATE });
  return {
    oneP50: pairOf(one.ours, one.pipelined, ({ p50 }) => p50),
    oneP99: pairOf(one.ours, one.pipelined, ({ p99 }) => p99),
    ratedP50: pairOf(rated.ours, rated.pipelined, ({ p50 }) => p50),
    ratedP99: pairOf(rated.ours, rated.pipelined, ({ p99 }) => p99),
    ratedP99Ms: { ours: rated.ours.map(({ p99 }) => p99) },
  };
};
