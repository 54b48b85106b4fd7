import type { Redis } from 'ioredis';
import { startRedis } from '../../support/redis.ts';
import { startLoad } from '../child.ts';
import type { SoakFigures, SoakQuestion } from '../loads/soak.ts';
import { usageOf } from '../processes.ts';
import { short } from '../row.ts';
import { spreadOf } from '../statistics.ts';
import { deploy, startSubject } from '../subject.ts';
import type { Suite } from '../suite.ts';

const FUNCTIONS = 20;
const FULL_LOAD_SECONDS = 15;
const WINDOW_SECONDS = 5;
/** Of all windows: those before the start that is compared, those that are the start, those that are the end. */
const SETTLE_SHARE = 0.1;
const COMPARED_SHARE = 0.1;

/** The suite `soak`: half of what it can take, for long. The end is compared with the start. */
export const soakSuite: Suite<'soak'> = async (context) => {
  await using redis = await startRedis();
  await using subject = await startSubject(redis.url);
  await deployAll(subject.door);
  await using load = await startLoad('soak', { port: redis.port, streams: FUNCTIONS });
  const ask = (question: SoakQuestion): Promise<SoakFigures> => load.ask<SoakFigures>(question);
  await ask({ seconds: FULL_LOAD_SECONDS / 3, perSecond: null });
  const full = await ask({ seconds: FULL_LOAD_SECONDS, perSecond: null });
  context.report(`    full load: ${short(full.perSecond)} entries/s, generator ${full.generator.toFixed(2)} of a core`);
  const perSecond = Math.floor(full.perSecond / 2);
  const windows: { readonly memory: number; readonly p99: number; readonly generator: number }[] = [];
  const count = Math.max(10, Math.round((context.minutes * 60) / WINDOW_SECONDS));
  for (let n = 1; n <= count; n += 1) {
    const { p50, p99, generator, ...found } = await ask({ seconds: WINDOW_SECONDS, perSecond });
    const memory = (await usageOf(subject.pid)).residentBytes / 2 ** 20;
    windows.push({ memory, p99, generator });
    const minutes = `${((n * WINDOW_SECONDS) / 60).toFixed(1)} of ${((count * WINDOW_SECONDS) / 60).toFixed(1)} min`;
    const text = `${short(found.perSecond)} entries/s  p50 ${short(p50)} p99 ${short(p99)} ms  ${Math.round(memory)} MB`;
    context.report(`    ${minutes.padEnd(16)} ${text}  generator ${generator.toFixed(2)} of a core`);
  }
  const first = Math.floor(count * SETTLE_SHARE);
  const compared = Math.max(1, Math.floor(count * COMPARED_SHARE));
  const growth = (figure: 'memory' | 'p99'): number => {
    const medianOf = (part: typeof windows): number => spreadOf(part.map((one) => one[figure])).median;
    return medianOf(windows.slice(-compared)) / medianOf(windows.slice(first, first + compared));
  };
  const generator = Math.max(...windows.map((one) => one.generator));
  return { memory: { ours: [growth('memory')], generator }, p99: { ours: [growth('p99')], generator } };
};

async function deployAll(door: Redis): Promise<void> {
  for (let n = 0; n < FUNCTIONS; n += 1) {
    const source = `new GearsBuilder('StreamReader').foreach(async (r) => {
      await execute('HINCRBY', 'soak:sums:${n}', r.value.user, r.value.amount);
      if (r.value.probe) await execute('RPUSH', 'probes', r.value.probe);
    }).register({ prefix: 'soak:${n}', mode: 'async_local', batch: 100 });`;
    await deploy(door, `soak${n}`, source);
  }
}
