import { startRedis } from '../../support/redis.ts';
import { startPeer } from '../child.ts';
import { benchmarkCommands, type CommandFigures } from '../redis-benchmark.ts';
import { short } from '../row.ts';
import { deploy, startSubject } from '../subject.ts';
import { inTurn, pairOf, type Suite } from '../suite.ts';

const OURS = `new GearsBuilder('CommandReader').map(([, key]) => execute('INCR', key))
  .register({ trigger: 'incr', mode: 'async_local' });`;
const LUA = `#!lua name=bench
redis.register_function('incr', function(keys) return redis.call('INCR', keys[1]) end)`;

const LOADS = {
  one: { clients: 1, pipeline: 1, requests: 40_000 },
  fifty: { clients: 50, pipeline: 1, requests: 300_000 },
  pipelined: { clients: 50, pipeline: 16, requests: 1_500_000 },
} as const;
type Kind = keyof typeof LOADS;

const QUICK_SHARE = 0.2;

/**
 * The suite `commands`: a function behind RG.TRIGGER beside the same function inside Redis, asked directly and through a relay
 * in Node, which shows what a process in between costs that does nothing.
 */
export const commandsSuite: Suite<'commands'> = async (context) => {
  await using server = await startRedis();
  await using subject = await startSubject(server.url);
  await using relay = await startPeer('tcp-relay', { port: server.port });
  await deploy(subject.door, 'bench', OURS);
  await server.client().call('FUNCTION', 'LOAD', LUA);
  const measure = async (kind: Kind): Promise<Record<'ours' | 'FCALL' | 'relay', CommandFigures[]>> => {
    const load = { ...LOADS[kind], requests: LOADS[kind].requests * (context.quick ? QUICK_SHARE : 1) };
    const show = ({ perSecond, p50, p99 }: CommandFigures): string =>
      `${short(perSecond)} calls/s, p50 ${short(p50)} ms, p99 ${short(p99)} ms`;
    const fcall = (port: number) => () => benchmarkCommands({ ...load, port, command: ['FCALL', 'incr', '1', 'peer'] });
    return await inTurn(
      { ...context, title: `clients: ${load.clients}, pipelined by ${load.pipeline}`, show },
      {
        ours: () => benchmarkCommands({ ...load, port: subject.respPort, command: ['RG.TRIGGER', 'incr', 'ours'] }),
        FCALL: fcall(server.port),
        relay: fcall(Number(relay.says)),
      },
    );
  };
  const one = await measure('one');
  const fifty = await measure('fifty');
  const pipelined = await measure('pipelined');
  const perSecond = (found: CommandFigures): number => found.perSecond;
  return {
    one: pairOf(one.ours, one.FCALL, perSecond),
    fifty: pairOf(fifty.ours, fifty.FCALL, perSecond),
    pipelined: pairOf(pipelined.ours, pipelined.FCALL, perSecond),
    fiftyRelay: pairOf(fifty.ours, fifty.relay, perSecond),
    pipelinedRelay: pairOf(pipelined.ours, pipelined.relay, perSecond),
    oneMs: { ours: one.ours.map((found) => found.p50) },
  };
};
