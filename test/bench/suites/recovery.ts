import { loadRecorder, type Mode, nodeKillTime, sandboxKillTime, startFlow } from '../../recovery/rerun-times.ts';
import { startRedis } from '../../support/redis.ts';
import type { Figures } from '../row.ts';
import { startSubject } from '../subject.ts';
import type { Suite, SuiteContext } from '../suite.ts';

const SANDBOX_KILLS_PER_ROUND = 3;

/** Kills the busy sandbox process again and again while entries flow. */
async function sandboxKills(mode: Mode, context: SuiteContext): Promise<Figures> {
  await using redis = await startRedis();
  await using subject = await startSubject(redis.url, ['--sandboxes', '1', '--quarantine-after-crashes', '1000']);
  const group = await loadRecorder(subject.door, mode);
  await using _flow = startFlow(redis.client(), group);
  const times: number[] = [];
  for (let kill = 0; kill < context.rounds * SANDBOX_KILLS_PER_ROUND; kill += 1) {
    times.push(await sandboxKillTime(redis.client(), subject));
  }
  context.report(`    sandbox killed  ${mode.padEnd(12)} first re-run after ${times.join(', ')} ms`);
  return { ours: times };
}

/** Two new nodes for every kill, with the heartbeat they have by default. */
async function nodeKills(mode: Mode, context: SuiteContext): Promise<Figures> {
  const times: number[] = [];
  for (let round = 0; round < context.rounds; round += 1) {
    await using redis = await startRedis();
    await using first = await startSubject(redis.url, ['--sandboxes', '1']);
    await using second = await startSubject(redis.url, ['--sandboxes', '1']);
    const group = await loadRecorder(first.door, mode);
    await using _flow = startFlow(redis.client(), group);
    const { firstMs, lastMs, entries } = await nodeKillTime(redis.client(), group, [first, second]);
    context.report(
      `    node killed     ${mode.padEnd(12)} ${entries} entries ran again after ${firstMs} to ${lastMs} ms`,
    );
    times.push(firstMs);
  }
  return { ours: times };
}

/** The suite `recovery`: from a kill to the first re-run, seen from Redis. */
export const recoverySuite: Suite<'recovery'> = async (context) => ({
  sandbox: await sandboxKills('async_local', context),
  sandboxSync: await sandboxKills('sync', context),
  sandboxAsync: await sandboxKills('async', context),
  node: await nodeKills('async_local', context),
  nodeSync: await nodeKills('sync', context),
  nodeAsync: await nodeKills('async', context),
});
