import { startRedis } from '../../support/redis.ts';
import { startPeer } from '../child.ts';
import { benchmarkCommands, type CommandFigures } from '../redis-benchmark.ts';
import { short } from '../row.ts';
import { startSubject } from '../subject.ts';
import { inTurn, pairOf, type Suite } from '../suite.ts';

const CLIENTS = 50;
const PIPELINED = 16;
const REQUESTS = { plain: 300_000, pipelined: 2_000_000 } as const;
const QUICK_SHARE = 0.2;

type Command = 'get' | 'set';
type Kind = keyof typeof REQUESTS;
type Measured = Record<'ours' | 'relay' | 'direct', CommandFigures[]>;

/** The suite `door`: commands that only pass through, beside a relay that understands nothing of what it passes on. */
export const doorSuite: Suite<'door'> = async (context) => {
  await using server = await startRedis();
  await using subject = await startSubject(server.url);
  await using relay = await startPeer('tcp-relay', { port: server.port });
  const measure = async (command: Command, kind: Kind): Promise<Measured> => {
    const pipeline = kind === 'plain' ? 1 : PIPELINED;
    const requests = REQUESTS[kind] * (context.quick ? QUICK_SHARE : 1);
    const through = (port: number) => () =>
      benchmarkCommands({ port, clients: CLIENTS, pipeline, requests, command: ['-t', command] });
    const title = `${command.toUpperCase()}, ${CLIENTS} clients, pipelined by ${pipeline}`;
    const show = (found: CommandFigures): string => `${short(found.perSecond)} calls/s, p50 ${short(found.p50)} ms`;
    return await inTurn(
      { ...context, title, show },
      { ours: through(subject.respPort), relay: through(Number(relay.says)), direct: through(server.port) },
    );
  };
  const get = await measure('get', 'plain');
  const set = await measure('set', 'plain');
  const getPipelined = await measure('get', 'pipelined');
  const setPipelined = await measure('set', 'pipelined');
  const perSecond = (found: CommandFigures): number => found.perSecond;
  return {
    get: pairOf(get.ours, get.relay, perSecond),
    set: pairOf(set.ours, set.relay, perSecond),
    getPipelined: pairOf(getPipelined.ours, getPipelined.relay, perSecond),
    setPipelined: pairOf(setPipelined.ours, setPipelined.relay, perSecond),
    direct: pairOf(get.ours, get.direct, perSecond),
    directPipelined: pairOf(getPipelined.ours, getPipelined.direct, perSecond),
  };
};
