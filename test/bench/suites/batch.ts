import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startPeer } from '../child.ts';
import { startSubject } from '../subject.ts';
import { alternate, type Suite, type SuiteContext } from '../suite.ts';

const FAMILIES = 1_000;

/** What is computed, the same by both: how many are of age, and how many there are of each family. */
const SCRIPTS = {
  adults: "GB().map((r) => +r.value.age).filter((age) => age >= 18).count().run('person:*')",
  families: "GB().countby((r) => r.value.name.split(' ')[1]).run('person:*')",
} as const;
type Work = keyof typeof SCRIPTS;

const TITLES: Readonly<Record<Work, string>> = { adults: 'map, filter and count', families: 'countby' };

/** The suite `batch`: runs over hashes beside a hand-written SCAN with pipelined HGETALL; records per second, whole run. */
export const batchSuite: Suite<'batch'> = async (context) => {
  await using redis = await startRedis();
  await using subject = await startSubject(redis.url);
  await using peer = await startPeer('scan-pipeline', { port: redis.port });
  const records = context.quick ? 100_000 : 500_000;
  await fill(redis, records);
  const ours = (work: Work) => () => rateOf(records, work, () => runOurs(subject.door, work));
  const byHand = (work: Work) => () =>
    rateOf(records, work, async () => (await peer.ask<{ answer: number }>({ work })).answer);
  const measure = async (work: Work): Promise<{ ours: number[]; peer: number[] }> => {
    const runs = { ours: ours(work), 'SCAN + pipeline': byHand(work) };
    await alternate(warmUp(context), `${TITLES[work]} over ${records} hashes, records/s, to warm up`, runs);
    const found = await alternate(context, `${TITLES[work]} over ${records} hashes, records/s`, runs);
    return { ours: found.ours, peer: found['SCAN + pipeline'] };
  };
  return { adults: await measure('adults'), families: await measure('families') };
};

function warmUp(context: SuiteContext): SuiteContext {
  return { ...context, rounds: 1 };
}

async function fill(redis: TestRedis, records: number): Promise<void> {
  const client = redis.client();
  for (let first = 0; first < records; first += 1_000) {
    const pipeline = client.pipeline();
    for (let n = first; n < first + 1_000; n += 1) {
      const person = { name: `First${n} Fam${n % FAMILIES}`, age: n % 90, city: `c${n % 50}` };
      pipeline.hset(`person:${n}`, person);
    }
    await pipeline.exec();
  }
  client.disconnect();
}

/** Runs the work, checks its answer, answers records per second. */
async function rateOf(records: number, work: Work, run: () => Promise<number>): Promise<number> {
  const begin = performance.now();
  const answer = await run();
  const rate = (records / (performance.now() - begin)) * 1000;
  const expected = work === 'families' ? records : countAdults(records);
  if (answer !== expected)
    throw new Error(`${TITLES[work]} over ${records} hashes answered ${answer}, not ${expected}.`);
  return rate;
}

function countAdults(records: number): number {
  const rest = records % 90;
  return Math.floor(records / 90) * 72 + Math.max(0, rest - 18);
}

async function runOurs(door: Redis, work: Work): Promise<number> {
  const [results, errors] = (await door.call('RG.JSEXECUTE', SCRIPTS[work])) as [string[], string[]];
  if (errors.length > 0) throw new Error(errors[0]);
  if (work === 'adults') return Number(results[0]);
  return results.reduce((sum, text) => sum + (JSON.parse(text) as { value: number }).value, 0);
}
