import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { childCommand } from '../../../runtime/sandbox/child-command.ts';
import type { LoadRequest } from '../../../runtime/sandbox/messages.ts';
import { startSandboxProcess } from '../../../runtime/sandbox/process.ts';
import type { SandboxDeath } from '../../../runtime/sandbox/sandbox.ts';
import { createWatchdog } from '../../../runtime/sandbox/watchdog.ts';
import { waitFor } from '../../support/wait.ts';
import { SCRIPTED_CHILD, startRuntime } from '../scripted/runtime.ts';

const MIB = 1024 * 1024;
const log = { debug() {}, info() {}, warn() {}, error() {} };

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

/** A version whose loading never ends. */
const ENDLESS: LoadRequest = {
  handle: 1,
  functionName: 'f',
  version: 1,
  code: 'load-spin',
  fileName: 'f.v1.js',
  memoryBytes: 64 * MIB,
  callMs: 60_000,
  commandsPerEvent: 10,
  commandBytes: MIB,
  outputBytes: MIB,
  settings: {},
  inspectOnly: false,
};

/** How a process of some 50 MiB dies of `signal` over work of `f`, when the kernel's counters read `last` at the moment of the kill. */
async function deathBy(
  signal: NodeJS.Signals,
  counters: { readonly first: string; readonly last: string },
  suspectBytes = 1 * MIB,
): Promise<SandboxDeath> {
  const folder = mkdtempSync(join(tmpdir(), 'regears-counters-'));
  try {
    const kernelCounters = join(folder, 'vmstat');
    writeFileSync(kernelCounters, counters.first);
    using watchdog = createWatchdog({ graceMs: 60_000, residentBytes: 4_096 * MIB });
    const command = childCommand({ entry: SCRIPTED_CHILD });
    const options = { command, guest: '', watchdog, log, suspectBytes, kernelCounters };
    await using sandbox = startSandboxProcess(options);
    const died = new Promise<SandboxDeath>((resolve) => sandbox.onDeath(resolve));
    await sandbox.ready;
    sandbox.load(ENDLESS, 'f').catch(() => {});
    await waitFor(() => sandbox.residentBytes > 20 * MIB, { what: 'the process is measured' });
    writeFileSync(kernelCounters, counters.last);
    process.kill(sandbox.pid, signal);
    return await died;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a large process that ends by a signal', () => {
  const counted = (kills: number): string => `pgfault 12\noom_kill ${kills}\noom_kill_victims 9\n`;

  test.each(['SIGKILL', 'SIGTERM'] as const)("is nobody's fault when somebody sent %s", async (signal) => {
    const death = await deathBy(signal, { first: counted(3), last: counted(3) });
    expect(death).toMatchObject({ cause: 'outside', blamed: null });
  });

  test('is the fault of the version at work when the kernel killed for lack of memory meanwhile', async () => {
    const death = await deathBy('SIGKILL', { first: counted(3), last: counted(4) });
    expect(death).toMatchObject({ cause: 'exit', blamed: 'f' });
    expect(await deathBy('SIGTERM', { first: counted(3), last: counted(4) })).toMatchObject({ blamed: null });
  });

  test('is the fault of the version at work where the kernel does not count', async () => {
    expect(await deathBy('SIGKILL', { first: '', last: '' })).toMatchObject({ cause: 'exit', blamed: 'f' });
  });
});

test("a small process is nobody's fault, whatever the kernel killed", async () => {
  const death = await deathBy('SIGKILL', { first: 'oom_kill 3\n', last: 'oom_kill 4\n' }, 1_024 * MIB);
  expect(death).toMatchObject({ cause: 'outside', blamed: null });
});
