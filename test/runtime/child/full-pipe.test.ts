import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import { ChildHarness, entriesOf } from './child-harness.ts';

const ENTRIES = 400;
/** Some 5 ms of work and 8 KiB of results per entry: hundreds of slices, and far more than a pipe holds. */
const WORK = `GB('StreamReader').map((r) => {
  let sum = 0;
  for (let i = 0; i < 3e6; i++) sum += i % 7;
  return 'x'.repeat(8192) + sum;
}).register();`;

let child: ChildHarness;
afterEach(() => child.stop());

/** Ticks of processor time. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function standsStill(pid: number): Promise<number> {
  let ticks = cpuOf(pid);
  await waitFor(
    () => {
      const before = ticks;
      ticks = cpuOf(pid);
      return ticks === before;
    },
    { intervalMs: 90, what: 'the sandbox process waits' },
  );
  return ticks;
}

test('a long batch waits for a node that does not read, and no later frame overtakes it', async () => {
  child = await ChildHarness.start();
  const pid = child.child.pid ?? 0;
  await child.load(WORK);
  const batch = {
    payload: entriesOf(Array.from({ length: ENTRIES }, () => ['f', 'v'])),
    entryCount: ENTRIES,
    wantResults: 1,
  };
  const before = cpuOf(pid);
  child.pause();
  const { record } = await child.begin(batch, () => true);
  const later = child.ping();
  await waitFor(() => cpuOf(pid) > before, { what: 'the batch has begun' });
  const waiting = await standsStill(pid);
  child.resume();
  await later;
  expect(record.done).toEqual(Array.from({ length: ENTRIES }, (_, n) => n));
  expect(record.results.size).toBe(ENTRIES);
  expect(waiting - before).toBeLessThan((cpuOf(pid) - before) / 2);
});
