import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';

/** Clock ticks a second in /proc on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds and resident bytes of a process and all its children; NaN where there is no /proc. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

const GONE: Usage = { cpuSeconds: Number.NaN, residentBytes: Number.NaN };

/** Adds up a process and what it has started, such as a node with its sandboxes. */
export async function usageOf(pid: number): Promise<Usage> {
  const [first, ...others] = await Promise.all((await treeOf(pid)).map(usageOfOne));
  const sum = { ...(first ?? GONE) };
  for (const { cpuSeconds, residentBytes } of others) {
    // A child may have ended since it was listed.
    sum.cpuSeconds += cpuSeconds || 0;
    sum.residentBytes += residentBytes || 0;
  }
  return sum;
}

/** Starts counting; the answer is the share of a core that a process and its children have taken since. */
export async function shareOf(pid: number): Promise<() => Promise<number>> {
  const begin = performance.now();
  const { cpuSeconds } = await usageOf(pid);
  return async () => ((await usageOf(pid)).cpuSeconds - cpuSeconds) / ((performance.now() - begin) / 1_000);
}

async function treeOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const below = await Promise.all(children.map(treeOf));
  return [pid, ...below.flat()];
}

async function usageOfOne(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return GONE;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: kilobytes * 1_024,
  };
}
