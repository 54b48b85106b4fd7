import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { startPlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type RatioRow, ratioRow } from '../statistics.ts';
import type { SuiteSize } from './streams.ts';

type Report = (line: string) => void;

const FAMILIES = 1_000;
const ADULTS = 'map, filter and count';
const COUNT_BY = 'countby';

/** What is computed, the same by both: how many are of age, and how many there are of each family. */
const SCRIPTS = {
  [ADULTS]: "GB().map((r) => +r.value.age).filter((age) => age >= 18).count().run('person:*')",
  [COUNT_BY]: "GB().countby((r) => r.value.name.split(' ')[1]).run('person:*')",
} as const;
type Work = keyof typeof SCRIPTS;

/** Batch runs over hashes beside a hand-written SCAN with pipelined HGETALL: records per second, whole run. */
export async function batchSuite(size: SuiteSize, report: Report): Promise<readonly RatioRow[]> {
  await using redis = await startRedis();
  await using platform = await startPlatformProcess({ redisUrl: redis.url });
  const rows: RatioRow[] = [];
  let stored = 0;
  for (const records of size.rounds > 1 ? [100_000, 500_000] : [100_000]) {
    await fill(redis, stored, records);
    stored = records;
    for (const work of Object.keys(SCRIPTS) as Work[]) {
      const ours: number[] = [];
      const peer: number[] = [];
      for (let round = 0; round <= size.rounds; round += 1) {
        const mine = await rateOf(records, work, (name) => runOurs(platform.door, name));
        const theirs = await rateOf(records, work, (name) => runHandwritten(redis, name));
        report(`  ${work} over ${records}: ours ${Math.round(mine)}/s, hand-written ${Math.round(theirs)}/s`);
        // The first round warms both up.
        if (round === 0) continue;
        ours.push(mine);
        peer.push(theirs);
      }
      const what = `${work}, ${records / 1000} k hashes`;
      rows.push(ratioRow({ what, ours, peer, goal: { atLeast: 2 }, unit: 'records/s' }));
    }
  }
  return rows;
}

async function fill(redis: TestRedis, from: number, to: number): Promise<void> {
  const client = redis.client();
  for (let first = from; first < to; first += 1_000) {
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
async function rateOf(records: number, work: Work, run: (work: Work) => Promise<number>): Promise<number> {
  const begin = performance.now();
  const answer = await run(work);
  const rate = (records / (performance.now() - begin)) * 1000;
  const expected = work === COUNT_BY ? records : countAdults(records);
  if (answer !== expected) throw new Error(`${work} over ${records} hashes answered ${answer}, not ${expected}.`);
  return rate;
}

function countAdults(records: number): number {
  const rest = records % 90;
  return Math.floor(records / 90) * 72 + Math.max(0, rest - 18);
}

async function runOurs(door: Redis, work: Work): Promise<number> {
  const [results, errors] = (await door.call('RG.JSEXECUTE', SCRIPTS[work])) as [string[], string[]];
  if (errors.length > 0) throw new Error(errors[0]);
  if (work === ADULTS) return Number(results[0]);
  return results.reduce((sum, text) => sum + (JSON.parse(text) as { value: number }).value, 0);
}

/** What a user would write: the next SCAN is asked for while the values of this one are on their way. */
async function runHandwritten(redis: TestRedis, work: Work): Promise<number> {
  const client = new Redis(redis.port);
  const families = new Map<string, number>();
  let adults = 0;
  const count = ({ name = '', age }: Record<string, string>): void => {
    if (work === ADULTS) adults += Number(age) >= 18 ? 1 : 0;
    else {
      const family = name.split(' ')[1] ?? '';
      families.set(family, (families.get(family) ?? 0) + 1);
    }
  };
  let scanning: Promise<[string, string[]]> | null = client.scan('0', 'MATCH', 'person:*', 'COUNT', 1_000);
  while (scanning !== null) {
    const [cursor, keys]: [string, string[]] = await scanning;
    scanning = cursor === '0' ? null : client.scan(cursor, 'MATCH', 'person:*', 'COUNT', 1_000);
    const pipeline = client.pipeline();
    for (const key of keys) pipeline.hgetall(key);
    for (const [, hash] of (await pipeline.exec()) ?? []) count(hash as Record<string, string>);
  }
  client.disconnect();
  return work === ADULTS ? adults : [...families.values()].reduce((sum, value) => sum + value, 0);
}
