import { expect, test } from 'vitest';
import type { DoorClient } from '../../../scheduler/cli/client.ts';
import { readProgress } from '../../../scheduler/cli/commands/execution-progress.ts';
import { progressLine } from '../../../scheduler/cli/commands/read-progress.ts';

/** What RG.GETEXECUTION answers of shards that are so far, percent. */
function clientOf(...percents: readonly number[]): DoorClient {
  const rows = percents.map((percent, at) => [
    ...['shard_id', `${at}`, 'execution_plan'],
    [
      'status',
      'running',
      'records_read',
      100,
      'records_per_second',
      40,
      'percent_read',
      percent,
      'stage',
      1,
      'stages',
      2,
    ],
  ]);
  return { call: async () => rows } as unknown as DoorClient;
}

const lineOf = async (...percents: readonly number[]): Promise<string> =>
  progressLine(await readProgress(clientOf(...percents), 'id'));

test('keys seen, their rate and a bar over all shards', async () => {
  expect(await lineOf(0)).toBe(`[${' '.repeat(30)}] 0 % | 100 read | 40/s | stage 1 of 2`);
  expect(await lineOf(50, 0)).toBe(`[========${' '.repeat(22)}] 25 % | 200 read | 80/s | stage 1 of 2`);
  expect(await lineOf(100, 100, 100)).toBe(`[${'='.repeat(30)}] 100 % | 300 read | 120/s | stage 1 of 2`);
});

test('no bar where a shard does not know how much there is', async () => {
  expect(await lineOf(50, -1)).toBe('200 read | 80/s | stage 1 of 2');
});
