import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { PlatformProcess } from '../../support/platform.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { shareOf, usageOf } from '../processes.ts';
import { short } from '../row.ts';
import { deploy, startSubject } from '../subject.ts';
import type { Suite, SuiteContext } from '../suite.ts';

const FUNCTIONS = 1_000;
/** With the limits a node has by default, at most some hundreds of these are loaded at once. */
const MANY = 10_000;
const FEW = 1_000;
const CALLS_AT_ONCE = 20;
/** One takes minutes, and there is no peer whose drift would have to be met. */
const MOST_ROUNDS = 2;
const SETTLE_MS = 10_000;
const LOOK_MS = 20_000;
/** Room for a thousand loaded functions, so that none is evicted while their size is measured. */
const ROOMY = ['--sandbox-isolates', '1000', '--sandbox-memory', '8gb'];

/** The suite `idle`: what functions cost that do nothing. It has no peer: nobody writes this by hand. */
export const idleSuite: Suite<'idle'> = async (context) => {
  const rounds = { cpu: [], unloaded: [], loaded: [], failed: [] } as Record<
    'cpu' | 'unloaded' | 'loaded' | 'failed',
    number[]
  >;
  for (let round = 1; round <= Math.min(context.rounds, MOST_ROUNDS); round += 1) {
    const { cpu, unloaded, loaded } = await measureIdle(context);
    rounds.cpu.push(cpu);
    rounds.unloaded.push(unloaded);
    rounds.loaded.push(loaded);
  }
  rounds.failed.push(await callMany(context));
  return {
    cpu: { ours: rounds.cpu },
    unloaded: { ours: rounds.unloaded },
    loaded: { ours: rounds.loaded },
    evicted: { ours: rounds.failed },
  };
};

interface Idle {
  /** Per cent of a core, the node and its sandboxes. */
  readonly cpu: number;
  /** kB for each. */
  readonly unloaded: number;
  readonly loaded: number;
}

/**
 * Each function listens to a stream that exists and is empty, and answers a command. They are deployed through one node and
 * measured on another that is started afterwards: what deploying leaves behind in a heap is no property of a function.
 */
async function measureIdle(context: SuiteContext): Promise<Idle> {
  await using redis = await startRedis();
  const empty = await withNode(redis, async (subject) => {
    await pause(SETTLE_MS);
    return await usageOf(subject.pid);
  });
  await makeStreams(redis);
  await withNode(redis, ({ door }) => deployMany(door, { count: FUNCTIONS, name: 'idle' }));
  return await withNode(redis, async (subject) => {
    await pause(SETTLE_MS);
    const registered = await usageOf(subject.pid);
    const share = await shareOf(subject.pid);
    const redisShare = await shareOf(redis.pid);
    await pause(LOOK_MS);
    const cpu = (await share()) * 100;
    context.report(
      `    ${FUNCTIONS} functions: ${short(cpu)} % of a core, Redis ${short((await redisShare()) * 100)} %`,
    );
    await callAll(subject.door, { count: FUNCTIONS, name: 'idle' });
    await pause(SETTLE_MS);
    const loaded = await usageOf(subject.pid);
    const perFunction = (from: number, to: number): number => (to - from) / FUNCTIONS / 1_024;
    const idle = {
      cpu,
      unloaded: perFunction(empty.residentBytes, registered.residentBytes),
      loaded: perFunction(registered.residentBytes, loaded.residentBytes),
    };
    context.report(`    each: ${short(idle.unloaded)} kB registered, ${short(idle.loaded)} kB more when loaded`);
    return idle;
  });
}

/** A node for this long; it leaves the fleet before the next one comes. */
async function withNode<T>(redis: TestRedis, use: (subject: PlatformProcess) => Promise<T>): Promise<T> {
  await using subject = await startSubject(redis.url, ROOMY);
  const answer = await use(subject);
  await subject.stop();
  return answer;
}

/** Calls that failed, when many more functions than a node keeps loaded are called in turn. */
async function callMany(context: SuiteContext): Promise<number> {
  await using redis = await startRedis();
  await using subject = await startSubject(redis.url);
  const many = { count: context.quick ? FEW : MANY, name: 'many' };
  await deployMany(subject.door, many);
  const failed = await callAll(subject.door, many);
  const { residentBytes } = await usageOf(subject.pid);
  context.report(
    `    ${many.count} functions called in turn, ${failed} calls failed, ${Math.round(residentBytes / 2 ** 20)} MB resident`,
  );
  return failed;
}

interface Group {
  readonly count: number;
  readonly name: string;
}

async function makeStreams(redis: TestRedis): Promise<void> {
  const pipeline = redis.client().pipeline();
  for (let n = 0; n < FUNCTIONS; n += 1) pipeline.xgroup('CREATE', `idle:${n}`, 'other', '0', 'MKSTREAM');
  await pipeline.exec();
}

async function deployMany(door: Redis, { count, name }: Group): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const source = `GB('StreamReader').foreach((r) => { log(r.id); }).register({ prefix: '${name}:${n}' });
      GB('CommandReader').map(([, text]) => '${name}${n} ' + text).register({ trigger: '${name}${n}', mode: 'async_local' });`;
    await deploy(door, `${name}${n}`, source);
  }
}

/** Calls every function once; answers how many calls failed. */
async function callAll(door: PlatformProcess['door'], { count, name }: Group): Promise<number> {
  let failed = 0;
  for (let first = 0; first < count; first += CALLS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(CALLS_AT_ONCE, count - first) }, (_, n) => first + n);
    const calls = numbers.map((n) => door.call('RG.TRIGGER', `${name}${n}`, 'hello') as Promise<string[]>);
    const answers = await Promise.allSettled(calls);
    failed += answers.filter(({ status, ...answer }, n) => {
      const text = status === 'fulfilled' ? (answer as { value: string[] }).value[0] : null;
      return text !== `${name}${numbers[n]} hello`;
    }).length;
  }
  return failed;
}
