import { loadRecorder, type Mode, nodeKillTime, sandboxKillTime, startFlow } from '../../recovery/rerun-times.ts';
import { startPlatformProcess } from '../../support/platform.ts';
import { startRedis } from '../../support/redis.ts';
import { type RatioRow, ratioRow } from '../statistics.ts';
import type { SuiteSize } from './streams.ts';

type Report = (line: string) => void;

const MODES: readonly Mode[] = ['async_local', 'sync', 'async'];
const HEARTBEAT_TIMEOUT_MS = 3_000;
/** The goal for a batch that nobody is blamed for, and the limit. */
const RERUN_MS = 300;
const TAKE_OVER_MS = HEARTBEAT_TIMEOUT_MS + 1_000;
const SANDBOX_KILLS_PER_ROUND = 3;

/** Kills the busy sandbox process again and again while entries flow. */
async function sandboxKills(mode: Mode, rounds: number, report: Report): Promise<number[]> {
  await using redis = await startRedis();
  await using platform = await startPlatformProcess({
    redisUrl: redis.url,
    flags: ['--sandboxes', '1', '--quarantine-after-crashes', '1000'],
  });
  const group = await loadRecorder(platform.door, mode);
  await using _flow = startFlow(redis.client(), group);
  const times: number[] = [];
  for (let kill = 0; kill < rounds * SANDBOX_KILLS_PER_ROUND; kill += 1) {
    times.push(await sandboxKillTime(redis.client(), platform));
  }
  report(`  sandbox killed  ${mode.padEnd(12)} first re-run after ${times.join(', ')} ms`);
  return times;
}

/** Two new nodes for every kill. */
async function nodeKill(mode: Mode, report: Report): Promise<number> {
  await using redis = await startRedis();
  const flags = ['--heartbeat-timeout', `${HEARTBEAT_TIMEOUT_MS}ms`, '--sandboxes', '1'];
  await using first = await startPlatformProcess({ redisUrl: redis.url, flags });
  await using second = await startPlatformProcess({ redisUrl: redis.url, flags });
  const group = await loadRecorder(first.door, mode);
  await using _flow = startFlow(redis.client(), group);
  const { firstMs, lastMs, entries } = await nodeKillTime(redis.client(), group, [first, second]);
  report(`  node killed     ${mode.padEnd(12)} ${entries} entries ran again after ${firstMs} to ${lastMs} ms`);
  return firstMs;
}

function againstGoal(what: string, times: readonly number[], goalMs: number): RatioRow {
  return ratioRow({ what, ours: times, peer: times.map(() => goalMs), goal: { atMost: 1 }, unit: 'ms' });
}

/** The suite `recovery`: times from a kill to the first re-run, beside what they may be. */
export async function recoverySuite(size: SuiteSize, report: Report): Promise<readonly RatioRow[]> {
  const rows: RatioRow[] = [];
  for (const mode of MODES) {
    const times = await sandboxKills(mode, size.rounds, report);
    rows.push(againstGoal(`sandbox kill to re-run, ${mode}`, times, RERUN_MS));
  }
  for (const mode of MODES) {
    const times: number[] = [];
    for (let round = 0; round < size.rounds; round += 1) times.push(await nodeKill(mode, report));
    rows.push(againstGoal(`node kill to take-over, ${mode}`, times, TAKE_OVER_MS));
  }
  return rows;
}
