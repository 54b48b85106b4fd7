import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startPlatformProcess } from '../support/platform.ts';
import { startRedis } from '../support/redis.ts';
import { loadRecorder, nodeKillTime, sandboxKillTime, startFlow } from './rerun-times.ts';

const MODES = ['async_local', 'sync', 'async'] as const;
const HEARTBEAT_TIMEOUT_MS = 3_000;
const RERUN_GOAL_MS = 300;
/** Before each kill; in mode `sync` one runs after the other, and thousands take their time. */
const RUNS_BETWEEN = 1_000;
/** Only ends a test that waits for nothing; those that wait fail when nothing moves. */
const TIMEOUT_MS = 600_000;
const TAKE_OVER_GOAL_MS = 1_000;
/** On a quiet machine an empty Node process is over in 30 to 50 ms: on a busy one, times grow with that. */
const SPAWNS = 10;

/** What this machine needs right now to start an empty Node process and see it end, ms; the greatest of three. */
async function emptyProcessMs(): Promise<number> {
  let greatest = 0;
  for (let n = 0; n < 3; n += 1) {
    const begin = performance.now();
    await promisify(execFile)(process.execPath, ['-e', '0']);
    greatest = Math.max(greatest, performance.now() - begin);
  }
  return greatest;
}

test.each(MODES)(
  'the first entry runs again soon after its sandbox was killed (%s)',
  { timeout: TIMEOUT_MS },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    await using platform = await startPlatformProcess({ redisUrl: redis.url, flags: ['--sandboxes', '1'] });
    const group = await loadRecorder(platform.door, mode);
    await using _flow = startFlow(redis.client(), group);
    const times: number[] = [];
    let baseline = 0;
    for (let kills = 0; kills < 3; kills += 1) {
      times.push(await sandboxKillTime(client, platform, RUNS_BETWEEN));
      baseline = Math.max(baseline, await emptyProcessMs());
    }
    const bound = Math.max(RERUN_GOAL_MS, SPAWNS * baseline);
    const text = `${mode}: first re-run after ${times.join(', ')} ms, goal ${RERUN_GOAL_MS}, empty process ${baseline | 0}`;
    process.stdout.write(`${text}\n`);
    expect(times.toSorted((a, b) => a - b)[1], text).toBeLessThanOrEqual(bound);
  },
);

test.each(MODES)(
  'entries of a killed node run elsewhere right after its heartbeat has run out (%s)',
  { timeout: TIMEOUT_MS },
  async (mode) => {
    await using redis = await startRedis();
    const client = redis.client();
    const flags = ['--heartbeat-timeout', `${HEARTBEAT_TIMEOUT_MS}ms`, '--sandboxes', '1'];
    await using first = await startPlatformProcess({ redisUrl: redis.url, flags });
    await using second = await startPlatformProcess({ redisUrl: redis.url, flags });
    const group = await loadRecorder(first.door, mode);
    await using _flow = startFlow(redis.client(), group);
    const kill = await nodeKillTime(client, group, [first, second]);
    const baseline = await emptyProcessMs();
    const bound = HEARTBEAT_TIMEOUT_MS + Math.max(TAKE_OVER_GOAL_MS, 2 * SPAWNS * baseline);
    const text = `${mode}: ${kill.entries} entries of the dead node ran again ${kill.firstMs} to ${kill.lastMs} ms after its death`;
    process.stdout.write(`${text}\n`);
    expect(kill.firstMs, text).toBeLessThanOrEqual(bound);
  },
);
