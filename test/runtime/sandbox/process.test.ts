import { readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';
import { waitFor } from '../../support/wait.ts';
import { startRuntime } from '../scripted/runtime.ts';

test('pid and resident memory of a sandbox are those of the process that runs guests, in a session of its own', async () => {
  await using world = await startRuntime();
  const pool = await waitFor(
    () => {
      const infos = world.runtime.inspectPool();
      return infos.length > 1 && infos.every(({ residentBytes }) => residentBytes > 20e6) ? infos : null;
    },
    { what: 'all sandboxes are measured' },
  );
  for (const { pid, residentBytes } of pool) {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    expect(program).toBe(process.execPath);
    const resident = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
    expect(Math.abs(residentBytes - resident)).toBeLessThan(resident / 2);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    expect([group, session]).toEqual([String(pid), String(pid)]);
  }
});
